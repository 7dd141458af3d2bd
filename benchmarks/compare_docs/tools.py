"""The tools that write into documents, each with its markers, its input and its command.

Every tool gets the same documents. Where ours would put a new region, a tool that cannot gets its empty markers put
there for it. What a tool is good at is switched on: cog runs with checksums, which refuse an edited output.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.compare_docs.installing import node, python

DOCUMENT = "ml-models.md"
NAMES = re.compile(r"exp-\d+[\w-]*")


@dataclass(frozen=True)
class Tool:
    """A tool beside us.

    Attributes:
        name: as in the table.
        requirement: what pip or npm installs.
        begin: its first marker, for a region.
        end: its last marker, as people write it; empty where it has none.
        end_pattern: the same, as it may come out.
        not_asked: how the names of the cases begin that are not its business.
        any_text: whether it can be given any text to put there; else it writes what it makes of the names in it.
        feed: puts the text of each region where the tool takes it from.
        command: the command that renews the document.
        check: the command that only looks; None where there is none.
    """

    name: str
    requirement: str
    begin: Callable[[str], str]
    end: str
    command: Sequence[str]
    feed: Callable[[Path, dict[str, str]], None]
    any_text: bool = True
    check: Sequence[str] | None = None
    end_pattern: str = ""
    of_node: bool = False
    not_asked: Sequence[str] = ()
    extra: Sequence[str] = ()

    def install(self) -> str:
        """Install it, if it is not there yet; its version."""
        return (node if self.of_node else python)(self.name, self.requirement, *self.extra)


def texts(folder: Path, bodies: dict[str, str]) -> None:
    """One file of text for each region."""
    for region, body in bodies.items():
        (folder / f"{region}.txt").write_text(body, encoding="utf-8")


def contributors(folder: Path, bodies: dict[str, str]) -> None:
    """A contributor for each name in the texts."""
    people = [
        {
            "login": name,
            "name": name,
            "avatar_url": "https://example.org/a.png",
            "profile": "https://example.org",
            "contributions": ["code"],
        }
        for name in names(bodies)
    ]
    settings: dict[str, object] = {
        "projectName": "p",
        "projectOwner": "o",
        "repoType": "github",
        "repoHost": "https://github.com",
    }
    settings |= {"files": [DOCUMENT], "imageSize": 10, "commit": False, "skipCi": True, "contributors": people}
    (folder / ".all-contributorsrc").write_text(json.dumps(settings))


def fragments(folder: Path, bodies: dict[str, str]) -> None:
    """A news fragment for each name in the texts; another version when the names are others, as a release would be."""
    (folder / "news").mkdir(exist_ok=True)
    for old in (folder / "news").iterdir():
        old.unlink()
    found = names(bodies)
    for number, name in enumerate(found, 1):
        (folder / "news" / f"{number}.feature").write_text(f"{name}\n")
    (folder / "towncrier.toml").write_text(
        f'[tool.towncrier]\ndirectory = "news"\nname = "Experiments"\nversion = "{len(found)}"\n'
        'title_format = "### {name} {version}"\n'
        f'filename = "{DOCUMENT}"\nstart_string = "<!-- towncrier release notes start -->\\n"\n'
    )


def nothing(folder: Path, bodies: dict[str, str]) -> None:
    """The tool reads the document itself."""


def names(bodies: dict[str, str]) -> list[str]:
    """The names of experiments in the texts."""
    return sorted({name for body in bodies.values() for name in NAMES.findall(body)})


def always(marker: str) -> Callable[[str], str]:
    """The same marker for every region: the tool knows one in a document."""
    return lambda _region: marker


TWO_OF_ONE_TEXT = "04-twice"  # is no mistake where a region has no name
# A row that a person deletes, or a text that leaks, can only be in a text that the tool was given.
OWN_TEXT = ("05-a-person-deletes", "06-both", "06-deleted", "12-")
ONLY_THE_DOCUMENT = (*OWN_TEXT, "13-stale")  # new data elsewhere make nothing stale

TOOLS = (
    Tool(
        "cog",
        "cogapp==3.6.0",
        lambda region: f"<!-- [[[cog print(open('{region}.txt', encoding='utf-8').read()) ]]] -->",
        "<!-- [[[end]]] -->",
        ("cog", "-r", "-c", "-P", "-n", "utf-8", DOCUMENT),
        texts,
        check=("cog", "--check", "-c", "-P", "-n", "utf-8", DOCUMENT),
        not_asked=(TWO_OF_ONE_TEXT, "10-"),  # its checksum would be in the conflict, too, which the cases do not show
        end_pattern=r"<!-- \[\[\[end\]\]\](?: \([^)]*\))? -->",
    ),
    Tool(
        "markdown-magic",
        "markdown-magic@4.11.0",
        lambda region: f'<!-- docs FILE src="./{region}.txt" -->',
        "<!-- /docs -->",
        ("md-magic", "--path", DOCUMENT),
        texts,
        not_asked=(TWO_OF_ONE_TEXT,),
        of_node=True,
    ),
    Tool(
        "doctoc",
        "doctoc@2.5.0",
        always("<!-- START doctoc generated TOC please keep comment here to allow auto update -->"),
        "<!-- END doctoc generated TOC please keep comment here to allow auto update -->",
        ("doctoc", DOCUMENT),
        nothing,
        any_text=False,
        not_asked=ONLY_THE_DOCUMENT,
        of_node=True,
    ),
    Tool(
        "all-contributors",
        "all-contributors-cli@6.26.1",
        always("<!-- ALL-CONTRIBUTORS-LIST:START - Do not remove or modify this section -->"),
        "<!-- ALL-CONTRIBUTORS-LIST:END -->",
        ("all-contributors", "generate"),
        contributors,
        any_text=False,
        not_asked=OWN_TEXT,
        of_node=True,
    ),
    Tool(
        "towncrier",
        "towncrier==26.9.0",
        always("<!-- towncrier release notes start -->"),
        "",
        ("towncrier", "build", "--keep", "--date", "2026-01-01"),
        fragments,
        any_text=False,
        not_asked=OWN_TEXT,
    ),
    Tool(
        "mdformat-toc",
        "mdformat-toc==0.5.0",
        always("<!-- mdformat-toc start --slug=github --no-anchors --maxlevel=6 --minlevel=1 -->"),
        "<!-- mdformat-toc end -->",
        ("mdformat", DOCUMENT),
        nothing,
        any_text=False,
        not_asked=ONLY_THE_DOCUMENT,
        check=("mdformat", "--check", DOCUMENT),
        extra=("mdformat==1.0.0", "mdformat-gfm==1.0.0"),
    ),
)
