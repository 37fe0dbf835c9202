"""Bytes of a recording: what the kernels of one notebook said, for the examiner of the same submission.

They are a container (:mod:`autograder.exchange.blob_container`) with one JSON text and the bytes of the replies.
All of it once came from a student and is untrusted. The JSON is strict, nothing is unpickled, every value has its
exact type, and replies are decoded where they are used, as the first time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from autograder._util.plain_records import loads
from autograder.codec import Packed
from autograder.exchange.blob_container import pack, unpack
from autograder.execution.recording import CellEvent, ReplyEvent, Session, Transcript
from autograder.records.run import CellRun, RunStatus

_TRANSCRIPT = "transcript.json"
"""Name of the JSON text; the replies are named by their numbers."""
_Blobs = dict[bytes, int]


def to_bytes(transcript: Transcript) -> bytes:
    """Convert a transcript to bytes for :func:`from_bytes`.

    Raises:
        ValueError, TypeError, RecursionError: an output cannot be written as JSON.
    """
    blobs: _Blobs = {}
    header = {
        "sessions": [_session(session, blobs) for session in transcript.sessions],
        "readings": transcript.readings,
        "files": transcript.files,
        "figures": transcript.figures,
    }
    text = json.dumps(header, allow_nan=False, separators=(",", ":")).encode("ascii")
    return pack({}, {_TRANSCRIPT: text, **{str(number): blob for blob, number in blobs.items()}})


def _session(session: Session, blobs: _Blobs) -> dict[str, Any]:
    return {
        "label": session.label,
        "events": [_event(event, blobs) for event in session.events],
        "executed": session.executed,
        "cpu_seconds": session.cpu_seconds,
        "peak_memory_mib": session.peak_memory_mib,
        "ended": None if session.ended is None else [session.ended[0].value, session.ended[1]],
        "ended_at": session.ended_at,
    }


def _event(event: CellEvent | ReplyEvent, blobs: _Blobs) -> list[Any]:
    if isinstance(event, ReplyEvent):
        if event.reply is None:
            return ["lost", event.request, event.lost]
        return ["said", event.request, *(_blob(part, blobs) for part in (event.reply.text, *event.reply.buffers))]
    run = event.run
    limit = None if run.limit is None else run.limit.value
    return [
        "ran", event.source, run.status, list(run.outputs), run.execution_count, run.seconds, run.error, limit,
        run.waited_seconds,
    ]  # fmt: skip


def _blob(part: bytes, blobs: _Blobs) -> int:
    return blobs.setdefault(part, len(blobs))


def from_bytes(data: bytes) -> Transcript:
    """Read the transcript, equal to the one that :func:`to_bytes` got.

    Raises:
        ValueError, TypeError, LookupError, RecursionError: the bytes are no transcript.
    """
    _, files = unpack(data)
    header = loads(files.pop(_TRANSCRIPT), object_pairs_hook=_once)
    blobs = [files[str(number)] for number in range(len(files))]
    return Transcript(
        sessions=tuple(_read_session(one, blobs) for one in _list(header["sessions"])),
        readings=tuple(_number(one) for one in _list(header["readings"])),
        files=tuple(_whole(one) for one in _list(header["files"])),
        figures=tuple(_whole(one) for one in _list(header["figures"])),
    )


def _read_session(row: Mapping[str, Any], blobs: Sequence[bytes]) -> Session:
    events = tuple(_read_event(_list(event), blobs) for event in _list(row["events"]))
    peak, ended = row["peak_memory_mib"], row["ended"]
    if not 0 <= _whole(row["executed"]) <= len(events):
        raise ValueError("more executed than there is")
    return Session(
        label=_text(row["label"]),
        events=events,
        executed=row["executed"],
        cpu_seconds=_number(row["cpu_seconds"]),
        peak_memory_mib=None if peak is None else _number(peak),
        ended=None if ended is None else (RunStatus(ended[0]), _text(ended[1])),
        ended_at=_whole(row["ended_at"]),
    )


def _read_event(row: list[Any], blobs: Sequence[bytes]) -> CellEvent | ReplyEvent:
    match row:
        case ["said", request, text, *buffers]:
            parts = [blobs[_whole(part)] for part in (text, *buffers)]
            return ReplyEvent(_text(request), Packed(parts[0], parts[1:]))
        case ["lost", request, reason]:
            return ReplyEvent(_text(request), None, _text(reason))
        case ["ran", source, status, outputs, count, seconds, error, limit, waited]:
            if status not in ("ok", "error", "timed_out", "not_run", "skipped"):
                raise ValueError("no status of a cell")
            run = CellRun(
                status,
                tuple(_output(one) for one in _list(outputs)),
                None if count is None else _whole(count),
                _number(seconds),
                None if error is None else _text(error),
                None if limit is None else RunStatus(limit),
                _number(waited),
            )
            return CellEvent(_text(source), run)
        case _:
            raise ValueError("no event")


def _output(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise TypeError("no output")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a key twice")
    return record


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise TypeError("no list")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("no text")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("no whole number")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise TypeError("no number")
    return float(value)
