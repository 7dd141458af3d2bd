"""The rules of this repository that no linter knows, held by reading its files as text.

Each test lists every place that breaks its rule as `file:line: what`, so one run shows all there is to mend.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THIS = Path(__file__).relative_to(ROOT)

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60

SOURCE = re.compile(r"^src/.*\.py$")
SHIPPED_TEXT = re.compile(r"^(SKILL\.md|(commands|hooks|plugins|references|scripts|templates)/.*\.(j2|json|md|py))$")

MACHINE_PATHS = re.compile(r"(?<![\w/.~-])/(?:work|root|opt|tmp)/")
REGISTRY_HOSTS = re.compile(r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|deb\.debian\.org", re.IGNORECASE)
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK|NotImplementedError)\b")
# Scanners of skills flag these words in prose as well as in code.
ALARMING = re.compile(r"\beval\(|\bexec\(|\bsudo\b|\brm -rf\b|\.\./\.\.|\bcurl\b.*https?:")
# A `!` block runs before anybody has read it, and arguments are pasted into it as text.
ARGUMENTS_IN_COMMAND = re.compile(r"!`[^`]*\$(?:ARGUMENTS|\d)")
SHAPELESS_MODULE = re.compile(r"(?:^|/)(?:utils?|helpers?|common|misc|manager|base)\.py$")
# SpecWeave's hooks act on these names at any depth below an increment.
SPECWEAVE_TRAP = re.compile(r"experiments/(?:.*/)?(?:metadata\.json|spec\.md|tasks\.md)$")


@cache
def files() -> tuple[Path, ...]:
    """Every file of the repository: tracked, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = {Path(name) for name in listed.stdout.decode().split("\0") if name}
    return tuple(sorted(name for name in names if (ROOT / name).is_file() and name != THIS))


def matching(pattern: re.Pattern[str]) -> list[Path]:
    return [name for name in files() if pattern.search(name.as_posix())]


def places(wanted: re.Pattern[str], names: list[Path] | tuple[Path, ...]) -> list[str]:
    """Where the text stands, as `file:line: text`. Binary files are passed over."""
    found = []
    for name in names:
        content = (ROOT / name).read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode(errors="replace").splitlines(), start=1):
            found += [f"{name}:{number}: {hit[0]}" for hit in wanted.finditer(line)]
    return found


def functions(name: Path) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for node in ast.walk(ast.parse((ROOT / name).read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            described = (ast.get_docstring(node, clean=False) or "").count("\n")  # read apart from what is done
            yield node, (node.end_lineno or node.lineno) - node.lineno + 1 - described


def test_the_repository_is_read() -> None:
    assert ROOT / "pyproject.toml" in {ROOT / name for name in files()}
    assert matching(SOURCE)
    assert matching(SHIPPED_TEXT)


@pytest.mark.parametrize(
    ("pattern", "caught", "passed"),
    [
        (MACHINE_PATHS, "see /work/main/x", "see framework/main and ~/work/x"),
        (REGISTRY_HOSTS, "https://pypi.org/simple", "from PyPI"),
        (UNFINISHED, "raise NotImplementedError", "todos = []"),
        (ALARMING, "then sudo make", "pseudo code"),
        (ALARMING, "see ../../x", "see ../x"),
        (ALARMING, "curl -s https://example.com", "curled"),
        (ARGUMENTS_IN_COMMAND, "!`specweave-ml list $ARGUMENTS`", "Run `specweave-ml list $ARGUMENTS`"),
        (SHAPELESS_MODULE, "src/specweave_ml/utils.py", "src/specweave_ml/based.py"),
        (SPECWEAVE_TRAP, "tests/golden/experiments/a/metadata.json", "increments/0042-x/metadata.json"),
    ],
)
def test_each_rule_catches_what_it_is_for(pattern: re.Pattern[str], caught: str, passed: str) -> None:
    assert pattern.search(caught)
    assert not pattern.search(passed)


def test_no_path_of_somebodys_machine() -> None:
    assert not places(MACHINE_PATHS, files())


def test_no_registry_host() -> None:
    assert not places(REGISTRY_HOSTS, files())


def test_nothing_unfinished_in_the_source() -> None:
    assert not places(UNFINISHED, matching(SOURCE))


def test_shipped_text_alarms_no_scanner() -> None:
    assert not places(ALARMING, matching(SHIPPED_TEXT))


def test_no_argument_is_pasted_into_a_command() -> None:
    assert not places(ARGUMENTS_IN_COMMAND, matching(SHIPPED_TEXT))


def test_module_names_say_what_lives_there() -> None:
    assert not [name.as_posix() for name in matching(SHAPELESS_MODULE)]


def test_no_file_name_that_specweave_acts_on() -> None:
    assert not [name.as_posix() for name in matching(SPECWEAVE_TRAP)]


def test_modules_are_read_in_one_sitting() -> None:
    lengths = {name: (ROOT / name).read_text().count("\n") for name in matching(SOURCE)}
    assert not [f"{name}: {lines} lines" for name, lines in lengths.items() if lines > LONGEST_MODULE]


def test_functions_fit_a_screen() -> None:
    assert not [
        f"{name}:{function.lineno}: {function.name} has {lines} lines"
        for name in matching(SOURCE)
        for function, lines in functions(name)
        if lines > LONGEST_FUNCTION
    ]
