"""What a notebook wrote for TensorBoard: read as bytes of a stranger, whatever is in them."""

from __future__ import annotations

import contextlib
import os
import random
import re
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.kernels import InProcessKernel

from autograder import check
from autograder.errors import CourseError, LostError
from autograder.examiner.remote.proxy import Remote
from autograder.extensions.tensorboard import eventfile
from autograder.extensions.tensorboard.eventfile import EventFileError, parse, records
from autograder.extensions.tensorboard.events import MAX_FILES
from autograder.kernel import operations
from autograder.records.checks import CheckResult

pytest.importorskip("tensorboard")

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

FLOAT, DOUBLE, HALF, INT64 = 1, 2, 19, 9


def record(payload: bytes) -> bytes:
    length = struct.pack("<Q", len(payload))
    return b"".join(
        [length, struct.pack("<I", masked_crc32c(length)), payload, struct.pack("<I", masked_crc32c(payload))]
    )


def file(*events: Event) -> bytes:
    """An event file as TensorFlow writes it, its version first."""
    return b"".join(record(event.SerializeToString()) for event in (Event(file_version="brain.Event:2"), *events))


def tensor(values: Any, dtype: int = DOUBLE) -> TensorProto:
    array = np.asarray(values, {FLOAT: "<f4", DOUBLE: "<f8", HALF: "<f2", INT64: "<i8"}[dtype])
    proto = TensorProto(dtype=dtype, tensor_content=array.tobytes())
    for length in array.shape:
        proto.tensor_shape.dim.add(size=length)
    return proto


def event(tag: str, step: int, plugin: str = "scalars", **content: Any) -> Event:
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin)) if plugin else None
    return Event(step=step, summary=Summary(value=[Summary.Value(tag=tag, metadata=metadata, **content)]))


def scalar(tag: str, step: int, value: float) -> Event:
    return event(tag, step, tensor=tensor(value, FLOAT))


def histogram(tag: str, step: int, buckets: Any) -> Event:
    return event(tag, step, "histograms", tensor=tensor(buckets))


WHOLE = file(
    *(scalar("cost", step, 2.0 / step) for step in range(1, 5)),
    *(histogram("weights", step, [[-1, 0, 3], [0, 1, 4.0 + step]]) for step in range(1, 4)),
)


# --- what is read --------------------------------------------------------------------------------------


def test_series_are_read_with_their_steps() -> None:
    events = parse([WHOLE])
    assert events.scalars["cost"].steps.tolist() == [1, 2, 3, 4]
    assert events.scalars["cost"].values == pytest.approx([2, 1, 2 / 3, 0.5])
    assert events.histograms["weights"].steps.tolist() == [1, 2, 3]
    assert events.histograms["weights"].buckets[2].tolist() == [[-1, 0, 3], [0, 1, 7]]
    assert repr(events) == "scalars: 'cost' (4); histograms: 'weights' (3)"


def test_older_writers_are_read_too() -> None:
    old = HistogramProto(min=-2, max=3, num=5, bucket_limit=[-1, 1, 1e308], bucket=[1, 3, 1])
    events = parse([file(event("loss", 7, "", simple_value=0.5), event("w", 7, "", histo=old))])
    assert events.scalars["loss"].values.tolist() == [0.5]
    assert events.histograms["w"].buckets[0].tolist() == [[-2, -1, 1], [-1, 1, 3], [1, 3, 1]]


def test_only_the_first_value_of_a_series_says_what_it_is() -> None:
    events = parse([file(scalar("cost", 1, 3), event("cost", 2, "", tensor=tensor(2)))])
    assert events.scalars["cost"].values.tolist() == [3, 2]


def test_a_training_that_began_anew_replaces_the_steps_that_it_repeats() -> None:
    first = file(*(scalar("cost", step, 9) for step in range(1, 6)))
    second = file(*(scalar("cost", step, 1) for step in range(3, 5)))
    events = parse([first, second])
    assert events.scalars["cost"].steps.tolist() == [1, 2, 3, 4]
    assert events.scalars["cost"].values.tolist() == [9, 9, 1, 1]


@pytest.mark.parametrize(
    ("proto", "expected"),
    [
        (tensor(3, INT64), 3.0),
        (TensorProto(dtype=FLOAT, float_val=[0.5]), 0.5),
        (TensorProto(dtype=DOUBLE), 0.0),
        (tensor(float("nan")), float("nan")),
        (tensor([[2.5]]), 2.5),
    ],
)
def test_a_scalar_is_written_in_several_ways(proto: TensorProto, expected: float) -> None:
    values = parse([file(event("x", 0, tensor=proto))]).scalars["x"].values
    assert values.tolist() == pytest.approx([expected], nan_ok=True)


def test_other_kinds_of_summaries_and_large_records_are_passed_over() -> None:
    data = file(
        event("text", 0, "text", tensor=TensorProto(dtype=7, string_val=[b"x"])),
        event("picture", 0, "", image=Summary.Image(encoded_image_string=b"x" * (eventfile.MAX_RECORD + 1))),
        Event(graph_def=b"\xff" * 100),
        scalar("cost", 1, 2),
    )
    assert repr(parse([data])) == "scalars: 'cost' (1); histograms: none"


# --- what is refused -------------------------------------------------------------------------------------


def shaped(*lengths: int, **content: Any) -> TensorProto:
    proto = TensorProto(dtype=DOUBLE, **content)
    for length in lengths:
        proto.tensor_shape.dim.add(size=length)
    return proto


def nested(depth: int) -> bytes:
    """An unknown group within a group, and so on: protobuf's parser recurses."""
    return b"\x7b" * depth + b"\x7c" * depth


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"nonsense", "middle of a record"),
        (b"nonsense and more of it", "not an event file"),
        (WHOLE[:-1], "middle of a record; close its writer"),
        (WHOLE[:5], "middle of a record"),
        (WHOLE[:-2] + b"\0\0", "checksum of a record is wrong"),
        (b"\1" + WHOLE[1:], "checksum of a record's length"),
        (
            struct.pack("<Q", 2**63) + struct.pack("<I", masked_crc32c(struct.pack("<Q", 2**63))) + b"x" * 20,
            "middle of a record",
        ),
        (record(b"\xff\xff\xff"), "record 1 is not an event"),
        (record(nested(100_000)), "record 1 is not an event"),
        (record(b"\x2a\x05\x0a\x03\x0a\x01\xff"), "record 1 is not an event"),  # a tag that is no UTF-8
        (record(b"") * (eventfile.MAX_RECORDS + 1), "more than 100,000 records"),
        (file(event("x", 0, tensor=tensor(1, HALF))), "not made of floats or integers"),
        (file(event("x", 0, tensor=TensorProto(dtype=7, string_val=[b"1"]))), "not made of floats"),
        (file(event("x", 0, tensor=tensor([1, 2]))), "not one number"),
        (file(event("x", 0, tensor=shaped(2**62, 2**62))), "more than 1,000,000 numbers"),
        (file(event("x", 0, tensor=shaped(-1))), "has no shape"),
        (file(event("x", 0, tensor=shaped(*[1] * 20))), "has no shape"),
        (file(event("x", 0, tensor=shaped(2, tensor_content=b"12345678"))), "does not match its shape"),
        (file(event("x", 0, tensor=shaped(1, double_val=[1, 2]))), "does not match its shape"),
        (file(histogram("x", 0, [1, 2, 3])), "left edges, right edges and counts"),
        (file(event("x", 0, "", histo=HistogramProto(bucket=[1]))), "as many edges as counts"),
        (file(*(event("x", n, "histograms", tensor=shaped(300_000, 3)) for n in range(5))), "4,000,000 numbers"),
        (file(*(scalar(str(n), 0, 1) for n in range(1001))), "more than 1,000 tags"),
        (record(b"\x2a\x04\x0a\x02\x10\x00" * 100_000) * 3, "more than 200,000 values"),
    ],
)
def test_what_is_no_event_file_is_refused_in_a_sentence(data: bytes, message: str) -> None:
    with pytest.raises(EventFileError, match=message):
        parse([data])


def test_a_million_tiny_records_are_given_up_early() -> None:
    began = time.process_time()
    with pytest.raises(EventFileError, match="records"):
        parse([record(b"") * 1_000_000])
    assert time.process_time() - began < 10


def test_mutated_files_give_a_result_or_a_reason() -> None:
    dice = random.Random(4711)
    for _ in range(2000):
        data = bytearray(WHOLE)
        for _ in range(dice.randint(1, 4)):
            place = dice.randrange(len(data))
            data[place : place + dice.randint(0, 3)] = dice.randbytes(dice.randint(0, 3))
        with contextlib.suppress(EventFileError):
            parse([bytes(data)])


def test_mutated_records_with_right_checksums_give_a_result_or_a_reason() -> None:
    dice = random.Random(1147)
    payloads = list(records(WHOLE))
    read = 0
    for _ in range(2000):
        changed = [bytearray(payload) for payload in payloads]
        payload = dice.choice(changed)
        place = dice.randrange(len(payload))
        payload[place : place + dice.randint(0, 1)] = dice.randbytes(1)
        try:
            events = parse([b"".join(record(bytes(payload)) for payload in changed)])
        except EventFileError:
            continue
        read += 1
        assert all(s.values.shape == s.steps.shape for s in events.scalars.values())
        assert all(b.shape[1:] == (3,) for h in events.histograms.values() for b in h.buckets)
    assert 100 < read < 1900


# --- the check ----------------------------------------------------------------------------------------


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notebook's folder with event files in logs/."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "events.out.tfevents.1").write_bytes(WHOLE)
    (folder / "notes.txt").write_text("no event file")
    return folder


def recorded(remote: Any = None, **asked: Any) -> tuple[CheckResult, eventfile.Events]:
    kernel = Remote(InProcessKernel()) if remote is None else remote
    with check.asking_kernel(kernel), check.recording() as results:
        found = check.events(**{"log_dir": "logs", **asked})
    return results[0], found


@pytest.mark.parametrize(
    ("asked", "fraction", "message"),
    [
        ({"scalars": ["cost"], "histograms": ["weights"]}, 1.0, "all that is asked"),
        ({"scalars": ["cost"], "histograms": ["weights"], "steps": 4}, 0.5, "not enough of: weights [(]4 asked"),
        ({"scalars": ["loss"]}, 0.0, "not enough of: loss [(]1 asked"),
        ({"log_dir": "./logs/"}, 1.0, "all that is asked"),
        ({"log_dir": "nowhere"}, 0.0, "no such folder"),
        ({"log_dir": "logs/notes.txt"}, 0.0, "no such folder"),
        ({"log_dir": "../logs"}, 0.0, "not inside"),
        ({"log_dir": "/logs"}, 0.0, "not inside"),
        ({"log_dir": ""}, 0.0, "not the name of a folder"),
        ({"log_dir": "a\0b"}, 0.0, "not the name of a folder"),
        ({"log_dir": 3}, 0.0, "not the name of a folder"),
    ],
)
@pytest.mark.usefixtures("logs")
def test_credit_is_the_share_of_the_series_that_are_there(asked: Any, fraction: float, message: str) -> None:
    result, found = recorded(**asked)
    assert result.fraction == fraction
    assert re.search(message, result.message)
    for tag in asked.get("scalars", ()):
        assert found.scalars[tag].values.dtype == np.float64


def test_in_a_notebook_it_reads_the_folder_and_raises(logs: Path) -> None:
    assert len(check.events("logs", scalars=["cost"], steps=4).scalars["cost"]) == 4
    with pytest.raises(AssertionError, match="steps found: cost 4; 5 asked of each"):
        check.events("logs", scalars=["cost"], steps=5)


def test_links_pipes_and_folders_are_no_event_files(logs: Path) -> None:
    (logs / "events.out.tfevents.1").unlink()
    secret = logs.parent / "secret"
    secret.write_bytes(WHOLE)
    (logs / "tfevents.link").symlink_to(secret)
    (logs / "tfevents.folder").mkdir()
    os.mkfifo(logs / "tfevents.pipe")
    assert recorded()[0].message == "the folder holds no event file"
    assert operations._regular(logs / "tfevents.pipe", 10) == b""
    with pytest.raises(OSError, match="symbolic"):
        operations._regular(logs / "tfevents.link", 10)
    (logs.parent / "elsewhere").symlink_to(logs)
    assert recorded(log_dir="elsewhere")[0].message == "the folder is reached through a link"


def test_many_or_large_files_are_refused(logs: Path) -> None:
    assert operations.files("logs", "tfevents", 1, len(WHOLE)) == [WHOLE]
    assert operations.files("logs", "tfevents", 1, len(WHOLE) - 1) == "large"
    for number in range(MAX_FILES):
        (logs / f"more.tfevents.{number}").touch()
    assert "more than 100 event files" in recorded()[0].message


def test_a_damaged_file_is_a_failed_check_and_the_cell_goes_on(logs: Path) -> None:
    (logs / "events.out.tfevents.2").write_bytes(WHOLE[:-3])
    result, found = recorded(scalars=["cost"])
    assert result.fraction == 0
    assert result.message == "the event files cannot be read"
    assert "middle of a record" in result.detail
    assert len(found.scalars["cost"]) == 0


class Answers:
    """A kernel that answers as it likes."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def ask(self, *question: Any) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (3, "cannot be read"),
        ("<b>made up</b>", "cannot be read"),
        (["text"], "cannot be read"),
        ([b""] * (MAX_FILES + 1), "cannot be read"),
        ([bytearray(WHOLE)], "cannot be read"),
        ([bytes(2**26), b"x"], "larger than 64 MiB"),
        (ValueError("made up"), "cannot be read"),
        (LostError("the notebook's kernel is gone"), "kernel is gone"),
        ([], "no event file"),
    ],
)
def test_a_kernel_that_lies_fails(answer: Any, message: str) -> None:
    result, _ = recorded(Answers(answer))
    assert result.fraction == 0
    assert message in result.message


def test_tags_are_shown_as_text() -> None:
    evil = file(scalar("\x1b[31m<b>\u202e" + "x" * 500, 0, 1))
    result, _ = recorded(Answers([evil]), scalars=["cost"])
    assert "\x1b" not in result.message
    assert "\u202e" not in result.message
    assert len(result.message) < 200


@pytest.mark.parametrize("asked", [{"scalars": "cost"}, {"steps": 0}, {"steps": True}, {"histograms": "w"}])
def test_what_the_test_gets_wrong_is_the_courses_fault(asked: Any) -> None:
    with pytest.raises(CourseError, match=r"check\.events"):
        recorded(**asked)


@pytest.mark.keras
def test_what_tensorflow_writes_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    monkeypatch.chdir(tmp_path)
    weights = np.random.default_rng(1).normal(size=(93, 9))
    with tf.summary.create_file_writer("logs").as_default():
        for step in range(3):
            tf.summary.scalar("cost", 1.5**-step, step=step)
            tf.summary.histogram("weights", weights * (step + 1), step=step)
            tf.summary.histogram("zeros", tf.zeros(4), step=step)
    found = check.events("logs", scalars=["cost"], histograms=["weights", "zeros"], steps=3)
    assert found.scalars["cost"].values == pytest.approx([1, 1 / 1.5, 1 / 2.25])
    buckets = found.histograms["weights"].buckets[2]
    assert buckets[:, 2].sum() == weights.size
    assert buckets[0, 0] == pytest.approx(3 * weights.min(), rel=1e-6)
    assert buckets[-1, 1] == pytest.approx(3 * weights.max(), rel=1e-6)
    assert found.histograms["zeros"].buckets[0][:, 2].sum() == 4
