"""ExperimentPipeline: stages, what they depend on, and the graph of them."""

# ruff: noqa: PT012 - a stage that fails has done something before

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pandas
import pytest

from command_line import CommandLine
from specweave import ExperimentPipeline, load_experiment, load_experiments
from specweave_ml.errors import Refused, UsageError

pytestmark = pytest.mark.usefixtures("_tracked")

SEED = """
from specweave import ExperimentPipeline

pipeline = ExperimentPipeline("recommendation-full-pipeline")

# Stage 1: Data preprocessing
with pipeline.stage("preprocessing") as stage:
    stage.log_metric("rows_before", len(df))
    df_clean = preprocess(df)
    stage.log_metric("rows_after", len(df_clean))

# Stage 2: Feature engineering
with pipeline.stage("features") as stage:
    features = engineer_features(df_clean)
    stage.log_metric("num_features", features.shape[1])

# Stage 3: Model training
with pipeline.stage("training") as stage:
    model = train_model(features)
    stage.log_metric("accuracy", accuracy)

# Logs entire pipeline with stage dependencies
"""


def stages(name: str = "p") -> dict[str, dict[str, Any]]:
    return {stage["name"]: stage for stage in load_experiment(name).stages}


def statuses(name: str = "p") -> dict[str, str]:
    return {stage: row["status"] for stage, row in stages(name).items()}


def test_the_seeds_snippet() -> None:
    names: dict[str, Any] = {
        "df": pandas.DataFrame({"a": [1, 2, None], "b": [3, 4, 5]}),
        "preprocess": lambda df: df.dropna(),
        "engineer_features": lambda df: df.assign(c=df.a * df.b),
        "train_model": lambda features: object(),
        "accuracy": 0.9,
    }
    exec(compile(SEED, "seed", "exec"), names)  # noqa: S102 - the seed's words are to be run
    assert load_experiment("recommendation-full-pipeline").status == "running"
    names["pipeline"].finish()
    found = load_experiment("recommendation-full-pipeline")
    assert found.status == "finished"
    assert found.metrics == {"rows_before": 3, "rows_after": 2, "num_features": 3, "accuracy": 0.9}
    assert [(each["name"], each["status"], each.get("after")) for each in found.stages] == [
        ("preprocessing", "finished", None),
        ("features", "finished", ["preprocessing"]),
        ("training", "finished", ["features"]),
    ]
    assert found.stages[0]["metrics"] == {"rows_before": 3, "rows_after": 2}
    assert all(each["seconds"] >= 0 and each["started"].endswith("Z") for each in found.stages)


def test_a_script_that_never_finishes_it_and_one_that_fails(project: Path) -> None:
    code = "from specweave import ExperimentPipeline\np = ExperimentPipeline({!r}, stages=['a', 'b', 'c'])\n{}"
    fine = "with p.stage('a') as s: s.log_metric('auc', 0.5)\n"
    bad = fine + "with p.stage('b'): raise MemoryError('too small')\nwith p.stage('c'): pass\n"
    for name, body, expected in (("fine", fine, 0), ("bad", bad, 1)):
        done = subprocess.run(
            [sys.executable, "-c", code.format(name, body)], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == expected, done.stderr
    assert (load_experiment("fine").status, statuses("fine")) == (
        "finished",
        {"a": "finished", "b": "planned", "c": "planned"},
    )
    failed = load_experiment("bad")
    assert (failed.status, failed.error["type"]) == ("failed", "MemoryError")
    assert statuses("bad") == {"a": "finished", "b": "failed", "c": "skipped"}
    assert stages("bad")["b"]["error"] == {"type": "MemoryError", "message": "too small"}
    assert (project / ".specweave/increments/0042-recommendation-model/experiments/comparison.md").is_file()


def test_what_a_stage_keeps() -> None:
    with ExperimentPipeline("p", increment="0042", tags=["nightly"]) as pipeline:
        with pipeline.stage("one") as stage:
            stage.log_param("k", 3)
            stage.log_params({"lr": 0.1, "token": "hf_0123456789abcdefghijklmnopqrstuvwxyz"})
            stage.log_metric("loss", 0.5, step=0)
            stage.log_metrics({"loss": 0.25, "auc": 0.9}, step=1, n=10)
            stage.save_artifact("a.json", {"x": 1})
            stage.save_model({"any": "model"}, "m.pkl")
            stage.log_note("went well")
        with pipeline.stage("two") as stage:
            stage.log_param("k", 4)
            stage.log_metric("auc", 0.95)
        pipeline.log_note("said to the experiment")
    found = load_experiment("p")
    assert found.params == {"k": 3, "lr": 0.1, "token": "[redacted]", "two.k": 4}
    assert found.metrics == {"loss": 0.25, "auc": 0.95}
    assert [point.value for point in found.history("auc")] == [0.9, 0.95]
    assert (found.tags, found.notes) == (("nightly",), ("went well", "said to the experiment"))
    one, two = found.stages
    assert one["params"] == {"k": 3, "lr": 0.1, "token": "[redacted]"}
    assert (one["metrics"], one["artifacts"]) == ({"loss": 0.25, "auc": 0.9}, ["a.json", "m.pkl"])
    assert (two["params"], two["metrics"]) == ({"k": 4}, {"auc": 0.95})


def test_a_failure_skips_what_needs_it_and_nothing_else() -> None:
    pipeline = ExperimentPipeline("p")
    with pipeline.stage("clean"):
        pass
    with pytest.raises(ZeroDivisionError), pipeline.stage("features"):
        1 / 0  # noqa: B018
    with pytest.raises(Refused, match="'training' is skipped: it needs 'features', which failed"):
        pipeline.stage("training")
    with pytest.raises(Refused, match="it needs 'training', which was skipped too"):
        pipeline.stage("report", after=["clean", "training"])
    with pipeline.stage("baseline", after="clean"):
        pass
    with pipeline.stage("alone", after=[]):
        pass
    pipeline.finish()
    assert statuses() == {
        "clean": "finished",
        "features": "failed",
        "training": "skipped",
        "report": "skipped",
        "baseline": "finished",
        "alone": "finished",
    }
    assert "after" not in stages()["alone"]
    assert load_experiment("p").status == "failed"


def test_a_stage_that_is_tried_again() -> None:
    with ExperimentPipeline("p", stages=["load", "train"]) as pipeline:
        with pytest.raises(OSError, match="away"), pipeline.stage("load") as stage:
            stage.log_metric("tries", 1)
            raise OSError("away")
        assert statuses() == {"load": "failed", "train": "skipped"}
        with pipeline.stage("load"):
            pass
        with pipeline.stage("train"):
            pass
    assert statuses() == {"load": "finished", "train": "finished"}
    assert not stages()["load"].keys() & {"error", "metrics"}
    assert load_experiment("p").status == "finished"


def test_ctrl_c_and_sys_exit() -> None:
    with pytest.raises(KeyboardInterrupt), ExperimentPipeline("p") as pipeline:
        with pytest.raises(SystemExit), pipeline.stage("leaves"):
            sys.exit(0)
        with pipeline.stage("interrupted"):
            raise KeyboardInterrupt
    assert statuses() == {"leaves": "finished", "interrupted": "killed"}
    assert load_experiment("p").status == "killed"


def test_stages_of_a_graph_that_is_declared() -> None:
    graph = {"a": None, "b": "a", "c": ["a"], "d": ["b", "c"]}
    with ExperimentPipeline("p", stages=graph) as pipeline:
        for name in ("a", "c", "b", "d"):
            with pipeline.stage(name):
                pass
    assert [(each["name"], each.get("after")) for each in load_experiment("p").stages] == [
        ("a", None),
        ("b", ["a"]),
        ("c", ["a"]),
        ("d", ["b", "c"]),
    ]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"a": "b", "b": "a"}, "a → b → a|b → a → b"),
        ({"a": "a"}, "a → a"),
        ({"a": "featurs", "features": None}, "did you mean 'features'"),
        (["a", "b", "a"], "two stages have one name"),
        (["a", ""], "stages are named"),
        ([1, 2], "stages are named"),
        (5, "stages are named"),
    ],
)
def test_a_graph_that_cannot_be_meant_starts_nothing(declared: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ExperimentPipeline("p", stages=declared)
    assert load_experiments() == []


def test_stages_that_cannot_be_meant() -> None:
    with ExperimentPipeline("p", stages=["a", "b"]) as pipeline:
        for after, said in (("zzz", "no such stage"), ("b", "which has not finished"), ("c", "c → c"), (5, "named")):
            with pytest.raises(UsageError, match=said):
                pipeline.stage("c", after=after)
        with pytest.raises(UsageError, match=r"a → b → a|b → a → b"):
            pipeline.stage("a", after="b")
        with pytest.raises(UsageError, match="needs a name"):
            pipeline.stage("")
        with pipeline.stage("a"), pytest.raises(UsageError, match="begun already"):
            pipeline.stage("a")
        with pytest.raises(UsageError, match="begun already"):
            pipeline.stage("a")
        with pipeline.stage("b"):
            pass
    assert statuses() == {"a": "finished", "b": "finished"}


def test_stages_at_the_same_time() -> None:
    names = [f"part-{number}" for number in range(6)]
    with ExperimentPipeline("p", stages={"load": None, **dict.fromkeys(names, "load"), "join": names}) as pipeline:
        with pipeline.stage("load"):
            pass

        def work(name: str) -> None:
            with pipeline.stage(name) as stage:
                stage.log_param("name", name)
                stage.log_metric("size", len(name))

        threads = [threading.Thread(target=work, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with pipeline.stage("join"):
            pass
    assert set(statuses().values()) == {"finished"}
    assert {row["params"]["name"] for name, row in stages().items() if name in names} == set(names)


def hostile() -> ExperimentPipeline:
    pipeline = ExperimentPipeline("p", stages=['end"]; click A "x" `b` <b>#quot;\n--> B|c|', "later"])
    with pytest.raises(ValueError, match=r"%%\{init\}%%"), pipeline.stage(next(iter(pipeline._needs))) as stage:
        stage.log_metric("rows|<x>", 3)
        raise ValueError("%%{init}%% | ```")
    pipeline.save_report("report.md")
    pipeline.finish()
    return pipeline


def test_the_graph_in_the_report() -> None:
    with ExperimentPipeline("p", stages={"a": None, "b": "a", "c": "a", "d": ["b", "c"]}) as pipeline:
        with pipeline.stage("a"):
            pass
        with pytest.raises(ValueError, match="x"), pipeline.stage("b") as stage:
            stage.log_metric("auc", 0.9123456789)
            raise ValueError("x")
        pipeline.save_report("report.md")
    text = (pipeline.experiment.path / "report.md").read_text()
    graph = re.search(r"```mermaid\n(.*?)```", text, re.DOTALL)[1]
    lines = [re.sub(r"(finished|failed), [^\"]+", r"\1, …", line.strip()) for line in graph.splitlines()]
    assert lines[:9] == [
        "flowchart LR",
        's0["a<br/>finished, …"]:::finished',
        's1["b<br/>failed, …"]:::failed',
        's2["c<br/>planned"]:::planned',
        's3["d<br/>skipped"]:::skipped',
        "s0 --> s1",
        "s0 --> s2",
        "s1 --> s3",
        "s2 --> s3",
    ]
    assert re.search(r"\| b +\| failed +\| \S+ +\| auc 0\.912346, ValueError: x +\|", text)


def test_a_label_cannot_become_a_graph(project: Path) -> None:
    pipeline = hostile()
    text = (pipeline.experiment.path / "report.md").read_text()
    graph = re.search(r"```mermaid\n(.*?)\n```", text, re.DOTALL)[1].splitlines()
    assert re.fullmatch(r' {4}s0\["[\w .,:+=%/()#;-]+<br/>failed, \S+"\]:::failed', graph[1])
    assert "click A" in graph[1]
    assert len(graph) == 1 + 2 + 1 + 7


def test_show_says_the_stages(capsys: pytest.CaptureFixture[str]) -> None:
    hostile()
    done = CommandLine(capsys)("show", "p")
    assert re.search(r"^Stage +State +Took +After +Said$", done.out, re.MULTILINE)
    assert re.search(r"^later +skipped", done.out, re.MULTILINE)


def test_a_stage_whose_process_is_gone_is_not_said_to_run(capsys: pytest.CaptureFixture[str]) -> None:
    code = "import os\nfrom specweave import ExperimentPipeline\nwith ExperimentPipeline('p').stage('a'): os._exit(9)"
    subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert load_experiment("p").status == "stale"
    assert "not finished" in CommandLine(capsys)("show", "p").out


def test_a_long_pipeline_is_drawn_downwards() -> None:
    with ExperimentPipeline("p", stages=[f"stage {number}" for number in range(8)]) as pipeline:
        pipeline.save_report("report.md")
    assert "flowchart TD" in (pipeline.experiment.path / "report.md").read_text()
