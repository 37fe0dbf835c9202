"""Layouts of learning systems' exports: names alone tell whose each file is, and where each notebook belongs.

A name begins with the learning system's part; the rest may be the student's own choice. So every
pattern reads the student from the front.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from autograder._util.text import one_line
from autograder.errors import SubmissionError
from autograder.submissions.manifest import MANIFEST, TIMESTAMP, student_name
from autograder.submissions.members import MIB, SUBMISSION, Member, collision_key

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
_MOODLE = re.compile(r"(?P<student>.+?)_(?P<key>\d+)_assignsubmission_(?:file|onlinetext)(?:_(?P<rest>.*))?")
_CANVAS = re.compile(r"(?P<student>[^_]+)_(?:LATE_)?(?P<key>\d+)_\d+_(?P<rest>.+)")
_BLACKBOARD = r"(?i:{})_(?P<student>.+?)_attempt_(?P<time>\d{{4}}(?:-\d\d){{5}})(?:_(?P<rest>.*))?"
_PACKED = r"{}-(?P<student>.+)-\d{{8}}T\d{{6}}Z{}"
_COPY = r"(?:-\d{1,3}| ?\(\d{1,3}\))?"
"""Suffix that learning systems and browsers append to a second copy of a file."""


@dataclass(frozen=True, slots=True)
class Item:
    """One submission in the source, before its content is read."""

    name: str
    """Name in the source."""
    members: tuple[Member, ...] = ()
    """Files of it, named from the source's root; for an archive, the archive itself."""
    prefix: str = ""
    """Folder of the members, with ``/``."""
    student: str | None = None
    """None: no name was given from outside; only the archive's own manifest can tell."""
    is_archive: bool = False
    is_given: bool = True
    """Whether the learning system or the instructor gave the name, so that it outweighs the archive's own."""
    is_timed: bool = False
    """Whether a timestamp.txt among the members is nbgrader's and not the student's."""
    time: datetime | None = None
    key: str = ""
    """The learning system's number of the student: two people may have one name."""
    problem: str = ""


def is_notebook(name: str) -> bool:
    """Tell whether it is a notebook's name."""
    return name.lower().endswith(".ipynb")


def is_archive(name: str) -> bool:
    """Tell whether it is an archive's name."""
    return name.lower().endswith(ARCHIVES)


def find_items(members: Iterable[Member], assignment: str, others: Iterable[str] = ()) -> tuple[Item, ...]:
    """Find the submissions of ``assignment``, sorted by name; doubtful ones have a ``problem``.

    Args:
        members: the files of the source.
        assignment: the assignment's name.
        others: all assignments of the course; folders of the others are passed over.
    """
    members = tuple(members)
    base = "submitted/" if members and all(m.name.startswith("submitted/") for m in members) else ""
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(member.name.removeprefix(base).split("/")[0], []).append(member)
    items: list[Item] = []
    for top, group in sorted(groups.items()):
        if top in ("", ".", ".."):
            items += [Item(m.name, problem=m.problem or "a strange path") for m in group]
        elif len(group) == 1 and group[0].name == base + top:
            items.append(_file(group[0], top, assignment))
        else:
            items += _folder(group, base, top, assignment, frozenset(others))
    return _tell_apart(_join_loose(items))


def _file(member: Member, name: str, assignment: str) -> Item:
    """Read the name of a file at the top: a notebook or an archive, named after the student."""
    item = Item(name, (member,), time=member.modified, is_archive=is_archive(name), problem=member.problem)
    if not item.is_archive and not is_notebook(name):
        return replace(item, problem=item.problem or "neither a notebook nor an archive")
    suffix = next((s for s in (".ipynb", *ARCHIVES) if name.lower().endswith(s)), "")
    stem = name[: len(name) - len(suffix)]
    escaped = re.escape(assignment)
    if found := _MOODLE.fullmatch(stem) or _CANVAS.fullmatch(stem):
        item = replace(item, student=found["student"], key=found["key"])
    elif found := re.fullmatch(_BLACKBOARD.format(escaped), stem):
        time = _attempt(found["time"]) or item.time
        item = replace(item, student=found["student"], time=time, members=(replace(member, modified=time),))
    elif item.is_archive and (found := re.fullmatch(_PACKED.format(escaped, _COPY), stem)):
        item = replace(item, student=found["student"], is_given=False)
    else:
        item = replace(item, student=stem.split("_")[0], is_given="_" in stem)
        if item.student == assignment:
            return replace(item, student=None, problem="it is named after the assignment, not after a student")
    return _named(item)


def _attempt(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d-%H-%M-%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _named(item: Item) -> Item:
    try:
        return replace(item, student=student_name(item.student or ""))
    except SubmissionError as error:
        return replace(item, student=None, problem=item.problem or str(error))


def _folder(group: list[Member], base: str, top: str, assignment: str, others: frozenset[str]) -> list[Item]:
    """Read the names in a folder at the top, named after a student: nbgrader's, or a learning system's."""
    found = _MOODLE.fullmatch(top)
    item = Item(top, student=found["student"] if found else top, key=found["key"] if found else "")
    item = _named(item)
    here, inner = f"{base}{top}/", f"{base}{top}/{assignment}/"
    inside = [m.name.removeprefix(here) for m in group]
    if chosen := tuple(m for m in group if m.name.startswith(inner)):
        return [_limited(replace(item, members=chosen, prefix=inner, is_timed=found is None))]
    if any(is_notebook(name) and "/" not in name for name in inside):
        return [_limited(replace(item, members=tuple(group), prefix=here))]
    if archives := [m for m in group if is_archive(m.name) and m.name.count("/") == here.count("/")]:
        return [
            replace(
                item,
                name=m.name.removeprefix(base),
                members=(m,),
                is_archive=True,
                time=m.modified,
                problem=item.problem or m.problem,
            )
            for m in archives
        ]
    group = [m for m, name in zip(group, inside, strict=True) if name.split("/")[0] not in others]
    if not group:
        return []
    if bad := next((m for m in group if m.problem), None):
        return [replace(item, problem=f"“{one_line(bad.name)}” is refused: {bad.problem}")]
    return [replace(item, problem=f"there is no notebook in {one_line(top)}/ or {one_line(top)}/{assignment}/")]


def _limited(item: Item) -> Item:
    """Set the newest notebook's time, and refuse files that break a limit.

    A limit is on each file, on their number, and on their total size; a file with a problem refuses the item, too.
    """
    times = [m.modified for m in item.members if is_notebook(m.name) and m.modified is not None]
    item = replace(item, time=max(times, default=item.time))
    bad = next((m for m in item.members if m.problem), None)
    large = next((m for m in item.members if m.size > SUBMISSION.member_bytes), None)
    if bad is not None:
        problem = f"“{one_line(bad.name)}” is refused: {bad.problem}"
    elif large is not None:
        problem = f"“{one_line(large.name)}” is larger than {SUBMISSION.member_bytes // MIB} MiB"
    elif len(item.members) > SUBMISSION.members:
        problem = f"it has more than {SUBMISSION.members} files"
    elif sum(m.size for m in item.members) > SUBMISSION.total_bytes:
        problem = f"its files are more than {SUBMISSION.total_bytes // MIB} MiB together"
    else:
        return item
    return replace(item, problem=item.problem or problem)


def _join_loose(items: list[Item]) -> list[Item]:
    """Join loose notebooks of one student to one submission."""
    joined: dict[object, Item] = {}
    for number, item in enumerate(items):
        loose = item.student is not None and not item.is_archive and not item.prefix and not item.problem
        key: object = (item.student, item.key) if loose else number
        if (first := joined.get(key)) is None:
            joined[key] = item
        else:
            both = replace(first, name=f"{first.name}, {item.name}", members=first.members + item.members)
            joined[key] = _limited(both)
    return [_limited(i) if i.members and not i.is_archive else i for i in joined.values()]


def _tell_apart(items: Iterable[Item]) -> tuple[Item, ...]:
    """Refuse items of different people with one name, and of names that differ only in case."""
    items = tuple(items)
    people: dict[str, set[tuple[str, str]]] = {}
    for item in items:
        if item.student is not None:
            people.setdefault(collision_key(item.student), set()).add((item.student, item.key))

    def ambiguous(item: Item) -> bool:
        found = people.get(collision_key(item.student or ""), set())
        return len({name for name, _ in found}) > 1 or len({key for _, key in found if key}) > 1

    problem = "more than one person has this name here (but for case); give their files names that differ"
    return tuple(replace(i, problem=i.problem or (problem if ambiguous(i) else "")) for i in items)


def place(
    files: Mapping[str, Member], expected: tuple[str, ...], *, is_loose: bool
) -> tuple[dict[str, str], list[str]]:
    """Decide where each file goes: target name → member's name; and write notes for a person.

    A notebook at the top that was renamed by a browser, a learning system or the student gets its name back if only one
    can be meant.

    Args:
        files: the files of the submission.
        expected: the file names of the assignment's notebooks.
        is_loose: whether the files lay in no folder of their own.
    """
    targets: dict[str, Member] = {}
    notes: list[str] = []
    tops = [name for name in files if is_notebook(name) and "/" not in name]
    for name in sorted(files, key=lambda n: (n not in expected, n)):
        if name in (MANIFEST, TIMESTAMP):
            continue
        target = _notebook(name, expected, alone=len(tops) == 1) if name in tops else name
        first = targets.get(target)
        if first is not None and (target == name or target in files or _age(first) >= _age(files[name])):
            notes.append(f"another copy, {one_line(name)}, was left out")
            continue
        if first is not None:
            notes.append(f"another copy, {one_line(first.name)}, was left out")
        elif target != name and not is_loose:
            notes.append(f"{one_line(name)} was taken for {target}")
        targets[target] = files[name]
    if tops and expected and not set(expected) & set(targets):
        notes.append(f"none of its notebooks is {' or '.join(expected)}")
    return {target: member.name for target, member in targets.items()}, notes


def _age(member: Member) -> datetime:
    return member.modified or datetime.min.replace(tzinfo=UTC)


def _notebook(name: str, expected: tuple[str, ...], *, alone: bool) -> str:
    if name in expected:
        return name
    stem = name[: -len(".ipynb")]
    # The longest first: “p1” is the end of “warm_p1” too.
    for candidate in sorted(expected, key=len, reverse=True):
        own = re.escape(candidate.removesuffix(".ipynb"))
        if re.fullmatch(rf"(?:.*_)?{own}{_COPY}", stem):
            return candidate
    return expected[0] if alone and len(expected) == 1 else stem + ".ipynb"
