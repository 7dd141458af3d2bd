"""Metrics that a program left in a file, or printed."""

from __future__ import annotations

import pytest

from specweave_ml.errors import UsageError
from specweave_ml.reproduction.metrics_file import read_lines, read_metrics

FILES = {
    "flat.json": ('{"auc": 0.87, "name": "x", "ok": true, "list": [1]}', [(None, {"auc": 0.87})]),
    "nested.json": ('{"test": {"auc": 0.87, "deep": {"f1": 1}}}', [(None, {"test.auc": 0.87, "test.deep.f1": 1.0})]),
    "steps.json": ('[{"epoch": 1, "loss": 2}, {"epoch": 2, "loss": 1}]', [(1.0, {"loss": 2.0}), (2.0, {"loss": 1.0})]),
    "nan.json": ('{"loss": NaN, "bad": "inf"}', None),
    "flat.yaml": ("auc: 0.87\ntest: {f1: 0.5}\nday: 2024-01-01\n", [(None, {"auc": 0.87, "test.f1": 0.5})]),
    "log.csv": ("step,loss,note\n0,2.5,a\n1,,b\n", [(0.0, {"loss": 2.5}), (1.0, {})]),
    "bom.csv": ("\ufeffloss\n1\n", [(None, {"loss": 1.0})]),
    "out.txt": (
        "epoch=3 loss=1e-3, auc=.5\nnothing here\nacc = 0.9\n",
        [(3.0, {"loss": 0.001, "auc": 0.5}), (None, {"acc": 0.9})],
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_every_kind(tmp_path, name):
    text, expected = FILES[name]
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = read_metrics(str(tmp_path / name))
    if expected is None:
        assert [list(values) for _, values in found] == [["loss", "bad"]]
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "{"),
        ("a.json", "3"),
        ("a.json", "[" * 100_000),
        ("a.yaml", "a: ]"),
        ("a.yaml", "!!python/name:os.system"),
        ("a.yaml", "- 1"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match="cannot be read") as caught:
        read_metrics(str(tmp_path / name))
    assert caught.value.path == str(tmp_path / name)


@pytest.mark.parametrize("line", ["x=1.0.0", "lr=0.1e", "path=/a/b", "a==1", "when=12:30", "v=1.2rc1", "=3"])
def test_what_is_no_metric(line):
    assert [values for _, values in read_lines(line) if values] == []
