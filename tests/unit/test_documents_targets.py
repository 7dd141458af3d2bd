"""Which documents a project has, its settings, and its own templates."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from document_cases import documents_of, examined_of
from specweave_ml.documents.targets import SETTINGS, Targets, find_targets
from specweave_ml.documents.wording import OVERRIDES, Wording
from specweave_ml.errors import Refused, StoreError, UsageError

INTERNAL = ".specweave/docs/internal"


@pytest.fixture
def root(project: Path) -> Path:
    return project


def say(root: Path, text: str) -> Targets:
    (root / SETTINGS).write_text(text)
    return find_targets(str(root))


def put(root: Path, path: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("# Ours\n")


def test_the_usual_places(root):
    assert find_targets(str(root)) == Targets(
        models=f"{INTERNAL}/architecture/ml-models.md",
        experiments=None,
        runbook=f"{INTERNAL}/runbooks/model-training.md",
        records=f"{INTERNAL}/architecture/adr",
        record_names=None,
        digest=True,
        markers=None,
    )


def test_what_the_project_has_already_is_used(root):
    put(root, f"{INTERNAL}/operations/runbook-model-training.md")
    put(root, f"{INTERNAL}/architecture/ml-experiments.md")
    found = find_targets(str(root))
    assert found.runbook == f"{INTERNAL}/operations/runbook-model-training.md"
    assert found.experiments == f"{INTERNAL}/architecture/ml-experiments.md"
    put(root, f"{INTERNAL}/runbooks/model-training.md")
    assert find_targets(str(root)).runbook == f"{INTERNAL}/runbooks/model-training.md"


@pytest.mark.parametrize(
    "text", ["", "\n", "# nothing\ngithub: {label: retraining}\n", "documents:\n", "documents: ~\n"]
)
def test_settings_that_say_nothing_of_documents(root, text):
    assert say(root, text) == Targets()


def test_settings(root):
    found = say(
        root,
        "documents:\n  models: docs/./models.mdx # here\n  experiments: docs/tried.md\n  runbook: none\n"
        "  records: 'docs/adr/'\n  record_names: date\n  digest: off\n  markers: mdx\nother: 1\n",
    )
    assert found == Targets("docs/models.mdx", "docs/tried.md", None, "docs/adr", "date", digest=False, markers="mdx")


@pytest.mark.parametrize(
    ("text", "setting", "expected"),
    [
        ("documents: {model: x.md}", "documents.model", "one of models"),
        ("documents: {models: ../x.md}", "documents.models", "inside the project"),
        ("documents: {models: /etc/x.md}", "documents.models", "inside the project"),
        ("documents: {models: a/../../x.md}", "documents.models", "inside the project"),
        ("documents: {models: [x.md]}", "documents.models", "plain text"),
        ("documents: {markers: xml}", "documents.markers", "html or mdx"),
        ("documents: {record_names: title}", "documents.record_names", "number or date"),
        ("documents: {digest: reports/x.md}", "documents.digest", "none"),
        ("documents: [models]", "documents", "keys"),
    ],
)
def test_a_mistake_in_the_settings_is_named(root, text, setting, expected):
    with pytest.raises(UsageError) as error:
        say(root, text)
    assert f"the setting {setting} is not understood" in error.value.what
    assert expected in error.value.expected
    assert error.value.path == SETTINGS


def test_damaged_settings_name_the_file(root):
    with pytest.raises(StoreError, match="not YAML") as error:
        say(root, "documents: [")
    assert error.value.path == SETTINGS


def own_template(root: Path, name: str, text: str | bytes) -> None:
    path = root / OVERRIDES / f"{name}.j2"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def test_a_template_of_the_projects_own_takes_the_place_of_ours(root):
    own_template(root, "ml-models.md", '{{ heading | inline }}\n{% include "living/ml-models.md.j2" %}\nOur footer.\n')
    own_template(root, "model-training-title.md", "# How We Train")
    models, runbook, *_ = documents_of(examined_of("seed", root=str(root)))
    assert models.regions[0].body.startswith("Recommendation Model (Increment 0042)\n### Experiments Conducted: 7\n")
    assert models.regions[0].body.endswith("\nOur footer.\n")
    assert runbook.preamble == "# How We Train\n"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("{% if %}", 1, "Expected an expression"),
        ("a\n{{ nope }}", 2, "'nope' is undefined"),
        ("a\n\n{{ increment }}", 3, "no escape made safe"),
        ("{% include 'gone.j2' %}", 1, "there is no template gone.j2"),
        ("\n{{ increment | no }}", 2, "No filter named 'no'"),
        ("{{ increment.__class__.__mro__ | inline }}", 1, "unsafe"),
        ("{{ ''.__init__.__globals__ }}", 1, "unsafe"),
        ("{% set x = conducted.items.append(1) %}", 1, "append"),
        ("{{ 1 / 0 }}", 1, "division by zero"),
        ("\n{{ model.nothing | inline }}", 2, "nothing"),
    ],
)
def test_a_mistake_in_it_names_file_and_line(root, text, line, what):
    own_template(root, "adr.md", text)
    with pytest.raises(Refused) as refused:
        documents_of(examined_of("seed", root=str(root)))
    assert refused.value.path == f"{OVERRIDES}/adr.md.j2:{line}"
    assert what in refused.value.what
    assert "nothing was written" in refused.value.what


def test_one_that_is_no_text(root):
    own_template(root, "adr.md", b"\xff")
    with pytest.raises(Refused) as refused:
        documents_of(examined_of("seed", root=str(root)))
    assert refused.value.path == OVERRIDES


def test_a_mistake_in_ours_is_no_mistake_of_the_project(root):
    own_template(root, "heading.md", "fine")
    with pytest.raises(UndefinedError):
        Wording(str(root)).render("adr.md")
