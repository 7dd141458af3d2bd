"""Whatever was recorded is text in every document: compiled as MDX, read as GFM, and rendered in a real browser.

Every hostile text stands in every field of an experiment, of a decision and of a spec.md, and from there in every
document and picture. One process of Node.js compiles them all, one start of Chromium renders them all.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from hostile_names import CONTROL, LONG, OPTIONS_AND_SHELL, UNICODE
from hostile_texts import HOSTILE
from injections import INJECTIONS
from npm import absent, npm_package
from records import experiment
from specweave_ml.documents.examined import Examined
from specweave_ml.documents.wanted import wanted_documents
from specweave_ml.escape import alt, block, cell, code, comment, inline
from specweave_ml.living_docs.document import renew_document
from specweave_ml.project import Increment
from specweave_ml.record import Experiment
from specweave_ml.reports import Comparison, experiment_html, experiment_report
from specweave_ml.store.decision import Decision

TESTS = Path(__file__).parents[1]
TEXTS = tuple(dict.fromkeys((*HOSTILE, *INJECTIONS, *CONTROL, *LONG, *OPTIONS_AND_SHELL, *UNICODE)))
TOGETHER = 16  # texts in one increment

CONTEXTS: dict[str, Callable[[str], str]] = {
    "cell": lambda text: f"| a | b |\n|---|---|\n| {cell(text)} | z |",
    "inline": lambda text: f"- {inline(text)}",
    "sentence": lambda text: f"Said: {inline(text)}.",
    "code": lambda text: f"Name {code(text)}: so",
    "block": block,
    "alt": lambda text: f"![{alt(text)}](_pictures/a.svg)",
    "comment": lambda text: f"<!-- specweave: {comment(text)} -->",
}

# Tag → attributes that documents have; a browser puts <tbody> into a table, and a <div> is ours in notebooks alone.
MARKDOWN = {
    **dict.fromkeys("h1 h2 h3 p ul li strong br hr pre table thead tbody tr th td span".split(), ()),
    "code": ("class",),
    "a": ("href",),
    "img": ("src", "alt"),
}
NOTEBOOK = dict.fromkeys("div p strong table thead tbody tr th td".split(), ())
PICTURE = {
    "svg": ("xmlns", "width", "height", "viewBox", "role"),
    **dict.fromkeys("title desc style".split(), ()),
    **dict.fromkeys(
        "g path rect text tspan".split(), "class d x y dx dy width height rx fill stroke transform".split()
    ),
}
SCANNED = r"(^|[^\w])@\w|(^|[^\w])#\d|\w#\d|GH-\d|:\/\/|www\.|[^\s@]@[\w-]+\.\w|:\w+:"

CONTROL_SECTION = ("markdown", "control", "<p onclick=x><i></i><a href='javascript:x'>@a</a></p>")

JSX = {("mdxJsxTextElement", name, 0) for name in ("code", "br", "span")}
MARKER = re.compile(r"/\* specweave:(begin v1 [\w-]+ sha256=[0-9a-f]{16}|end v1 [\w-]+|comparison v1 [^<>{}]*) \*/")


def recorded(text: str, number: int, *, failed: bool) -> Experiment:
    """An experiment in which a text stands wherever one can."""
    said = {
        "name": f"{'failed' if failed else 'exp'}-{number} {text}",
        "description": text,
        "params": {text or "?": text, "depth": number, "data_version": text},
        "tags": [text],
        "notes": [text, f"{text}\n{text}"],
        "artifacts": {f"shap{text}": {"bytes": 1}},
        "code": {"commit": text, "branch": text, "remote": text, "dirty": True},
        "command": {"argv": ["python", text], "cwd": text, "env": {"SEED": text}},
        "environment": {"python": text, "os": text, "machine": text, "packages": {"file": text, "count": 1}},
        "data": [{"name": text, "version": text, "uri": text, "digest": text}],
        "capture": {"missing": [{"what": text, "why": text, "mend": text}]},
        "metrics": {"accuracy": 0.5 + number / 100, text or "?": 0.5},
        "seconds": number + 1,
    }
    return experiment(**said, **({"status": "failed", "error": {"type": text, "message": text}} if failed else {}))


def examined(texts: tuple[str, ...]) -> Examined:
    found = [recorded(text, number, failed=failed) for failed in (False, True) for number, text in enumerate(texts)]
    first, *_, last = texts
    decision = Decision(
        selected=found[len(texts) - 1].name, by=last, date=last, because=last, retrain_when=texts, baseline=first
    )
    name = f"0042-{first}"
    comparison = Comparison.of(found, name, decision, spec="\n".join(f"- {text} Accuracy > 0.4" for text in texts))
    path = f"/nowhere/.specweave/increments/{name.replace('/', '_')}"
    return Examined(Increment("/nowhere", name, path), comparison, [])


def chunks() -> Iterator[tuple[int, tuple[str, ...]]]:
    for start in range(0, len(TEXTS), TOGETHER):
        yield start, TEXTS[start : start + TOGETHER]


@pytest.fixture(scope="module")
def made() -> list[Examined]:
    return [examined(texts) for _, texts in chunks()]


def documents(made: list[Examined], style: str) -> dict[str, str]:
    """Every Markdown document of every increment, and each way to escape with every text."""
    pages: dict[str, str] = {}
    for number, each in enumerate(made):
        for document in wanted_documents("/nowhere", [each]):
            written = renew_document(None, replace(document, style=style), {})
            pages[f"{number} {document.path.rpartition('/')[2]}"] = written.data.decode()
        pages[f"{number} comparison.md"] = each.comparison.to_markdown()
        for one in each.comparison.unfinished:
            pages[f"{number} report of {one.name}"] = experiment_report(one)
    for name, context in CONTEXTS.items():
        pages[f"escape.{name}"] = "\n\n".join(f"{context(text)}\n\nnext" for text in TEXTS)
    return pages


def as_docusaurus_reads(text: str) -> str:
    """HTML comments as MDX ones: what it does with `.md` before it compiles."""
    return re.sub(r"<!--(.*?)-->", r"{/*\1*/}", text, flags=re.DOTALL)


def test_there_are_enough_of_them() -> None:
    assert len(TEXTS) >= 300
    assert len(CONTEXTS) >= 6


def test_everything_compiles_as_mdx_and_holds_no_node_of_the_data(made: list[Examined], tmp_path: Path) -> None:
    mdx, gfm = npm_package("@mdx-js/mdx", "3.1.1"), npm_package("remark-gfm", "4.0.1")
    pages = documents(made, "mdx")
    for name in pages:
        if name.endswith(("comparison.md", "escape.comment")):
            pages[name] = as_docusaurus_reads(pages[name])
    control = {"control": "<Canary a={b} /> {canary()} https://example.org\n\nexport const a = 1"}
    (tmp_path / "pages.json").write_text(json.dumps({**pages, **control}))
    command = ["node", *map(str, (TESTS / "mdx_nodes.mjs", mdx, gfm, tmp_path / "pages.json"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    said = json.loads(done.stdout)
    kinds = [node[0] for node in said.pop("control")["nodes"]]
    assert kinds == ["mdxJsxTextElement", "mdxTextExpression", "link", "mdxjsEsm"], "a node that is there is seen"
    assert {name: each["error"] for name, each in said.items() if "error" in each} == {}
    assert said.keys() == pages.keys()
    for name, each in said.items():
        strange = [node for node in each["nodes"] if not is_ours(node)]
        assert strange == [], name


def is_ours(node: list[Any]) -> bool:
    kind, *about = node
    if kind == "mdxFlowExpression":
        return MARKER.fullmatch(about[0]) is not None or about[0].startswith("/* specweave: ")
    if kind == "link":
        return re.fullmatch(r"[\w./%+=~-]+\.(?:md|txt)", about[0]) is not None
    if kind == "image":
        return re.fullmatch(r"[\w./%+=~-]*_pictures/[\w-]+\.svg", about[0]) is not None
    return tuple(node) in JSX


def test_a_template_in_a_text_is_never_run() -> None:
    texts = ("{{7*7}}", "{% for x in y %}", "{# gone #}", "{{ self }}", "{%- raw -%}")
    pages = documents([examined(texts)], "html")
    for name, page in pages.items():
        if not name.startswith(("escape", "0 report")):
            shown = html.unescape(re.sub(r"<!--.*?-->|<[^>]*>", "", page))
            assert [text for text in texts if text not in shown] == [], name


def test_nothing_is_active_in_a_browser(made: list[Examined], tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        absent("documents are rendered in Chromium, which is not here")
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    sections = [("markdown", name, parser.render(text)) for name, text in documents(made, "html").items()]
    for number, each in enumerate(made):
        comparison = each.comparison
        sections.append(("notebook", f"{number} comparison", comparison._repr_html_()))
        sections += [("notebook", f"{number} {one.name}", experiment_html(one)) for one in comparison.unfinished]
        sections += [("picture", f"{number} {name}", one.svg) for name, one in comparison.pictures.items()]
    assert {kind for kind, *_ in sections} == {"markdown", "notebook", "picture"}

    report = rendered(chromium, [CONTROL_SECTION, *sections], tmp_path)
    assert report["sections"] == [str(at) for at in range(len(sections) + 1)], "every document ends where it should"
    seen = [found for found in report["found"] if found.startswith("0: ")]
    assert seen == ['0: onclick="x"', "0: <i>", '0: href="javascript:x"', '0: "@a" in "@a"'], "what is there is seen"
    assert [found for found in report["found"] if found not in seen] == [], [name for _, name, _ in sections]
    assert report["ran"] == 1, "the page's own script ran, and no other"


def rendered(chromium: str, sections: list[tuple[str, str, str]], folder: Path) -> dict[str, Any]:
    """What a page says of itself that holds all of them."""
    given = {"markdown": MARKDOWN, "notebook": NOTEBOOK, "picture": PICTURE}
    body = "\n".join(
        f'<section data-kind="{kind}" data-name="{at}">{text}</section>' for at, (kind, _, text) in enumerate(sections)
    )
    page = folder / "page.html"
    page.write_text(
        '<!doctype html><meta charset="utf-8"><pre id="report"></pre>\n'
        f"<script>let ran = 0; const canary = () => {{ ran += 1 }}; const scanned = /{SCANNED}/i;\n"
        f"const allowed = {json.dumps(given)}</script>\n"
        "<aside><img src=x onerror=canary()></aside>\n"
        f"<script>{(TESTS / 'active_nodes.js').read_text()}</script>\n<main>{body}</main>\n",
        encoding="utf-8",
        errors="replace",
    )
    off = "gpu background-networking component-update sync".split()
    command = [chromium, "--headless", "--no-sandbox", "--no-first-run", *(f"--disable-{each}" for each in off)]
    command += [f"--user-data-dir={folder / 'profile'}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=180, check=True)
    dumped = done.stdout.decode(errors="replace")
    found = re.search(r'<pre id="report">(.*?)</pre>', dumped, re.DOTALL)
    assert found, dumped[-2000:]
    report: dict[str, Any] = json.loads(html.unescape(found[1]))
    return report
