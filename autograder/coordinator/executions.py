"""What recordings were made with, so that a batch can say why a notebook is executed again.

``.autograder/executions/<assignment>.json`` names, for each student, the key of the last execution, and what is in each
of these keys. It decides nothing: without it, or where it is damaged, no reason is given.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder._util.files import write_atomically
from autograder.coordinator import recordings
from autograder.coordinator.batch import earlier
from autograder.coordinator.cache_keys import execution_parts
from autograder.errors import HostError
from autograder.exchange.work import Work, preload, released_modules
from autograder.records.course import Course

VERSION = 1
"""Version of the file; another one counts as none."""
MAX_NAMED = 6
"""Largest number of packages that a sentence names."""
_VISIBLE_CODE = "the code that students see, or where the tests stand in it"
_NAMES = {
    "kit": "version of the kit",
    "code": "the kit's own code",
    "sandbox": "sandbox",
    "interpreter": "Python",
    "limits": "limits",
    "preload": "libraries that are imported first",
    "files": "released files",
}
"""What a key has beside packages, for people."""
_PACKAGE = re.compile(r"(.+?)-([^-]+?)(?:-py[0-9.]+)?\.(?:dist|egg)-info")


def reasons(course: Course, works: Sequence[Work]) -> list[str]:
    """Say why recordings do not fit any more, a sentence for each cause: ``30 recordings …: numpy 2.4.5 → 2.4.6``.

    Args:
        course: the course.
        works: works of one assignment that are due.
    """
    record = _read(course, works[0].assignment.name) if works else {}
    if not record:
        return []
    now = _parts(works[0])
    stale = (key for work in works if (key := record["students"].get(work.student)) and _is_lost(work))
    causes: Counter[str] = Counter()
    for key, count in Counter(stale).items():
        same = _VISIBLE_CODE if key == works[0].execution else "their environment"
        causes["; ".join(differences(record["environments"].get(key, {}), now)) or same] += count
    return [
        f"{count} recording{'s do' if count > 1 else ' does'} not fit any more, so notebooks are executed again: "
        f"{cause}"
        for cause, count in causes.items()
    ]


def keep(course: Course, works: Sequence[Work]) -> None:
    """Remember what the recordings of these works were made with; a fault in writing costs a reason, and no grade."""
    recorded = [work for work in works if recordings.are_kept(work)]
    if not recorded:
        return
    name = recorded[0].assignment.name
    record = _read(course, name) or {"students": {}, "environments": {}}
    students = record["students"] | {work.student: work.execution for work in recorded}
    environments = record["environments"] | {recorded[0].execution: _parts(recorded[0])}
    used = {key: parts for key, parts in environments.items() if key in students.values()}
    content = {"version": VERSION, "students": students, "environments": used}
    try:
        write_atomically(_path(course, name), json.dumps(content, sort_keys=True))
    except HostError:
        return


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Name what differs between the parts of two keys: ``numpy 2.4.5 → 2.4.6``."""
    before, after = (dict(_versions(parts.get("packages", ()))) for parts in (then, now))
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    changes = [f"{name} {before.get(name, 'none')} → {after.get(name, 'none')}" for name in changed[:MAX_NAMED]]
    if len(changed) > MAX_NAMED:
        changes.append(f"{len(changed) - MAX_NAMED} more packages")
    sentences = [", ".join(changes)] if changes else []
    return sentences + [title for name, title in _NAMES.items() if then.get(name) != now.get(name)]


def _versions(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for match in filter(None, map(_PACKAGE.fullmatch, names)):
        yield match[1].lower().replace("_", "-"), match[2]


def _is_lost(work: Work) -> bool:
    """Tell whether a submission that has not changed had a recording, and has none now."""
    grade = earlier(work)
    same = grade is not None and grade.content_keys.get("submission") == work.content_keys.get("submission")
    return same and not recordings.are_kept(work)


def _parts(work: Work) -> dict[str, Any]:
    first = preload(work.assignment, released_modules(work))
    parts = execution_parts(work.assignment, work.content_keys["files"], first)
    return json.loads(json.dumps(parts))  # type: ignore[no-any-return]  # as it is read


def _path(course: Course, assignment: str) -> Path:
    return course.state / "executions" / f"{assignment}.json"


def _read(course: Course, assignment: str) -> dict[str, Any]:
    try:
        content = json.loads(_path(course, assignment).read_bytes())
        usable = content["version"] == VERSION and isinstance(content["students"], dict)
        return content if usable and isinstance(content["environments"], dict) else {}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return {}
