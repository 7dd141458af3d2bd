"""The public names: one table, loaded lazily, and a helpful line for every name that is not in it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import specweave
import specweave_ml
from specweave_ml import elsewhere

PUBLIC = [(home, name) for home, names in specweave_ml._HOMES.items() for name in names]

# Each costs a training script milliseconds; none is needed to start an experiment.
SLOW = {"dataclasses", "typing", "pathlib", "inspect", "logging", "subprocess", "tempfile", "shutil", "random"} | {
    "importlib.metadata",
    "secrets",
    "platform",
    "datetime",
    "traceback",
}


def imports_for_type_checkers() -> list[tuple[str, str]]:
    """What the TYPE_CHECKING block of the package imports, as (home, name)."""
    tree = ast.parse(Path(specweave_ml.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    return [
        (statement.module.removeprefix("specweave_ml").removeprefix("."), alias.name)
        for statement in block.body
        if isinstance(statement, ast.ImportFrom) and statement.module
        for alias in statement.names
    ]


def loaded_by(code: str) -> set[str]:
    """The modules that a statement loads in a fresh interpreter, over those of its start."""
    program = f"import sys; before = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def third_party(modules: set[str]) -> set[str]:
    ours = {"specweave", "specweave_ml"}
    return {module for module in modules if module.partition(".")[0] not in sys.stdlib_module_names | ours}


def test_the_three_lists_of_names_are_one() -> None:
    assert specweave_ml.__all__ == sorted(specweave_ml.__all__)
    assert sorted(name for _, name in PUBLIC) == specweave_ml.__all__
    assert sorted(imports_for_type_checkers()) == sorted(PUBLIC)
    assert specweave.__all__ == specweave_ml.__all__


@pytest.mark.parametrize(("home", "name"), PUBLIC)
def test_every_name_comes_from_its_home(home: str, name: str) -> None:
    module = import_module(f"specweave_ml.{home or name}")
    expected = getattr(module, name) if home else module
    assert getattr(specweave, name) is expected
    assert getattr(specweave_ml, name) is expected
    assert expected.__doc__


def test_every_error_is_public() -> None:
    errors = import_module("specweave_ml.errors")
    tree = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert tree == set(specweave_ml._HOMES["errors"])


def test_star_import_and_dir_know_every_name() -> None:
    namespace: dict[str, object] = {}
    exec("from specweave import *", namespace)  # noqa: S102 - a star import cannot stand in a function
    assert set(specweave.__all__) <= namespace.keys()
    assert set(specweave.__all__) <= set(dir(specweave))


def test_importing_the_alias_loads_nothing_else() -> None:
    loaded = loaded_by("import specweave")
    assert {module for module in loaded if module.startswith("specweave")} == {"specweave", "specweave_ml"}
    assert not third_party(loaded)
    assert not loaded & SLOW


def test_track_experiment_loads_no_third_party_and_nothing_slow() -> None:
    loaded = loaded_by("from specweave import track_experiment")
    assert not third_party(loaded)
    assert not loaded & SLOW


def test_a_handle_knows_where_its_texts_are_made() -> None:
    for target in specweave_ml._TEXTS_OF_A_HANDLE.values():
        home, _, function = target.partition(":")
        assert callable(getattr(import_module(home), function))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ModelEvaluator", "belongs to model-evaluator and is not part of this skill"),
        ("explain_model", "exp.save_artifact"),
        ("trackexperiment", "did you mean track_experiment?"),
        ("experimentmetadata", "did you mean ExperimentMetadata?"),
        ("zzz", "is not part of this skill, experiment tracking; its main call is track_experiment(name)"),
    ],
)
@pytest.mark.parametrize("package", ["specweave", "specweave_ml"])
def test_any_other_name_says_in_one_line_what_is_near(package: str, name: str, said: str) -> None:
    with pytest.raises(ImportError) as on_import:
        exec(f"from {package} import {name}")  # noqa: S102 - the name is a parameter
    with pytest.raises(AttributeError) as on_access:
        getattr(import_module(package), name)
    assert said in str(on_import.value)
    assert str(on_access.value) == str(on_import.value)
    assert "\n" not in str(on_import.value)


def test_absent_names_are_absent_and_submodules_are_found() -> None:
    assert not hasattr(specweave, "ModelRegistry")
    assert not hasattr(specweave, "__wrapped__")
    namespace: dict[str, object] = {}
    exec("from specweave_ml import errors", namespace)  # noqa: S102 - the import statement is what is tested
    assert namespace["errors"] is import_module("specweave_ml.errors")


def test_no_name_of_ours_is_said_to_be_elsewhere() -> None:
    others = " ".join(names for _, names in elsewhere._OTHER_SKILLS.values()).split()
    assert not set(specweave_ml.__all__) & {*others}
    assert len({*others}) == len(others)


def test_what_is_said_to_be_near_exists() -> None:
    said = [near for near, _ in elsewhere._OTHER_SKILLS.values()]
    handle = import_module("specweave_ml.tracking")
    for near in said:
        for call in json.dumps(near).split():
            name = call.lstrip('"').partition("(")[0]
            if "(" in call and name.startswith("exp."):
                assert any(hasattr(value, name[4:]) for value in vars(handle).values()), near
            elif "(" in call:
                assert name in specweave_ml.__all__, near
