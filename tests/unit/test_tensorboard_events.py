"""Event files that tensorboardX and TensorBoard write: our reader sees what TensorBoard's own sees, and survives the rest."""

from __future__ import annotations

import os
import struct
import tracemalloc
import warnings
from math import isnan
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specweave_ml.errors import NotFound
from specweave_ml.foreign import Unreadable
from specweave_ml.project import find_increment
from specweave_ml.store.pulling import pull
from specweave_ml.store.reader import read_experiments
from specweave_ml.tensorboard.source import RECORDED, TensorBoardSource, imported, live
from specweave_ml.wire import Malformed

writers = pytest.importorskip("tensorboardX")
tensorboard = pytest.importorskip("tensorboard")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402
from tensorboard.compat.proto import event_pb2, tensor_pb2, types_pb2  # noqa: E402
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c  # noqa: E402
from tensorboard.summary import Writer  # noqa: E402
from tensorboard.util.tensor_util import make_ndarray, make_tensor_proto  # noqa: E402

OLD = 1_700_000_000


def runs(path: Path):
    source = TensorBoardSource(str(path))
    return [*source.runs([*source.versions()])]


def put(folder: Path, *events: event_pb2.Event, name: str = "events.out.tfevents.1700000000.host") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(b"".join(framed(event.SerializeToString()) for event in events))
    os.utime(path, (OLD, OLD))
    return path


def framed(data: bytes) -> bytes:
    size = struct.pack("<Q", len(data))
    return b"".join([size, struct.pack("<I", masked_crc32c(size)), data, struct.pack("<I", masked_crc32c(data))])


def scalar(tag: str, value: float, step: int = 0) -> event_pb2.Event:
    event = event_pb2.Event(wall_time=OLD + step, step=step)
    event.summary.value.add(tag=tag, simple_value=value)
    return event


def judged(folder: Path) -> dict[str, list[tuple[int, float, int]]]:
    """Every scalar as TensorBoard itself gives it."""
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        accumulator.Reload()
    tags = accumulator.Tags()
    found = {
        tag: [(e.step, e.value, round(e.wall_time * 1000)) for e in accumulator.Scalars(tag)] for tag in tags["scalars"]
    }
    for tag in tags["tensors"]:
        if accumulator.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
            found[tag] = [
                (e.step, make_ndarray(e.tensor_proto).item(), round(e.wall_time * 1000))
                for e in accumulator.Tensors(tag)
            ]
    return found


def ours(folder: Path) -> dict[str, list[tuple[int, float, int]]]:
    found: dict[str, list[tuple[int, float, int]]] = {}
    for run in runs(folder):
        for point in run.points:
            found.setdefault(point.metric, []).append((point.step, point.value, point.time))
    return found


def test_what_tensorboardx_writes_is_what_tensorboard_reads(tmp_path):
    for part in ("a", "b"):  # two files of one run
        writer = writers.SummaryWriter(str(tmp_path), filename_suffix=f".{part}")
        for step in range(20):
            writer.add_scalar("loss", 1 / (step + 1), step)
            writer.add_scalar("val/auc", step / 20, step, walltime=OLD + step)
        writer.add_scalar("nan", float("inf"), 3)
        writer.add_histogram("weights", numpy.arange(10.0), 1)
        writer.add_text("words", "text", 1)
        writer.add_image("picture", numpy.zeros((3, 2, 2)), 1)
        writer.close()
    (run,) = runs(tmp_path)
    assert ours(tmp_path) == judged(tmp_path)
    assert sorted(run.left_out) == [
        "2 × histogram of weights",
        "2 × image of picture",
        "2 × text of words/text_summary",
    ]


def test_what_tensorboard_writes_as_tensors_is_read_too(tmp_path):
    writer = Writer(str(tmp_path))
    for step in range(5):
        writer.add_scalar("accuracy", step / 7, step)
    writer.close()
    assert ours(tmp_path) == judged(tmp_path)
    assert len(ours(tmp_path)["accuracy"]) == 5


@pytest.mark.parametrize("kind", "float32 float64 float16 int8 int16 int32 int64 uint8 uint32 uint64 bool".split())
@pytest.mark.parametrize("as_bytes", [True, False])
def test_tensors_of_every_type(tmp_path, kind, as_bytes):
    value = numpy.array(1, kind)
    tensor = make_tensor_proto(value)
    if as_bytes or kind == "float16":  # whose other form is an integer of its bits, which nobody writes for a scalar
        tensor = tensor_pb2.TensorProto(dtype=tensor.dtype, tensor_content=value.tobytes())
    event = event_pb2.Event(wall_time=OLD, step=1)
    event.summary.value.add(tag="x", tensor=tensor).metadata.plugin_data.plugin_name = "scalars"
    put(tmp_path, event)
    assert ours(tmp_path) == {"x": [(1, 1, OLD * 1000)]}


def test_tensors_that_are_no_scalar_are_left_out(tmp_path):
    event = event_pb2.Event(wall_time=OLD, step=1)
    for tag, tensor, plugin in [
        ("many", make_tensor_proto(numpy.arange(3.0)), "scalars"),
        ("words", make_tensor_proto("text", types_pb2.DT_STRING), "scalars"),
        ("image", make_tensor_proto(numpy.array(1.0)), "images"),
    ]:
        value = event.summary.value.add(tag=tag, tensor=tensor)
        value.metadata.plugin_data.plugin_name = plugin
    put(tmp_path, event)
    (run,) = runs(tmp_path)
    assert [*run.points] == []
    assert sorted(run.left_out) == ["1 × images of image", "1 × scalars of many", "1 × scalars of words"]


def test_settings_of_hparams_are_params(tmp_path):
    writer = writers.SummaryWriter(str(tmp_path))
    writer.add_hparams({"lr": 0.1, "optimizer": "adam", "layers": 3, "bias": True}, {"accuracy": 0.5}, name="trial")
    writer.close()
    run = next(run for run in runs(tmp_path) if run.params)
    assert (run.name, run.params, run.status) == (
        "trial",
        {"lr": 0.1, "optimizer": "adam", "layers": 3, "bias": True},
        "finished",
    )


def test_a_session_that_goes_on_voids_what_it_repeats(tmp_path):
    first = writers.SummaryWriter(str(tmp_path), filename_suffix=".1")
    for step in range(10):
        first.add_scalar("loss", step, step)
    first.close()
    second = writers.SummaryWriter(str(tmp_path), filename_suffix=".2", purge_step=5)
    for step in range(5, 8):
        second.add_scalar("loss", step + 100, step)
    second.close()
    assert [point[1] for point in ours(tmp_path)["loss"]] == [0, 1, 2, 3, 4, 105, 106, 107]
    assert ours(tmp_path) == judged(tmp_path)


def test_every_folder_is_a_run(tmp_path):
    for name in ("logs/run 1/train", "logs/run 1/validation", "logs"):
        put(tmp_path / name, scalar("loss", 1.0))
    put(tmp_path / "logs/empty").write_bytes(b"")
    (tmp_path / "logs/of us").mkdir()
    put(tmp_path / "logs/of us", scalar("loss", 1.0))
    (tmp_path / "logs/of us" / RECORDED).touch()
    assert [run.name for run in runs(tmp_path / "logs")] == ["logs", "run 1-train", "run 1-validation"]


def test_a_run_is_pulled_once_and_again_when_it_grew(project):
    increment = find_increment("0042")
    folder = Path(increment.path) / "tensorboard" / "fit"
    path = put(folder, scalar("loss", 1.0))
    source = live(f"{increment.path}/tensorboard", increment)
    assert pull(source, increment.experiments, increment.name).created == ["fit"]
    assert pull(source, increment.experiments, increment.name).unchanged == 1
    path.write_bytes(path.read_bytes() + framed(scalar("loss", float("nan"), 1).SerializeToString()))
    assert pull(source, increment.experiments, increment.name).updated == ["fit"]
    (found,) = read_experiments(increment.experiments, increment.name)
    assert (found.status, found.history("loss").steps) == ("running", [0, 1])
    assert isnan(found.metrics["loss"])


def test_cut_at_every_byte_it_is_read_up_to_there(tmp_path):
    path = put(tmp_path, *(scalar("loss", float(step), step) for step in range(4)))
    data = path.read_bytes()
    for size in range(1, len(data)):
        path.write_bytes(data[:size])
        (run,) = runs(tmp_path)
        whole = size // (len(data) // 4)
        assert len([*run.points]) in {whole, whole - 1, whole + 1}
        assert [point.value for point in run.points] == [float(step) for step in range(len([*run.points]))]
        assert all("at byte" in why for why in run.left_out)


def test_what_is_no_event_file_is_named_and_hides_nothing(tmp_path):
    put(tmp_path / "good", scalar("loss", 1.0))
    put(tmp_path / "bad").write_bytes(b"PK\x03\x04 is something else")
    bad, good = sorted(runs(tmp_path), key=lambda run: isinstance(run, Unreadable), reverse=True)
    assert (good.name, bad.why) == ("good", "no event file: byte 0 begins no record")


def test_a_flipped_bit_costs_one_event(tmp_path):
    path = put(tmp_path, *(scalar("loss", float(step), step) for step in range(3)))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    (run,) = runs(tmp_path)
    assert [point.value for point in run.points] == [0.0, 2.0]
    assert run.left_out == [
        f"what {path.name} has at byte {len(framed(scalar('loss', 0.0).SerializeToString()))}: damaged, or cut off"
    ]


def test_lengths_that_a_file_claims_are_not_believed(tmp_path):
    path = put(tmp_path, scalar("loss", 1.0))
    size = struct.pack("<Q", 1 << 50)
    path.write_bytes(path.read_bytes() + size + struct.pack("<I", masked_crc32c(size)) + b"x")
    tracemalloc.start()
    try:
        (run,) = runs(tmp_path)
        assert len([*run.points]) == 1
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert len(run.left_out) == 1


def test_an_import_of_nothing_says_what_was_expected(project):
    with pytest.raises(NotFound, match="no event file of TensorBoard here"):
        imported(None, find_increment("0042"))
    put(project / "runs" / "a", scalar("loss", 1.0))
    assert len(imported(None, find_increment("0042")).versions()) == 1


@given(st.binary(max_size=300), st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=6))
def test_any_bytes_are_read_or_named(tmp_path_factory, record, changes):
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    data = bytearray(scalar("loss", 1.0).SerializeToString())
    for at, byte in changes:
        data[at % len(data)] = byte
    path = put(folder, scalar("loss", 1.0))
    for content in (framed(bytes(data)), framed(record), record):
        path.write_bytes(path.read_bytes() + content)
        try:
            (run,) = runs(folder)
        except Malformed:
            pytest.fail("an event is passed over, never raised")
        assert not isinstance(run, Unreadable)
        assert all(isinstance(point.value, int | float) for point in run.points)
