from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hostile_names import HOSTILE_NAMES, RESERVED
from specweave_ml.errors import NotFound, Refused, SpecweaveError, UsageError
from specweave_ml.project import (
    SET_ASIDE,
    _increment,
    _is_inside,
    _taken_apart,
    find_increment,
    find_root,
    folder_name,
    increments_in_question,
    list_increments,
)

MODEL = "0042-recommendation-model"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A project of four increments and an archived one, in which we stand."""
    monkeypatch.delenv("SPECWEAVE_INCREMENT", raising=False)
    project = tmp_path / "project"
    for name in ("0007-search", "0041-ranking", MODEL, "0042E-imported", "_archive/0001-first"):
        (project / ".specweave" / "increments" / name).mkdir(parents=True)
    monkeypatch.chdir(project)
    return project


def make_increment(root: Path, name: str, status: str | None = None) -> Path:
    folder = root / ".specweave" / "increments" / name
    folder.mkdir(parents=True, exist_ok=True)
    if status is not None:
        (folder / "metadata.json").write_text(json.dumps({"id": name, "status": status}))
    return folder


def write_state(root: Path, text: str) -> None:
    folder = root / ".specweave" / "state"
    folder.mkdir(exist_ok=True)
    (folder / "active-increment.json").write_text(text)


# find_root


def test_the_nearest_folder_with_specweave_is_the_root(root):
    inner = root / "services" / "model"
    (inner / ".specweave").mkdir(parents=True)
    (inner / "src").mkdir()
    assert find_root() == str(root)
    assert find_root(str(inner / "src")) == str(inner)
    assert find_root(str(root / "services")) == str(root)


def test_a_file_called_specweave_is_no_project(root):
    folder = root / "notes"
    folder.mkdir()
    (folder / ".specweave").write_text("")
    assert find_root(str(folder)) == str(root)


def test_outside_a_project_the_error_says_how_to_make_one(tmp_path):
    with pytest.raises(NotFound) as caught:
        find_root(str(tmp_path))
    assert caught.value.next_step == "specweave-ml init"
    assert caught.value.path == str(tmp_path)


def test_a_current_folder_that_was_deleted_is_said(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(NotFound, match="does not exist any more"):
        find_root()


# naming an increment


@pytest.mark.parametrize(
    "word",
    [
        "0042",
        "42",
        "000042",
        "0042...",
        "0042…",
        MODEL,
        "0042-rec",
        "0042-recommendation...",
        "42-rec",
        ".specweave/increments/0042...",
        ".specweave/increments/0042.../experiments",
        ".specweave/increments/0042.../tensorboard/",
        f"./.specweave/increments/{MODEL}/",
        Path(".specweave/increments") / MODEL,
    ],
)
def test_every_spelling_of_an_increment(root, word):
    increment = find_increment(word)
    assert increment.name == MODEL
    assert increment.id == "0042"
    assert increment.root == str(root)
    assert increment.path == str(root / ".specweave" / "increments" / MODEL)
    assert increment.experiments == increment.path + "/experiments"
    assert not increment.archived


def test_an_absolute_path_inside_the_project_names_its_increment(root):
    assert find_increment(str(root / ".specweave" / "increments" / MODEL / "experiments")).name == MODEL


@pytest.mark.parametrize("word", ["0042E", "42e", "0042E-imported", "0042E..."])
def test_the_suffix_letter_is_part_of_the_number(root, word):
    increment = find_increment(word)
    assert (increment.name, increment.id) == ("0042E-imported", "0042E")


@pytest.mark.parametrize("folder", SET_ASIDE)
@pytest.mark.parametrize("word", ["0009", "9", "0009-old", ".specweave/increments/0009...", "{folder}/0009-old"])
def test_archived_increments_are_found_when_named(root, folder, word):
    make_increment(root, f"{folder}/0009-old")
    increment = find_increment(word.format(folder=folder))
    assert increment.archived
    assert increment.path == str(root / ".specweave" / "increments" / folder / "0009-old")
    assert repr(increment) == "<Increment 0009-old (archived)>"


def test_a_live_increment_goes_before_an_archived_one_of_the_same_number(root):
    make_increment(root, "_archive/0042-recommendation-old")
    assert find_increment("0042").name == MODEL
    assert find_increment("_archive/0042").name == "0042-recommendation-old"


@pytest.mark.parametrize("word", ["0042", "42", "0042-recommendation"])
def test_several_matches_are_an_error_that_lists_them(root, word):
    make_increment(root, "0042-recommendation-rewrite")
    with pytest.raises(NotFound, match="several") as caught:
        find_increment(word)
    assert MODEL in caught.value.expected
    assert "0042-recommendation-rewrite" in caught.value.expected


def test_the_same_archived_increment_in_two_places_is_no_guess(root):
    make_increment(root, "_paused/0001-first")
    with pytest.raises(NotFound, match="several") as caught:
        find_increment("0001")
    assert caught.value.expected == "one of: _archive/0001-first, _paused/0001-first"


def test_a_full_name_wins_over_names_that_start_with_it(root):
    make_increment(root, MODEL + "-two")
    assert find_increment(MODEL).name == MODEL
    assert find_increment("42-recommendation-model").name == MODEL


@pytest.mark.parametrize(
    ("word", "close"),
    [
        ("0043", MODEL),
        ("0042-recomendation", MODEL),
        ("recommendation-model", MODEL),
        ("0042-Recommendation-Model", MODEL),
        ("serach", "0007-search"),
        ("frist", "0001-first"),
    ],
)
def test_an_unknown_name_gets_close_matches(root, word, close):
    with pytest.raises(NotFound, match="no such increment") as caught:
        find_increment(word)
    assert close in caught.value.expected


def test_a_number_is_not_the_start_of_another_number(root):
    with pytest.raises(NotFound):
        find_increment("004")


def test_a_file_is_no_increment(root):
    (root / ".specweave" / "increments" / "0050-notes").write_text("")
    with pytest.raises(NotFound):
        find_increment("0050")


@pytest.mark.parametrize("word", [42, b"0042", ["0042"], True])
def test_an_increment_is_named_by_a_string(root, word):
    with pytest.raises(UsageError):
        find_increment(word)


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_a_hostile_name_is_a_typed_error_and_touches_nothing_outside(root, name, touched_paths):
    outside = root.parent / "outside"
    outside.mkdir()
    with touched_paths() as paths, pytest.raises(SpecweaveError):
        find_increment(name)
    increments = str(root / ".specweave" / "increments")
    assert all(path.startswith(increments) for path in paths)
    assert sorted(path.name for path in root.parent.iterdir()) == ["outside", "project"]


class _Audit:
    """The paths opened or listed while it is entered. An audit hook cannot be removed, so there is one for all."""

    def __init__(self) -> None:
        self.paths: list[str] | None = None
        sys.addaudithook(self._note)

    def _note(self, event: str, args: tuple[object, ...]) -> None:
        is_own_code = event == "open" and str(args[0]).endswith((".py", ".pyc", ".so"))
        if self.paths is not None and event in {"open", "os.listdir", "os.scandir"} and not is_own_code:
            self.paths.append(os.fsdecode(args[0]) if isinstance(args[0], str | bytes) else "")

    def __call__(self) -> _Audit:
        return self

    def __enter__(self) -> list[str]:
        self.paths = []
        return self.paths

    def __exit__(self, *_: object) -> None:
        self.paths = None


@pytest.fixture(scope="module")
def touched_paths():
    import difflib  # noqa: F401 - so that its import is not counted

    return _Audit()


# links


def test_an_increment_that_is_a_link_out_of_the_project_is_refused(root, tmp_path):
    outside = tmp_path / "elsewhere" / "0099-x"
    outside.mkdir(parents=True)
    link = root / ".specweave" / "increments" / "0099-x"
    link.symlink_to(outside)
    with pytest.raises(Refused, match="outside the project"):
        find_increment("0099")
    with pytest.raises(Refused):
        find_increment(start=str(link))
    assert "0099-x" not in [increment.name for increment in list_increments(str(root))]


def test_an_increments_folder_that_is_a_link_out_of_the_project_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv("SPECWEAVE_INCREMENT", raising=False)
    (tmp_path / "elsewhere" / "0001-x").mkdir(parents=True)
    (tmp_path / "project" / ".specweave").mkdir(parents=True)
    (tmp_path / "project" / ".specweave" / "increments").symlink_to(tmp_path / "elsewhere")
    project = str(tmp_path / "project")
    for call in (lambda: find_increment("0001", project), lambda: find_increment(start=project)):
        with pytest.raises(Refused):
            call()
    with pytest.raises(Refused):
        list_increments(project)


def test_a_link_that_stays_in_the_project_is_followed(root):
    (root / "models" / "0099-x").mkdir(parents=True)
    (root / ".specweave" / "increments" / "0099-x").symlink_to(root / "models" / "0099-x")
    assert find_increment("0099").name == "0099-x"


def test_a_project_at_the_top_of_the_file_system_holds_its_own(root):
    increment = _increment("/", "", MODEL)
    assert increment.path == f"/.specweave/increments/{MODEL}"
    assert _is_inside("/", increment.path)
    assert _taken_apart(increment.path, "/")[1] == MODEL
    assert _is_inside("/", str(root))


def test_a_project_reached_through_a_link_is_a_project(root, tmp_path):
    (tmp_path / "alias").symlink_to(root)
    assert find_increment("0042", str(tmp_path / "alias")).root == str(tmp_path / "alias")


# when nothing is named


def test_the_variable_goes_before_everything_but_the_argument(root, monkeypatch):
    write_state(root, '{"ids": ["0041-ranking"]}')
    monkeypatch.setenv("SPECWEAVE_INCREMENT", "0007")
    assert find_increment().name == "0007-search"
    assert find_increment("0042").name == MODEL
    assert find_increment(start=str(root / ".specweave" / "increments" / MODEL)).name == "0007-search"


def test_an_unknown_increment_in_the_variable_names_the_variable(root, monkeypatch):
    monkeypatch.setenv("SPECWEAVE_INCREMENT", "0043")
    with pytest.raises(NotFound, match="SPECWEAVE_INCREMENT"):
        find_increment()


def test_an_empty_variable_says_nothing(root, monkeypatch):
    monkeypatch.setenv("SPECWEAVE_INCREMENT", "")
    write_state(root, '{"ids": ["0041-ranking"]}')
    assert find_increment().name == "0041-ranking"


@pytest.mark.parametrize("below", ["", "experiments/xgboost-v1"])
@pytest.mark.parametrize("name", [MODEL, "_archive/0001-first"])
def test_the_increment_we_stand_in_goes_before_the_active_one(root, monkeypatch, name, below):
    write_state(root, '{"ids": ["0041-ranking"]}')
    here = root / ".specweave" / "increments" / name / below
    here.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(here)
    assert find_increment().path.endswith(name)
    assert find_increment().archived is name.startswith("_archive")


def test_standing_in_a_folder_of_increments_that_is_none_says_nothing(root, monkeypatch):
    write_state(root, '{"ids": ["0041-ranking"]}')
    for name in ("notes", "_archive"):
        folder = root / ".specweave" / "increments" / name
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        assert find_increment().name == "0041-ranking"


@pytest.mark.parametrize(
    "state",
    [
        f'{{"ids": ["{MODEL}"]}}',
        f'{{"id": "{MODEL}"}}',
        '{"ids": ["0042"]}',
        f'\ufeff{{"ids": ["{MODEL}", "0999-deleted", "0001-first"]}}',
        f'{{"ids": ["{MODEL}", 7, null, "../../outside", "{MODEL}"]}}',
    ],
)
def test_the_active_increment_of_the_state_file(root, state):
    make_increment(root, "0041-ranking", "active")
    write_state(root, state)
    assert find_increment().name == MODEL


@pytest.mark.parametrize(
    "state", ["", "{", "[]", "null", '{"ids": "0042"}', '{"ids": []}', '{"id": 42}', "[" * 100_000]
)
def test_a_damaged_state_file_counts_as_absent(root, state):
    make_increment(root, "0041-ranking", "active")
    write_state(root, state)
    assert find_increment().name == "0041-ranking"


def test_a_state_file_in_no_encoding_counts_as_absent(root):
    make_increment(root, "0041-ranking", "active")
    write_state(root, "")
    (root / ".specweave" / "state" / "active-increment.json").write_bytes(b"\xff\xfe\x00")
    assert find_increment().name == "0041-ranking"


@pytest.mark.parametrize("status", ["active", "in-progress"])
def test_the_one_increment_whose_metadata_says_active(root, status):
    make_increment(root, "0007-search", "completed")
    make_increment(root, "0041-ranking", status)
    make_increment(root, "_archive/0001-first", "active")
    assert find_increment().name == "0041-ranking"


@pytest.mark.parametrize("line", ["status: active", 'status: "in-progress"', "status:   'active'   # since May"])
def test_front_matter_speaks_where_there_is_no_metadata(root, line):
    spec = make_increment(root, "0041-ranking") / "spec.md"
    spec.write_text(f"---\nincrement: 0041-ranking\n{line}\n---\n\n# Ranking\n")
    (make_increment(root, "0007-search", "completed") / "spec.md").write_text("---\nstatus: active\n---\n")
    (make_increment(root, MODEL) / "spec.md").write_text("# No front matter\n\nstatus: active\n")
    assert find_increment().name == "0041-ranking"


@pytest.mark.parametrize("status", ["Active", "in_progress", "In Progress", " active "])
def test_a_status_is_read_however_it_is_spelled(root, status):
    make_increment(root, "0041-ranking", status)
    spec = make_increment(root, "0007-search") / "spec.md"
    spec.write_bytes(b"\xef\xbb\xbf---\r\nstatus: Closed\r\n---\r\n")
    assert find_increment().name == "0041-ranking"


def test_front_matter_speaks_where_the_metadata_says_no_status(root):
    (make_increment(root, "0041-ranking") / "metadata.json").write_text('{"id": "0041-ranking", "status": null}')
    (root / ".specweave/increments/0041-ranking/spec.md").write_text("---\nstatus: active\n---\n")
    assert find_increment().name == "0041-ranking"


@pytest.mark.parametrize("ended", ["completed", "closed", "abandoned", "Done"])
def test_a_state_file_that_was_not_kept_up_does_not_lead_to_what_has_ended(root, ended):
    make_increment(root, "0007-search", ended)
    make_increment(root, "0041-ranking", "active")
    write_state(root, '{"ids": ["0007-search"]}')
    assert find_increment().name == "0041-ranking"
    write_state(root, '{"id": "0007-search", "ids": null}')
    assert find_increment().name == "0041-ranking"


def test_the_one_that_waits_for_review_is_meant_where_none_is_active(root):
    make_increment(root, "0007-search", "completed")
    make_increment(root, "0041-ranking", "ready_for_review")
    write_state(root, '{"ids": []}')
    assert find_increment().name == "0041-ranking"
    make_increment(root, MODEL, "active")
    assert find_increment().name == MODEL


@pytest.mark.parametrize("name", ["metadata.json", "spec.md"])
def test_pipes_and_folders_in_the_place_of_specweaves_files_hold_nobody_up(root, name):
    os.mkfifo(make_increment(root, "0007-search") / name)
    (make_increment(root, "0041-ranking") / name).mkdir()
    (root / ".specweave/state").mkdir()
    os.mkfifo(root / ".specweave/state/active-increment.json")
    make_increment(root, MODEL, "active")
    assert find_increment().name == MODEL


def test_metadata_beyond_all_measure_says_nothing(root):
    (make_increment(root, "0007-search") / "metadata.json").write_text('{"status": "active"' + " " * (2 << 20) + "}")
    make_increment(root, MODEL, "active")
    assert find_increment().name == MODEL


def names_in_question(root):
    return [increment.name for increment in increments_in_question(str(root))]


def test_the_increments_that_may_be_about_to_be_closed(root):
    assert names_in_question(root) == []
    make_increment(root, "0007-search", "active")
    make_increment(root, MODEL, "in-progress")
    assert names_in_question(root) == ["0007-search", MODEL]
    write_state(root, f'{{"ids": ["{MODEL}"]}}')
    assert names_in_question(root) == [MODEL]
    make_increment(root, "0041-ranking", "ready_for_review")
    make_increment(root, "0042E-imported", "ready-for-review")
    assert names_in_question(root) == ["0041-ranking", "0042E-imported"]
    assert names_in_question(root / ".specweave/increments/0007-search") == ["0007-search"]


def test_between_two_there_is_no_guess(root):
    make_increment(root, "0007-search", "active")
    make_increment(root, "0041-ranking", "active")
    with pytest.raises(NotFound, match="not clear") as caught:
        find_increment()
    assert caught.value.expected == "one of: 0007-search, 0041-ranking"
    assert "SPECWEAVE_INCREMENT" in caught.value.next_step


def test_two_in_the_state_file_are_settled_by_their_own_status_or_not_at_all(root):
    write_state(root, '{"ids": ["0007-search", "0041-ranking"]}')
    with pytest.raises(NotFound) as caught:
        find_increment()
    assert caught.value.expected == "one of: 0007-search, 0041-ranking"
    make_increment(root, "0041-ranking", "active")
    assert find_increment().name == "0041-ranking"


def test_without_any_hint_all_are_listed_up_to_ten(root):
    for number in range(100, 120):
        make_increment(root, f"{number:04d}-more")
    with pytest.raises(NotFound) as caught:
        find_increment()
    assert caught.value.expected.startswith("one of: 0007-search, 0041-ranking, ")
    assert caught.value.expected.endswith("and 14 more")


@pytest.mark.parametrize("status", [None, "planning", "completed"])
def test_the_only_increment_of_a_project_cannot_be_confused(tmp_path, monkeypatch, status):
    monkeypatch.delenv("SPECWEAVE_INCREMENT", raising=False)
    make_increment(tmp_path, "0001-only", status)
    make_increment(tmp_path, "_archive/0000-old")
    assert find_increment(start=str(tmp_path)).name == "0001-only"


@pytest.mark.parametrize("folders", [[".specweave"], [".specweave/increments/_archive/0001-x"]])
def test_a_project_without_a_live_increment_says_so(tmp_path, monkeypatch, folders):
    monkeypatch.delenv("SPECWEAVE_INCREMENT", raising=False)
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(NotFound, match="no increment"):
        find_increment(start=str(tmp_path))


# list_increments


def test_increments_are_listed_by_number_the_archived_ones_last(root):
    make_increment(root, "10000-late")
    make_increment(root, "_backlog/0003-idea")
    (root / ".specweave" / "increments" / "README.md").write_text("")
    (root / ".specweave" / "increments" / "notes").mkdir()
    assert [(each.name, each.archived) for each in list_increments(str(root))] == [
        ("0007-search", False),
        ("0041-ranking", False),
        (MODEL, False),
        ("0042E-imported", False),
        ("10000-late", False),
        ("0001-first", True),
        ("0003-idea", True),
    ]


# folder_name


@pytest.mark.parametrize(
    "name",
    ["baseline", "xgboost-tuned-depth6-lr0.1", "exp-001", "v1.0+cu121", "lr=0.1", "A" * 100, "x", "conrad", "nul1"],
)
def test_a_legal_name_is_kept(name):
    assert folder_name(name) == name


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("XGBoost, depth 6", "XGBoost-depth-6-"),
        ("../../etc/passwd", "etc-passwd-"),
        ("-x", "x-"),
        (".hidden", "hidden-"),
        ("_archive", "archive-"),
        ("comparison.md", "comparison.md-"),
        ("Decision.md", "Decision.md-"),
        ("CON", "CON-"),
        ("nul.txt", "nul-txt-"),
        ("a.", "a-"),
        ("modèle", "modele-"),
        ("日本語", "experiment-"),
        ("a\x00b", "a-b-"),
        ("A" * 101, "A" * 91 + "-"),
    ],
)
def test_any_other_name_gets_a_slug_and_a_hash(name, start):
    folder = folder_name(name)
    assert folder.startswith(start)
    assert len(folder) == len(start) + 8
    assert folder != folder_name(name + "!")


@pytest.mark.parametrize("name", ["", " ", "\t\n", "\u3000", None, 7, b"x", ["x"], Path("x")])
def test_a_name_must_be_there(name):
    with pytest.raises(UsageError, match="needs a name"):
        folder_name(name)


def assert_is_safe(folder: str) -> None:
    assert folder.isascii()
    assert 0 < len(folder) <= 100
    assert not set(folder) & set('/\\:*?"<>|\x00\n ')
    assert folder[0].isalnum()
    assert not folder.endswith(".")
    assert folder.partition(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt1"}
    assert folder.lower() not in {"comparison.md", "decision.md", "retraining-issues.yaml", "metadata.json", "spec.md"}
    assert folder_name(folder) == folder


@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if name.strip()], ids=ascii)
def test_a_hostile_name_gives_a_safe_folder(name):
    assert_is_safe(folder_name(name))


names = st.text(min_size=1).filter(lambda name: name.strip())
nearly_legal = st.text("aZ09._+=-/ \\é", min_size=1, max_size=120).filter(lambda name: name.strip())


@given(names | nearly_legal | st.sampled_from(RESERVED).map(lambda name: name + "x"))
@example("com1.")
@example("nul." + "." * 120)
@example("a" * 90 + "." * 20)
@example("é" * 100)
def test_every_name_gives_a_safe_folder_and_its_folder_gives_itself(name):
    assert_is_safe(folder_name(name))


@given(names)
def test_both_spellings_of_an_accent_are_one_name(name):
    assert folder_name(unicodedata.normalize("NFC", name)) == folder_name(unicodedata.normalize("NFD", name))


@given(names, names)
def test_different_names_have_different_folders(one, other):
    if unicodedata.normalize("NFC", one) != unicodedata.normalize("NFC", other):
        assert folder_name(one) != folder_name(other)


# the fast path


def test_it_imports_nothing_slow():
    slow = "dataclasses typing pathlib inspect logging subprocess tempfile shutil random secrets platform datetime"
    code = (
        "import sys; before = set(sys.modules); from specweave_ml import project;"
        f"print(sorted((set(sys.modules) - before) & set({slow!r}.split())))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"
