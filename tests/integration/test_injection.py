"""Recorded text is data: whatever it says, documents, output and issues keep their shape and hide nothing.

The same project is made twice, with a harmless text and with a hostile one in every field that takes text. What comes
out may differ in words only.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from markdown_it import MarkdownIt

from command_line import INCREMENT, CommandLine
from injections import INJECTIONS
from repositories import git
from specweave_ml import ExperimentMetadata, track_experiment
from specweave_ml.documents.sync import sync
from specweave_ml.errors import SpecweaveError
from specweave_ml.github.request import look_at, make_request
from specweave_ml.living_docs.markers import read_marker
from specweave_ml.project import find_increment
from specweave_ml.redact import redact_text
from tracked import wait_for_the_capture

ROOT = Path(__file__).parents[2]
HARMLESS = "plain words"
# Everything that Unicode calls ignorable by default, controls, and what renders as nothing (U+2800 and three more).
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00016fe4\U0001bca0-\U0001bca3"
    "\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
HARMLESS_TAGS = {"<code>", "</code>", "<br />", "<span>", "</span>"}
BOTH_FORMS = ("list", "compare", "why", "show attempt", "show HOSTILE", "diff baseline HOSTILE")
COMMANDS = (
    *BOTH_FORMS,
    *(f"{command} --json" for command in BOTH_FORMS),
    "export",
    "export --json",
    "sync-docs update --dry-run",
    "create-issue Retrain --dry-run --json",
)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


def make(project: Path, text: str) -> str:
    """Track, fail and decide with this text in every field; returns the name of the experiment that carries most."""
    git(project, "init", "--quiet")
    git(project, "remote", "add", "origin", "https://github.com/example/models.git")
    increment = project / INCREMENT
    first = text.strip().splitlines()[0]
    spec = f"---\ntitle: {json.dumps(text)}\n---\n# {first}\n\n## Success Criteria\n\n- accuracy > 0.7\n- {first}\n"
    (increment / "spec.md").write_bytes(spec.encode("utf-8", "surrogatepass"))
    with track_experiment("baseline", tags=["baseline"]) as exp:
        exp.log_metric("accuracy", 0.6, n=100)
        exp.log_metric("training_time", 1.0)
    about = ExperimentMetadata(name=f"z {text}", description=text, tags=[text], data_version=text, author=text)
    with track_experiment(about) as exp:
        exp.log_params({text: text, "depth": text, "nested": {text: [text]}})
        exp.log_metric(text, 0.5)
        exp.log_metric("accuracy", 0.8, n=100)
        exp.log_metric("training_time", 2.0)
        exp.log_dataset(text, [1, 2, 3], version=text)
        exp.log_note(text)
        exp.save_artifact("words.txt", text.encode("utf-8", "replace").decode())
    exp.save_report("report.md")
    with contextlib.suppress(RuntimeError), track_experiment("attempt", tags=[text]) as failed:
        failed.log_note(text)
        with contextlib.suppress(SpecweaveError):  # most of these are no names of files, which is said and ends there
            failed.save_artifact(f"{text}.txt", "words")
        raise RuntimeError(text)
    wait_for_the_capture()
    typed = text.encode("utf-8", "replace").decode()  # YAML has no word for half a character
    decided = {"selected": exp.name, "by": typed, "date": typed, "because": typed, "retrain_when": [typed]}
    front = yaml.safe_dump(decided, allow_unicode=False)
    (increment / "experiments" / "decision.md").write_text(f"---\n{front}---\n{HARMLESS}\n")
    return str(exp.name)


def documents(project: Path) -> dict[str, str]:
    """What was generated, by a path that does not depend on the text."""
    peoples = {"spec.md", "decision.md"}
    found = [path for path in (project / ".specweave").rglob("*.md") if path.is_file() and path.name not in peoples]
    return {_place(path.relative_to(project)): path.read_bytes().decode() for path in sorted(found)}


def _place(path: Path) -> str:
    return re.sub(r"(adr/[0-9]+|experiments/(?!comparison|baseline|attempt)|-decision-1)[^/]*", r"\1", path.as_posix())


def shape(markdown: str) -> list[Any]:
    """What a document is made of, without its words: markers, blocks, and of inline parts all that is more than text."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    quoted = {line for token in tokens if token.type == "fence" for line in range(*token.map)}
    lines = [line for number, line in enumerate(markdown.split("\n")) if number not in quoted]
    markers = [marker.id.partition("-decision")[0] for marker in map(read_marker, lines) if marker]
    return [markers, *_parts(tokens)]


def _parts(tokens: list[Any]) -> Iterator[Any]:
    for token in tokens:
        if token.type == "html_inline":
            assert token.content in HARMLESS_TAGS, token.content
        elif token.type == "html_block":
            yield token.type, token.content.partition(" ")[0]
        elif token.type not in {"text", "text_special"}:
            yield token.type, token.tag
            yield from _parts(token.children or [])


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The shapes that the harmless text gives."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("twin")
        (root / INCREMENT).mkdir(parents=True)
        patch.chdir(root)
        make(root, HARMLESS)
        yield _shapes_after_a_sync(root)


def _shapes_after_a_sync(root: Path) -> dict[str, Any]:
    sync()
    issue = make_request(look_at(find_increment()), "Retrain", ["retraining"], datetime(2026, 1, 1, tzinfo=UTC))
    assert issue.title == "Retrain"
    return {place: shape(text) for place, text in documents(root).items()} | {"issue": shape(issue.body())}


@pytest.mark.parametrize("text", INJECTIONS, ids=range(len(INJECTIONS)))
def test_whatever_is_recorded_nothing_changes_but_words(
    project: Path, twin: dict[str, Any], run: CommandLine, text: str
) -> None:
    name = make(project, text)
    _shown_by_commands(run, name, text)
    assert _shapes_after_a_sync(project) == twin
    for place, written in documents(project).items():
        assert not INVISIBLE.search(written), place
    for picture in project.rglob("*.svg"):
        assert not INVISIBLE.search(picture.read_text())
        assert "script" not in {element.tag.rpartition("}")[2] for element in ET.parse(picture).iter()}  # noqa: S314 - our own
    _told_by_the_hook(project)
    assert not list(project.parent.rglob("CANARY*"))


def _shown_by_commands(run: CommandLine, name: str, text: str) -> None:
    for words in COMMANDS:
        command = [name if word == "HOSTILE" else word for word in words.split()]
        said = run(*command)
        assert not INVISIBLE.search(said.out + said.err), command
        if "--json" in command:
            json.loads(said.out)
        elif command != ["export"]:  # in CSV a cell of many lines is quoted
            assert not re.search(r"^SECOND(?![-\w])", said.out + said.err, re.MULTILINE), command
    for line in run("export", "--format", "jsonl").out.splitlines():
        assert not INVISIBLE.search(line)
        json.loads(line)
    shown = json.loads(run("show", name, "--full", "--json").out)["experiment"]
    assert shown["description"] == redact_text(text)


def _told_by_the_hook(project: Path) -> None:
    command = [sys.executable, "-I", "-S", str(ROOT / "hooks" / "session_start.py")]
    said = subprocess.run(command, cwd=project, capture_output=True, check=True, timeout=10).stdout.decode()
    assert re.fullmatch(r"Increment 0042: 3 experiments, [\w .,:;+=@%/()…–?-]{1,200}\n", said)
