"""Kept runs on disk: equal when they are read back, and no run at all where anything is wrong with them."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.kept import ANSWER, Room, exam_with, told
from helpers.samples import PNG
from helpers.value_examples import KNOWN, LIBRARIES, examples

from autograder.codec import Packed, Reference, encode
from autograder.coordinator import recording_store as module
from autograder.coordinator.recording_store import RecordingStore
from autograder.examination.kernel_source import RecordingBytes, ReplayMiss
from autograder.exchange.blob_container import pack
from autograder.execution.recording import CellEvent, ReplyEvent, Session, Transcript
from autograder.execution.recording_format import from_bytes, to_bytes
from autograder.records.run import CellRun, RunStatus

OUTPUTS = (
    {"output_type": "stream", "name": "stdout", "text": "größer \ud800 \x1b[31m</script>"},
    {
        "output_type": "display_data",
        "data": {"image/png": PNG, "text/plain": ["a", "b"]},
        "metadata": {"n": [1.5, None]},
    },
    {"output_type": "error", "ename": "E", "evalue": "", "traceback": []},
)
FULL = Transcript(
    sessions=(
        Session(
            "bubblewrap, cgroup v2",
            (
                CellEvent("aa", CellRun("ok", OUTPUTS, 3, 0.25)),
                ReplyEvent("bb", Packed(b'["fetch"]', [b"\0\xff" * 100, b"", b"\0\xff" * 100])),
                CellEvent("cc", CellRun("error", (), None, 1e-9, "OSError: [Errno 28] no room", RunStatus.OUT_OF_DISK)),
                ReplyEvent("dd", None, "the kernel died"),
            ),
            3, 1.5, 120.25, (RunStatus.KILLED, "It died."), 4,
        ),
        Session("", (), 0, 0.0, None),
    ),
    readings=(0.0, 0.1, 17.3),
    files=(4, 9),
    figures=(2,),
)  # fmt: skip


def test_what_is_read_back_is_equal() -> None:
    back = from_bytes(to_bytes(FULL))
    assert back == FULL
    assert repr(back) == repr(FULL)


def test_values_of_every_kind_come_back_byte_by_byte() -> None:
    """Those of docs/reference/values.md that need no further library."""
    packed = []
    for example in examples():
        source = str(example.values[0])
        if source.split(".")[0] not in LIBRARIES:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                packed.append(encode(eval(source, dict(KNOWN)), lambda _: Reference(1, "object", "x")))
    assert len(packed) > 100
    events = tuple(ReplyEvent(str(number), one) for number, one in enumerate(packed))
    kept = Transcript((Session("k", events, len(events), 0.0, None),), (0.0,))
    assert from_bytes(to_bytes(kept)) == kept


def signed(header: Any, *blobs: bytes) -> bytes:
    """A file whose digests are right."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return pack({}, {"transcript.json": text, **{str(number): blob for number, blob in enumerate(blobs)}})


def header(**changes: Any) -> dict[str, Any]:
    session = {
        "label": "k", "events": [], "executed": 0, "cpu_seconds": 0.0, "peak_memory_mib": None, "ended": None, "ended_at": 0,
    }  # fmt: skip
    own = {k: v for k, v in changes.items() if k in session}
    top = {k: v for k, v in changes.items() if k not in session}
    return {"sessions": [session | own], "readings": [0.0], "files": [], "figures": []} | top


def test_the_smallest_run_is_one() -> None:
    assert from_bytes(signed(header())).sessions[0].label == "k"


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "another format": signed(header()).replace(b"parcel 1", b"parcel 0"),
    "a pickle": b"\x80\x04\x95\x0c\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94\x93\x94.",
    "no transcript": pack({}, {"0": b"x"}),
    "cut off": signed(header())[:-1],
    "a byte more": signed(header()) + b"x",
    "no end of the first line": signed(header()).replace(b"\n", b""),
    "not JSON": signed(b"{"),
    "deep JSON": signed(b"[" * 100_000),
    "a list": signed([]),
    "NaN": signed(header(cpu_seconds=float("nan"))),
    "an endless number": signed(json.dumps(header(cpu_seconds=7)).replace("7", "1e999").encode()),
    "a number of many digits": signed(json.dumps(header(ended_at=7)).replace("7", "7" * 10_000).encode()),
    "a key twice": signed(json.dumps(header()).replace('"label": "k"', '"label": "k", "label": "j"').encode()),
    "bytes of another number": pack({}, {"transcript.json": json.dumps(header()).encode(), "1": b"x"}),
    "bytes of no number": pack({}, {"transcript.json": json.dumps(header()).encode(), "x": b"x"}),
    "no label": signed(header(label=1)),
    "true for a number": signed(header(ended_at=True)),
    "more executed than there is": signed(header(executed=1)),
    "an unknown end": signed(header(ended=["won", ""])),
    "an end of one part": signed(header(ended=["killed"])),
    "an event of no kind": signed(header(events=[["won", "a", 1]])),
    "an event that is no list": signed(header(events=["said"])),
    "an answer that is not there": signed(header(events=[["said", "a", 0]])),
    "an answer from the end": signed(header(events=[["said", "a", -1]]), b"x"),
    "an answer of nothing": signed(header(events=[["said", "a"]])),
    "a cell of no status": signed(header(events=[["ran", "a", "won", [], None, 0.0, None, None]])),
    "a cell with strange outputs": signed(header(events=[["ran", "a", "ok", ["x"], None, 0.0, None, None]])),
    "a reading that is text": signed(header(readings=["0"])),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_file_that_is_no_run_is_executed_anew(tmp_path: Path, what: str) -> None:
    room = Room(tmp_path)
    exam = exam_with("assert double(1) == 2")
    first = room.grade(exam, ANSWER)
    (path,) = room.files
    path.write_bytes(HOSTILE[what])
    with pytest.raises(ReplayMiss):
        room.grade(exam, ANSWER, kept=True)
    assert told(room.grade(exam, ANSWER)) == told(first)
    assert told(room.grade(exam, ANSWER, kept=True)) == told(first)


def test_a_byte_that_changed_anywhere_makes_it_no_run() -> None:
    whole = to_bytes(FULL)
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 1
        with pytest.raises((ValueError, TypeError, LookupError)):
            from_bytes(bytes(changed))


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"not JSON",
        b'["tuple",["ok",["tuple",[0,["tuple",["list",["double"]]]]]]]',
        encode(("won", 1, "")).text,
        encode(("ok", None, 1)).text,
        b'["ref",1,"function","eval"]',
        b"[" * 5000,
    ],
)
def test_answers_in_a_run_are_read_as_strictly_as_a_kernels(tmp_path: Path, reply: bytes) -> None:
    """Whoever writes a run with a right digest gains what a kernel that lies does."""
    room = Room(tmp_path)
    exam = exam_with("assert double(1) == 3", "assert x == 4")
    room.grade(exam, ANSWER)
    (path,) = room.files
    kept = from_bytes(path.read_bytes())
    (session,) = kept.sessions
    lies = tuple(replace(e, reply=Packed(reply, [])) if isinstance(e, ReplyEvent) else e for e in session.events)
    path.write_bytes(to_bytes(replace(kept, sessions=(replace(session, events=lies),))))
    try:
        grade = room.grade(exam, ANSWER, kept=True)
    except ReplayMiss:
        return
    assert grade.score == 0


# --- the folder --------------------------------------------------------------------------------------------


def test_what_has_no_place_in_json_is_not_kept() -> None:
    odd: list[Callable[[], Any]] = [lambda: float("nan"), object, lambda: b"bytes"]
    for make in odd:
        ran = CellEvent("a", CellRun("ok", ({"output_type": "stream", "text": make()},)))
        recorded = RecordingBytes()
        recorded.save_run(replace(FULL, sessions=(replace(FULL.sessions[0], events=(ran,), executed=1),)))
        assert recorded.new_run == b""


def test_what_is_too_large_takes_the_earlier_run_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = RecordingStore(tmp_path)
    assert runs.save("ab", to_bytes(FULL))
    assert from_bytes(runs.load("ab")) == FULL
    monkeypatch.setattr(module, "MAX_RECORDING_BYTES", 100)
    assert runs.load("ab") == b""
    assert not runs.save("ab", to_bytes(FULL))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_written_keeps_nothing_and_fails_nobody(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    assert not RecordingStore(tmp_path / "runs").save("ab", to_bytes(FULL))
    assert RecordingStore(tmp_path / "runs").load("ab") == b""
    RecordingStore(tmp_path / "runs").prune()
    RecordingStore(tmp_path / "nowhere").prune()


def test_what_was_used_last_stays(tmp_path: Path) -> None:
    runs = RecordingStore(tmp_path)
    for age, key in enumerate(["aa", "bb", "cc", "dd"]):
        runs.save(key, to_bytes(FULL))
        os.utime(tmp_path / f"{key}.run", (1000 + age, 1000 + age))
    (tmp_path / ".half.tmp").write_text("of a process that was killed")
    assert from_bytes(runs.load("aa")) == FULL  # used now
    size = (tmp_path / "aa.run").stat().st_size
    runs.prune(2 * size)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["aa.run", "dd.run"]
    runs.prune(2 * size)
    assert len(list(tmp_path.iterdir())) == 2


def test_only_the_user_who_grades_can_read_runs(tmp_path: Path) -> None:
    """They hold what every student's notebook made."""
    runs = RecordingStore(tmp_path / "runs")
    runs.save("ab", to_bytes(FULL))
    assert (tmp_path / "runs").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "runs/ab.run").stat().st_mode & 0o777 == 0o600
