"""Objects of the real libraries, written and read back. Those of libraries that are not installed are skipped."""

from __future__ import annotations

import datetime
import enum
import json
import pickle
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import joblib
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from specweave_ml.artifacts import model_suffix, read_object, write_object
from specweave_ml.artifacts.plain import write_json
from specweave_ml.errors import MissingDependency, NotFound, Refused, StoreError, UsageError

mpl.use("Agg")
from matplotlib import pyplot as plt

SIGNATURES = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml", ".jpg": b"\xff\xd8", ".webp": b"RIFF"}


class Saver:
    """Writes an object the way the store does: under a temporary name that has the same suffix."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.format = ""

    def __call__(self, obj, name):
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        path = folder / f"saved{Path(name).suffix}"
        self.format = write_object(obj, str(path), Path(name).suffix)
        assert list(folder.iterdir()) == [path]
        return path


@pytest.fixture
def save(tmp_path):
    return Saver(tmp_path)


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def model(iris):
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(*iris)


@pytest.fixture
def figure():
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3])
    yield figure
    plt.close("all")


# pictures


@pytest.mark.parametrize("suffix", SIGNATURES)
def test_a_figure_is_drawn_as_its_suffix_says(save, figure, suffix):
    assert save(figure, "plot" + suffix).read_bytes().startswith(SIGNATURES[suffix])
    assert save.format == suffix[1:]


def test_axes_displays_and_pyplot_stand_for_their_figure(save, figure):
    display = ConfusionMatrixDisplay.from_predictions([0, 1, 1], [0, 1, 0])
    for obj in (figure.axes[0], display, plt):
        assert save(obj, "plot.png").read_bytes().startswith(SIGNATURES[".png"])


def test_a_plotly_figure_is_a_page_or_its_json(save):
    graph_objects = pytest.importorskip("plotly.graph_objects")
    figure = graph_objects.Figure(graph_objects.Scatter(y=[1, 2]))
    assert "<html>" in read_object(save(figure, "plot.html"))
    assert read_object(save(figure, "plot.json"))["data"][0]["type"] == "scatter"


# tables


FRAME = pd.DataFrame({"feature": ["age", "größe, cm"], "importance": [0.1 + 0.2, 1e-7], "rank": [1, 2]})


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_table_comes_back_to_the_last_digit(save, suffix):
    pd.testing.assert_frame_equal(read_object(save(FRAME, "t" + suffix)), FRAME)


def test_a_table_as_json_is_a_list_of_records_and_as_html_a_table(save):
    assert read_object(save(FRAME, "t.json"))[0] == {"feature": "age", "importance": 0.3, "rank": 1}
    assert read_object(save(FRAME, "t.html")).count("<tr>") == 2


def test_an_index_that_says_something_is_kept_as_columns(save):
    table = read_object(save(FRAME.set_index("feature"), "t.csv"))
    assert list(table.columns) == ["feature", "importance", "rank"]
    series = pd.Series([0.5, 0.25], index=pd.Index(["age", "size"], name="feature"), name="importance")
    assert save(series, "t.csv").read_text() == "feature,importance\nage,0.5\nsize,0.25\n"
    assert save(pd.Series([1, 2]), "t.csv").read_text() == "value\n1\n2\n"
    assert list(read_object(save(series, "t.parquet")).columns) == ["importance"]


# arrays


ARRAY = np.array([[0.1 + 0.2, 1e-300], [np.nan, np.inf]])


def test_an_array_comes_back_bit_for_bit(save):
    np.testing.assert_array_equal(read_object(save(ARRAY, "a.npy")), ARRAY)
    np.testing.assert_array_equal(read_object(save(ARRAY, "a.npz"))["arr_0"], ARRAY)


def test_an_array_as_text_has_the_shortest_exact_numbers(save):
    assert save(ARRAY, "a.csv").read_text() == "0.30000000000000004,1e-300\nnan,inf\n"
    assert save(np.arange(3), "a.txt").read_text() == "0\n1\n2\n"


@pytest.mark.parametrize(
    ("array", "suffix"), [(np.array([object()]), ".npy"), (np.array([{}]), ".npz"), (np.zeros((2, 2, 2)), ".csv")]
)
def test_an_array_that_the_suffix_cannot_hold(save, array, suffix):
    with pytest.raises(UsageError, match=rf"type ndarray cannot be saved as \{suffix}"):
        save(array, "a" + suffix)


# text


@pytest.mark.parametrize(
    "name", ["n.txt", "n.md", "n.yaml", "n.json", "n.html", "n.svg", "n.csv", "Dockerfile", "n.sql"]
)
def test_text_is_kept_as_it_is(save, name):
    text = "größe\r\nno newline at the end \u2028"
    assert save(text, name).read_bytes() == text.encode()


@pytest.mark.parametrize("name", ["n.txt", "n.png", "n.bin", "n.pkl", "n", "n.json"])
def test_bytes_are_kept_as_they_are(save, name):
    for data in (b"\x00\xff", bytearray(b"\x00\xff")):
        assert save(data, name).read_bytes() == b"\x00\xff"


def test_lines_are_written_one_a_line(save):
    assert save(["numpy==2.4.6", "pandas==3.1.1\n"], "requirements.txt").read_text() == "numpy==2.4.6\npandas==3.1.1\n"
    assert save([], "requirements.txt").read_text() == ""


def test_a_lone_surrogate_is_written_as_its_escape(save):
    assert save("a\udc80", "n.txt").read_text() == "a\\udc80"
    assert json.loads(save({"a": "\ud800é"}, "n.json").read_text()) == {"a": "\ud800é"}


# json and yaml


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


DATA = {
    "scalars": [np.float32(0.5), np.int64(7), np.bool_(1), np.str_("x"), None, True, 10**30],
    "arrays": {"matrix": np.eye(2, dtype=int), "series": pd.Series([1, 2]), "frame": pd.DataFrame({"a": [1, 2]})},
    "not_numbers": [np.nan, np.inf, -np.inf, np.float64("nan"), np.array([np.nan])],
    "others": [(1, 2), {3}, Path("data/train.csv"), datetime.date(2024, 1, 2), Colour.RED, Level.HIGH, 1 + 2j],
    1: "a number as a key",
    ("a", "b"): "a tuple as a key",
    "größe": "ümlaut",
}
PLAIN = {
    "scalars": [0.5, 7, True, "x", None, True, 10**30],
    "arrays": {"matrix": [[1, 0], [0, 1]], "series": [1, 2], "frame": {"a": [1, 2]}},
    "not_numbers": ["NaN", "Infinity", "-Infinity", "NaN", ["NaN"]],
    "others": [[1, 2], [3], "data/train.csv", "2024-01-02", "red", 3, "(1+2j)"],
    "1": "a number as a key",
    "['a', 'b']": "a tuple as a key",
    "größe": "ümlaut",
}


def test_data_as_json_is_what_a_person_expects(save):
    path = save(DATA, "d.json")
    assert json.loads(path.read_text(), parse_constant=pytest.fail) == PLAIN
    assert '\n  "größe": "ümlaut"\n' in path.read_text()
    assert save([np.float32(1)], "d.json").read_text() == "[\n  1.0\n]\n"
    assert save(np.float64(0.1), "d.json").read_text() == "0.1\n"


def test_data_as_yaml_keeps_its_order_and_its_own_not_a_number(save):
    text = save(DATA, "d.yaml").read_text()
    assert text.startswith("scalars:\n")
    assert yaml.safe_load(text) | {"not_numbers": 0} == PLAIN | {"not_numbers": 0}
    assert ".nan" in text
    assert read_object(save({"name": "env", "dependencies": ["python=3.11"]}, "conda_env.yml"))["name"] == "env"


@pytest.mark.parametrize("character", [*map(chr, range(256)), "\u2028", "\u2029", "\ufeff", "\ufffe", "\U0001f680"])
def test_yaml_keeps_every_character(save, character):
    for text in (character, f"a{character}b", f"a {character} b", f"{character}a"):
        assert read_object(save({text: [text]}, "d.yaml")) == {text: [text]}


def test_what_has_no_plain_form_is_named_by_its_repr(save, model):
    assert read_object(save({"estimator": model[1], "type": dict}, "d.json")) == {
        "estimator": "LogisticRegression()",
        "type": "<class 'dict'>",
    }
    assert read_object(save([np.longdouble(1)], "d.json")) == [repr(np.longdouble(1))]


def test_data_that_contains_itself_is_the_callers_mistake(save):
    endless: list[object] = []
    endless.append(endless)
    for name in ("d.json", "d.yaml"):
        with pytest.raises(UsageError, match="contains itself"):
            save(endless, name)


def test_keys_that_are_equal_as_text_are_not_merged_silently(save):
    with pytest.raises(UsageError, match="two keys"):
        save({1: "a", "1": "b"}, "d.json")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_any_data_is_valid_json_and_yaml_and_comes_back(tmp_path_factory, value):
    for suffix in (".json", ".yaml"):
        path = tmp_path_factory.getbasetemp() / f"data{suffix}"
        if isinstance(value, str):
            value = [value]
        write_object(value, str(path), suffix)
        back = read_object(path)
        write_json(back, str(path), ".json")
        again = path.read_text()
        write_json(value, str(path), ".json")
        assert again == path.read_text()


# models


@pytest.mark.parametrize("name", ["model.pkl", "model.pickle", "model.joblib"])
def test_a_fitted_model_predicts_the_same_when_read_back(save, model, iris, name):
    path = save(model, name)
    assert save.format == path.suffix[1:]
    np.testing.assert_array_equal(read_object(path, trusted=True).predict(iris[0]), model.predict(iris[0]))
    assert model_suffix(model) == ".pkl"


def test_skops(save, model, iris):
    pytest.importorskip("skops.io")
    path = save(model, "model.skops")
    with pytest.raises(Refused):
        read_object(path)
    np.testing.assert_array_equal(read_object(path, trusted=True).predict(iris[0]), model.predict(iris[0]))


def test_onnx(save, model, iris):
    pytest.importorskip("skl2onnx")
    runtime = pytest.importorskip("onnxruntime")
    path = save(model, "model.onnx")
    labels = runtime.InferenceSession(path.read_bytes()).run(None, {"X": iris[0].astype(np.float32)})[0]
    np.testing.assert_array_equal(labels, model.predict(iris[0]))
    graph = read_object(path)
    assert save(graph, "again.onnx").read_bytes() == graph.SerializeToString()
    with pytest.raises(UsageError, match="not fitted"):
        save(LogisticRegression(), "model.onnx")


@pytest.mark.parametrize("suffix", [".json", ".ubj"])
def test_xgboost_saves_in_its_own_formats(save, tmp_path, iris, suffix):
    xgboost = pytest.importorskip("xgboost")
    model = xgboost.XGBClassifier(n_estimators=3).fit(*iris)
    for obj in (model, model.get_booster()):
        booster = read_object(save(obj, "model" + suffix), format=save.format)
        expected = model.get_booster().predict(xgboost.DMatrix(iris[0]))
        np.testing.assert_array_equal(booster.predict(xgboost.DMatrix(iris[0])), expected)
    assert save.format == "xgboost"
    assert model_suffix(model) == ".ubj"
    exact = tmp_path / "no-suffix"
    write_object(model, str(exact), suffix)
    again = xgboost.XGBClassifier()
    again.load_model(exact.rename(tmp_path / f"again{suffix}"))
    np.testing.assert_array_equal(again.predict(iris[0]), model.predict(iris[0]))


def test_lightgbm_saves_its_own_text(save, iris):
    lightgbm = pytest.importorskip("lightgbm")
    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(*iris)
    for obj in (model, model.booster_):
        booster = read_object(save(obj, "model.txt"), format=save.format)
        np.testing.assert_array_equal(booster.predict(iris[0]), model.booster_.predict(iris[0]))
        assert model_suffix(obj) == ".txt"


@pytest.mark.filterwarnings("ignore")  # Keras's own, about NumPy
def test_keras_saves_its_own_file(tmp_path):
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    assert model_suffix(model) == ".keras"
    exact = tmp_path / "no-suffix"
    assert write_object(model, str(exact), ".keras") == "keras"
    assert [path.name for path in tmp_path.iterdir()] == ["no-suffix"]
    path = exact.rename(tmp_path / "model.keras")
    with pytest.raises(Refused):
        read_object(path)
    np.testing.assert_array_equal(read_object(path, trusted=True).get_weights()[0], model.get_weights()[0])


def test_torch_saves_the_state_of_a_module(save):
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(2, 1)
    assert model_suffix(module) == model_suffix(module.state_dict()) == ".pt"
    for obj in (module, module.state_dict()):
        path = save(obj, "model.pt")
        with pytest.raises(Refused):
            read_object(path)
        assert torch.equal(read_object(path, trusted=True)["weight"], module.weight)


def test_torch_states_are_safetensors(save):
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    module = torch.nn.Linear(2, 1)
    for obj in (module, module.state_dict()):
        assert torch.equal(read_object(save(obj, "model.safetensors"))["weight"], module.weight)


# what does not fit


@pytest.mark.parametrize(
    ("obj", "name", "works"),
    [
        ({"a": 1}, "d.png", [".json", ".yaml", ".pkl"]),
        ({"a": 1}, "d.csv", [".json", ".yaml", ".pkl"]),
        (FRAME, "t.xlsx", [".csv", ".parquet", ".html"]),
        (np.zeros(2), "a", [".npy", ".csv"]),
        ("text", "n.png", [".txt", ".md"]),
        (LogisticRegression(), "m.json", [".pkl", ".joblib", ".skops", ".onnx"]),
        (object(), "o.txt", [".pkl", ".joblib"]),
        ([1, 2], "l.txt", [".json", ".yaml"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_object_that_the_suffix_cannot_hold_names_those_that_can(save, obj, name, works):
    with pytest.raises(UsageError) as caught:
        save(obj, name)
    assert f"type {type(obj).__name__} cannot be saved as " in str(caught.value)
    assert set(works) <= set(caught.value.expected.split())


def test_the_suffix_is_read_in_any_case(save):
    assert read_object(save(np.arange(2), "a.NPY")).tolist() == [0, 1]


@pytest.mark.parametrize("obj", [lambda: 0, threading.Lock(), [open]])
@pytest.mark.parametrize("name", ["o.pkl", "o.joblib"])
def test_what_cannot_be_pickled_is_the_callers_mistake(tmp_path, obj, name):
    if obj == [open]:
        obj = (each for each in obj)
    with pytest.raises(UsageError, match="cannot be pickled"):
        write_object(obj, str(tmp_path / name), Path(name).suffix)


@pytest.mark.parametrize(
    ("obj", "suffix", "module", "command"),
    [
        (LogisticRegression(), ".skops", "skops", "pip install skops"),
        (LogisticRegression(), ".onnx", "skl2onnx", "pip install skl2onnx"),
        (LogisticRegression(), ".joblib", "joblib", "pip install joblib"),
        (FRAME, ".parquet", "pyarrow", 'pip install "specweave-ml[parquet]"'),
    ],
)
def test_a_missing_library_is_named_with_its_install_command(tmp_path, monkeypatch, obj, suffix, module, command):
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, "fastparquet", None)
    with pytest.raises(MissingDependency) as caught:
        write_object(obj, str(tmp_path / "x"), suffix)
    assert caught.value.next_step == command


# reading


class Canary:
    """Its pickle writes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def canary(tmp_path):
    return Canary(tmp_path / "it-ran")


SUFFIXES = (
    "pkl pickle joblib pt pth npy npz keras h5 skops json yaml csv parquet txt onnx safetensors ubj png gz bin".split()
)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.filterwarnings("ignore")
def test_a_pickle_under_any_name_never_runs_untrusted(tmp_path, canary, suffix):
    path = tmp_path / f"model.{suffix}"
    path.write_bytes(pickle.dumps(canary))
    try:
        result = read_object(path)
    except (Refused, StoreError, MissingDependency):
        result = b""
    assert isinstance(result, bytes | pd.DataFrame)
    assert not canary.path.exists()


def test_arrays_of_objects_never_run_untrusted(tmp_path, canary):
    objects = np.array([canary], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", objects)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(Refused, match="can run any code"):
            read_object(tmp_path / name)
        assert not canary.path.exists()
    read_object(tmp_path / "a.npy", trusted=True)
    assert canary.path.exists()


def test_a_pickle_is_loaded_only_when_trusted(tmp_path, canary):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(canary))
    joblib.dump(canary, tmp_path / "m.joblib")
    for name in ("m.pkl", "m.joblib"):
        with pytest.raises(Refused, match="can run any code") as caught:
            read_object(tmp_path / name)
        assert "trusted=True" in caught.value.next_step
        assert not canary.path.exists()
        read_object(tmp_path / name, trusted=True)
        canary.path.unlink()


def test_yaml_tags_do_not_run(tmp_path, canary):
    (tmp_path / "c.yaml").write_text(f"!!python/object/apply:pathlib.Path.touch [{canary.path}]")
    with pytest.raises(StoreError):
        read_object(tmp_path / "c.yaml")
    assert not canary.path.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("d.json", b'{"a": '),
        ("d.json", b"[" * 100_000),
        ("d.yaml", b"[" * 100_000),
        ("d.yaml", b"a: *nobody"),
        ("d.txt", b"\xff\xfe\x00"),
        ("d.csv", b""),
        ("d.parquet", b"PAR1"),
        ("d.npy", b"\x93NUMPY\x01\x00\xff\xff"),
        ("d.npz", b"PK\x03\x04"),
    ],
)
def test_a_damaged_file_is_a_typed_error_with_its_path(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        read_object(path)
    assert caught.value.path == str(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(NotFound):
        read_object(tmp_path / "model.pkl", trusted=True)
    with pytest.raises(NotFound):
        read_object(tmp_path)


def test_no_library_is_imported_to_find_out_what_an_object_is(tmp_path):
    code = (
        "import sys; from specweave_ml.artifacts import model_suffix, write_object;"
        f"write_object({{'a': 1}}, {str(tmp_path / 'a.json')!r}, '.json'); model_suffix(object());"
        "heavy = {'numpy', 'pandas', 'matplotlib', 'sklearn', 'joblib', 'torch', 'xgboost', 'yaml'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"
