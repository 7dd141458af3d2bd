"""`instrument` on scripts: which lines it puts in, what it leaves alone, and what it says."""

from __future__ import annotations

import ast
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_line import CommandLine, snapshot
from instrumented import GOLDEN
from specweave_ml import NotFound, Refused, instrument
from specweave_ml.instrument.source import Insertion, insert, lines_of

SCRIPTS = sorted(str(path.relative_to(GOLDEN)) for kind in ("scripts", "odd") for path in (GOLDEN / kind).iterdir())
SCRIPTS = [path for path in SCRIPTS if path.endswith((".py", ".ipynb"))] + ["scripts/churn/train.py"]
REFUSALS = dict(line.split(": ", 1) for line in (GOLDEN / "refused.txt").read_text().splitlines())

TRAINING = """\
from sklearn.datasets import load_iris
from sklearn.svm import SVC
X, y = load_iris(return_X_y=True)
model = SVC(C=2.0)
model.fit(X, y)
score = model.score(X, y)
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


def put(project: Path, text: str | bytes, name: str = "train.py") -> Path:
    path = project / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def added(project: Path, text: str) -> list[str]:
    """The lines that are put into a script."""
    put(project, text)
    change = instrument.plan("train.py")
    return [line[1:] for line in change.diff.splitlines() if line.startswith("+") and not line.startswith("+++")]


def said(change: instrument.Instrumentation) -> str:
    """A change as the golden files keep it."""
    records = [f"records {each}" for each in change.records]
    left_out = [f"left out line {each.line}: {each.what}: {each.why}" for each in change.left_out]
    return "\n".join([change.diff, *records, *left_out, ""])


# The golden scripts


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_change_to_a_script(project: Path, script: str) -> None:
    path = script.split("/", 1)[1]
    (project / path).parent.mkdir(exist_ok=True)
    shutil.copy(GOLDEN / script, project / path)
    change = instrument.plan(path, "0042")
    assert said(change) == (GOLDEN / "diffs" / f"{path.replace('/', '-')}.diff").read_text()
    instrument.apply(change)
    assert (project / path).read_bytes() == change.after
    again = instrument.plan(path, "0042")
    assert not again.is_changed
    assert again.diff == ""


@pytest.mark.parametrize("script", sorted(REFUSALS))
def test_a_script_that_is_not_understood_is_left_alone_with_the_reason(
    project: Path, run: CommandLine, script: str
) -> None:
    shutil.copy(GOLDEN / "refused" / script, project)
    before = snapshot(project)
    done = run("instrument", script, "--apply", "--json", code=5)
    assert done.json["error"] == f"the script is left as it is: {REFUSALS[script]}"
    assert "specweave-ml instrument --help" in done.json["next"]
    assert snapshot(project) == before


def test_every_refused_script_has_its_reason() -> None:
    assert {path.name for path in (GOLDEN / "refused").iterdir()} == set(REFUSALS)


# Bytes


@pytest.mark.parametrize(
    ("head", "encoding", "newline"),
    [
        ("", "utf-8", "\r\n"),
        ("", "utf-8", "\n"),
        ("", "utf-8-sig", "\n"),
        ("# coding: latin-1\n# précis\n", "latin-1", "\r\n"),
        ("#!/usr/bin/env python\n# -*- coding: cp1252 -*-\n# „précis“\n", "cp1252", "\n"),
        ('"""Docs."""\nfrom __future__ import annotations\n', "utf-8", "\r"),
    ],
)
@pytest.mark.parametrize("ends", [True, False])
def test_encoding_line_ends_and_the_last_line_stay(
    project: Path, head: str, encoding: str, newline: str, *, ends: bool
) -> None:
    text = (head + TRAINING).replace("\n", newline)
    old = (text if ends else text.removesuffix(newline)).encode(encoding)
    put(project, old)
    change = instrument.plan("train.py")
    instrument.apply(change)
    new = (project / "train.py").read_bytes()
    assert new.endswith(newline.encode()) == ends
    assert new[:3] == old[:3]
    lines = lines_of(new.decode(encoding))
    assert {line[len(line.rstrip("\r\n")) :] for line in lines} <= {newline, ""}
    assert [line for line in lines if "exp" not in line and "specweave" not in line][:-1] == lines_of(text)[:-1]
    compile(new, "train.py", "exec")


def test_mode_and_links_stay_and_nothing_is_left_behind(project: Path) -> None:
    path = put(project, TRAINING, "real.py")
    path.chmod(0o750)
    (project / "train.py").symlink_to("real.py")
    instrument.apply(instrument.plan("train.py"))
    assert (project / "train.py").is_symlink()
    assert path.stat().st_mode & 0o777 == 0o750
    assert b"track_experiment" in path.read_bytes()
    assert {each.name for each in project.iterdir()} == {".specweave", "real.py", "train.py"}


def test_a_link_out_of_the_project_is_refused(project: Path, tmp_path: Path) -> None:
    put(tmp_path, TRAINING, "outside.py")
    (project / "train.py").symlink_to(tmp_path / "outside.py")
    with pytest.raises(Refused, match="outside of the project"):
        instrument.plan("train.py")
    with pytest.raises(NotFound):
        instrument.plan("nowhere.py")


def test_a_script_that_changed_meanwhile_is_not_overwritten(project: Path) -> None:
    path = put(project, TRAINING)
    change = instrument.plan("train.py")
    path.write_text(TRAINING + "print(score)\n")
    with pytest.raises(Refused, match="changed meanwhile"):
        instrument.apply(change)
    assert path.read_text() == TRAINING + "print(score)\n"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\0\1\2", "not Python text"),
        (b"# coding: nonsense\nx = 1\n", "not Python"),
        ("x = 'é'".encode("latin-1"), "not Python"),
        (b"x = (" * 5_000, "does not parse|cannot be parsed"),
        (b"x = 1\n" * 500_000, "more than 2 MiB"),
        (b"", "no training is found"),
    ],
)
def test_what_is_no_script_is_refused(project: Path, data: bytes, why: str) -> None:
    put(project, data)
    with pytest.raises(Refused, match=why):
        instrument.plan("train.py")


def test_only_scripts_and_notebooks_and_only_files(project: Path) -> None:
    put(project, "x", "train.sh")
    (project / "folder.py").mkdir()
    os.mkfifo(project / "pipe.py")
    for name in ("train.sh", "folder.py", "pipe.py"):
        with pytest.raises(Refused, match=r"neither a \.py|not a file"):
            instrument.plan(name)


TEXTS = st.lists(st.sampled_from(["x = 1", "", "  # é", "\ty", "\x0c", " "]), max_size=6)


@given(pieces=TEXTS, end=st.sampled_from(["\n", "\r\n", "\r"]), is_ended=st.booleans(), data=st.data())
def test_taking_out_what_was_put_in_gives_the_text_again(
    pieces: list[str], end: str, is_ended: bool, data: st.DataObject
) -> None:
    text = end.join(pieces) + (end if is_ended and pieces else "")
    count = max(1, len(lines_of(text)))
    places = st.builds(Insertion, st.integers(1, count), st.booleans(), st.just(("NEW", "\tNEW")))
    new = insert(text, data.draw(st.lists(places, max_size=3)))
    kept = [line for line in lines_of(new) if line.strip() != "NEW"]
    assert "".join(kept).rstrip("\r\n") == text.rstrip("\r\n")


# Which lines


def test_names_that_the_script_uses_are_not_taken(project: Path) -> None:
    lines = added(project, "from math import exp\nfold = experiment = 1\n" + TRAINING + "print(exp(1))\n")
    assert lines[1] == 'tracked = track_experiment("train", increment="0042")'
    assert lines[-1] == 'tracked.log_metric("score", score)'


def test_the_name_of_the_experiment(project: Path) -> None:
    put(project, TRAINING)
    assert b'track_experiment("svm n\\xb02", ' in instrument.plan("train.py", name="svm n°2").after
    assert b"track_experiment('a \"b\"', " in instrument.plan("train.py", name='a "b"').after
    (project / "pkg").mkdir()
    put(project / "pkg", TRAINING, "__main__.py")
    assert instrument.plan("pkg/__main__.py").name == "pkg"


@pytest.mark.parametrize(
    "metric",
    [
        "acc = f1_score(y, model.predict(X), average=None)",
        "acc = f1_score(y, model.predict(X), **options)",
        "acc = mean_squared_error(y, y, multioutput='raw_values')",
        "acc = model.predict(X)",
        "acc = unknown(model)",
        "acc = (model.predict(X) == y).mean()",
        "acc = [1.0]\nacc = model.coef_",
        "acc = other.score(X, y)",
        "acc = 0.5 if unknown else None",
        "def f():\n    if unknown:\n        return 0.5\nacc = f()",
    ],
)
def test_what_may_not_be_one_number_is_left_out(project: Path, metric: str) -> None:
    put(
        project,
        "from sklearn.metrics import f1_score, mean_squared_error\n" + TRAINING + f"{metric}\nprint('acc', acc)\n",
    )
    change = instrument.plan("train.py")
    assert b'"acc"' not in change.after
    assert [each.what for each in change.left_out] == ["acc"]


def test_a_global_that_a_function_may_bind_anew_is_logged_where_it_is_made_alone(project: Path) -> None:
    rest = "acc = score * 2\ndef f():\n    global acc\n    acc = None\nf()\nprint('acc', acc)\n"
    assert [line for line in added(project, TRAINING + rest) if "acc" in line] == [
        'exp.log_metrics({"score": score, "acc": acc})'
    ]


def test_a_number_put_into_a_data_frame_is_a_column(project: Path) -> None:
    put(
        project,
        TRAINING + "frame = unknown()\nframe['acc'] = score\nframe.acc = model.score(X, y)\nprint(frame['acc'])\n",
    )
    assert b"acc" not in instrument.plan("train.py").after.replace(b"frame.acc", b"").replace(b"frame['acc']", b"")


def test_what_may_have_no_length_or_be_no_step_is_not_asked(project: Path) -> None:
    loop = (
        "from sklearn.model_selection import KFold\n"
        "for fold, (train, test) in enumerate(KFold(2).split(X)):\n"
        "    train = X[train]\n"
        "    acc = model.score(X, y)\n"
        "for epoch in range(3):\n"
        "    epoch = str(epoch)\n"
        "    loss = 1 - model.score(X, y)\n"
    )
    lines = added(project, TRAINING + loop)
    assert lines[-2:] == ['    exp.log_fold(fold, {"acc": acc})', '    exp.log_metric("loss", loss)']


@pytest.mark.parametrize(
    "shown",
    [
        "print(f'{acc:.3f}')",
        "print(f'acc {acc:8.2%} of {len(y)}')",
        "print('acc: %.4f (%d)' % (acc, 3))",
        "print('acc {:.2f} {}'.format(acc, 1))",
        "log.info(f'acc={acc:.3f}')",
    ],
)
def test_a_number_format_proves_a_number(project: Path, shown: str) -> None:
    assert 'exp.log_metric("acc", acc)' in added(project, TRAINING + f"acc = unknown(model)\n{shown}\n")


@pytest.mark.parametrize(
    "shown",
    [
        "print(f'{acc}')",
        "print(f'{acc!r:>8}')",
        "print(f'{acc:.3f}' if acc else '-')",
        "acc and print(f'{acc:.3f}')",
        "print(f'{acc:%H:%M:%S.%f}')",
        "print('%s' % acc)",
        "print([f'{acc:.3f}' for acc in X])",
        "log.debug('%.3f', acc)",
    ],
)
def test_anything_else_proves_nothing(project: Path, shown: str) -> None:
    assert not [line for line in added(project, TRAINING + f"acc = unknown(model)\n{shown}\n") if '"acc"' in line]


@pytest.mark.parametrize(
    "block",
    [
        "if X.any():\n    acc = model.score(X, y)\n",
        "for _ in range(3):\n    acc = model.score(X, y)\n",
        "try:\n    acc = model.score(X, y)\nexcept ValueError:\n    pass\n",
        "while True:\n    acc = model.score(X, y)\n    break\n",
        "import contextlib\nwith contextlib.suppress(ValueError):\n    acc = model.score(X, y)\n",
    ],
)
def test_what_may_be_unbound_is_logged_where_it_is_bound(project: Path, block: str) -> None:
    put(project, TRAINING + block + "unrelated = 1\n")
    change = instrument.plan("train.py")
    after = ast.parse(change.after)
    assert not [node for node in after.body if isinstance(node, ast.Expr) and "'acc'" in ast.unparse(node)]
    assert b'    exp.log_metric("acc", acc' in change.after


def test_params_of_an_argument_parser_of_constants_and_of_a_mapping(project: Path) -> None:
    head = "import argparse\nargs, _ = argparse.ArgumentParser().parse_known_args()\nLR = 1e-3\nconfig = {'depth': 3}\n"
    assert added(project, head + TRAINING + "print(args, LR, config)\n")[2:5] == [
        "exp.log_params(vars(args))",
        "exp.log_params(config)",
        'exp.log_params({"lr": LR})',
    ]


def test_a_counter_and_a_key_that_is_no_text_are_no_params(project: Path) -> None:
    lines = added(project, "best = 0\nconfig = {1: 2}\nname = 'x'\n" + TRAINING + "best += 1\nprint(best, config)\n")
    assert "exp.log_params" not in "".join(lines[2:3]) or "get_params" in lines[2]
    assert not [line for line in lines if "best" in line or "config" in line]


def test_a_script_that_records_itself_stays(project: Path, run: CommandLine) -> None:
    put(project, "import specweave_ml as sw\n" + TRAINING)
    before = snapshot(project)
    assert "records itself already" in run("instrument", "train.py", "--apply").out
    assert run("instrument", "train.py", "--apply", "--json").json["action"] == "unchanged"
    assert snapshot(project) == before


def test_functions_that_nobody_calls(project: Path) -> None:
    body = "".join(f"    {line}\n" for line in TRAINING.splitlines()[2:])
    lines = added(
        project, "\n".join(TRAINING.splitlines()[:2]) + f"\n\n\ndef fit_it():\n{body}    return model, score\n"
    )
    assert lines[1] == '    exp = track_experiment("train", increment="0042")'
    assert lines[-1] == '    exp.log_metric("score", score)'


@pytest.mark.parametrize(
    ("head", "told", "line"),
    [
        ("import mlflow", 'mlflow.log_metric("a", score, step=3)', 'exp.log_metric("a", score, step=3)'),
        ("import mlflow", 'mlflow.log_metrics({"a": score}, step=3)', 'exp.log_metrics({"a": score}, step=3)'),
        ("import mlflow", 'mlflow.log_param(key="c", value=2)', 'exp.log_param(name="c", value=2)'),
        ("import mlflow", "mlflow.log_params(model.get_params())", None),
        ("import mlflow", 'mlflow.log_metric("a", compute())', None),
        ("import wandb", 'wandb.log({"a": score, "plot": figure}, step=i)', 'exp.log_metric("a", score, step=i)'),
        ("import wandb", 'run.log({"a": score})', 'exp.log_metric("a", score)'),
        ("import wandb", 'run = wandb.init(config={"c": 2})', None),
        (
            "import torch",
            'writer.add_scalar("loss/train", loss, epoch)',
            'exp.log_metric("loss/train", loss, step=epoch)',
        ),
    ],
)
def test_what_another_tracker_is_told_is_told_to_ours_too(
    project: Path, head: str, told: str, line: str | None
) -> None:
    lines = added(project, f"{head}\n{TRAINING}{told}\n")
    assert [each for each in lines[3:] if each != 'exp.log_metric("score", score)'] == ([] if line is None else [line])


# Notebooks


def notebook(*cells: str, as_text: bool = False) -> dict[str, Any]:
    sources = [cell if as_text else cell.splitlines(keepends=True) for cell in cells]
    made = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in sources]
    return {"nbformat": 4, "cells": made, "metadata": {}}


@pytest.mark.parametrize("style", [{"indent": 1}, {"indent": 4, "ensure_ascii": False}, {"separators": (",", ":")}])
@pytest.mark.parametrize("as_text", [True, False])
def test_the_rest_of_a_notebook_keeps_every_byte(project: Path, style: dict[str, object], *, as_text: bool) -> None:
    *imports, data, model, fit, score = TRAINING.splitlines(keepends=True)
    whole = notebook("".join(imports), f"{data}# é\n{model}", f"%%time\n{fit}", score.rstrip(), as_text=as_text)
    old = json.dumps(whole, **style)
    put(project, old, "train.ipynb")
    change = instrument.plan("train.ipynb")
    new = change.after.decode()
    rest = iter(new)
    assert all(character in rest for character in old), "characters are put in, and none is taken out"
    assert [cell.keys() for cell in json.loads(new)["cells"]] == [cell.keys() for cell in whole["cells"]]
    assert ("é" in new) == ("é" in old)
    cells = ["".join(cell["source"]) for cell in json.loads(new)["cells"]]
    assert cells[2] == (
        '%%time\nexp = track_experiment("train", increment="0042")\nexp.log_params(model.get_params())\n' + fit
    )
    assert cells[3] == 'score = model.score(X, y)\nexp.log_metric("score", score)\nexp.finish()'


def test_what_a_cell_shows_is_still_shown(project: Path) -> None:
    *rest, score = TRAINING.splitlines(keepends=True)
    put(project, json.dumps(notebook("".join(rest), score + "!ls\nscore", "model.score(X, y)")), "train.ipynb")
    cells = ["".join(cell["source"]) for cell in json.loads(instrument.plan("train.ipynb").after)["cells"]]
    assert [cell.splitlines()[-1] for cell in cells] == ["model.fit(X, y)", "score", "model.score(X, y)"]
    assert 'exp.log_metric("score", score)' in cells[1]


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"cells": 1, "metadata": {}}', b"\xff", b"[" * 100_000])
def test_what_is_no_notebook_is_refused(project: Path, data: bytes) -> None:
    put(project, data, "train.ipynb")
    with pytest.raises(Refused, match="not a notebook"):
        instrument.plan("train.ipynb")


# The command


def test_nothing_is_written_until_apply(project: Path, run: CommandLine) -> None:
    put(project, TRAINING)
    before = snapshot(project)
    shown = run("instrument", "train.py")
    assert '+exp = track_experiment("train", increment="0042")\n' in shown.out
    assert shown.last_line == "nothing was written; to write it: specweave-ml instrument train.py --apply"
    run("instrument", "train.py", "--apply", "--dry-run")
    assert snapshot(project) == before
    assert "specweave-ml list" in run("instrument", "train.py", "--apply").out
    assert (project / "train.py").read_text().startswith("from sklearn")


def test_the_document_of_the_command(project: Path, run: CommandLine) -> None:
    put(project, TRAINING + "print('error', unknown(score))\n")
    document = run("instrument", "train.py", "-i", "42", "--name", "svm", "--json").json
    assert document["action"] == "planned"
    assert document["increment"] == "0042-recommendation-model"
    assert document["name"] == "svm"
    assert document["records"] == ["params of model", "metric score"]
    assert [each["line"] for each in document["left_out"]] == [7]
    assert document["diff"].startswith("--- a/train.py\n+++ b/train.py\n")
    assert run("instrument", "train.py", "--apply", "--json").json["action"] == "applied"


def test_an_increment_that_is_not_there(project: Path, run: CommandLine) -> None:
    put(project, TRAINING)
    run("instrument", "train.py", "-i", "0099", code=4)
    run("instrument", "nowhere.py", code=4)


def test_a_script_is_read_and_never_run(project: Path, run: CommandLine) -> None:
    put(project, f"open('ran', 'w')\n{TRAINING}")
    put(project, "open('ran', 'w')\n", "sklearn.py")
    run("instrument", "train.py", "--apply")
    assert not (project / "ran").exists()
