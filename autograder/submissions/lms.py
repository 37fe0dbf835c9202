"""Layouts of learning systems' exports: names alone tell whose each file is, and where each notebook belongs.

How learning systems name things is in :mod:`~autograder.submissions.names`.
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
from autograder.submissions.names import (
    COPY_SUFFIX,
    FOLDER_SYSTEMS,
    PACKED,
    SYSTEMS,
    Names,
    is_archive,
    is_bare_export,
    is_notebook,
    stem_of,
    time_in_name,
)


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
    rest: str = ""
    """Of a file whose student was taken to be what stands before the first ``_``: what follows."""
    is_guessed: bool = False
    """Whether it was: nothing says that a person is meant."""
    problem: str = ""


def find_items(
    members: Iterable[Member],
    assignment: str,
    others: Iterable[str] = (),
    title: str = "",
    expected: tuple[str, ...] = (),
) -> tuple[Item, ...]:
    """Find the submissions of ``assignment``, sorted by name; doubtful ones have a ``problem``.

    Args:
        members: the files of the source.
        assignment: the assignment's name.
        others: all assignments of the course; folders of the others are passed over.
        title: the assignment's title, as learning systems may have it.
        expected: file names of the assignment's notebooks.
    """
    members = tuple(members)
    base = "submitted/" if members and all(m.name.startswith("submitted/") for m in members) else ""
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(member.name.removeprefix(base).split("/")[0], []).append(member)
    items: list[Item] = []
    names = Names(assignment, title, [top for top, group in groups.items() if group[0].name == base + top])
    for top, group in sorted(groups.items()):
        if top in ("", ".", ".."):
            items += [Item(m.name, problem=m.problem or "a strange path") for m in group]
        elif len(group) == 1 and group[0].name == base + top:
            items += [] if names.is_of_system(top) else [_file(group[0], top, names)]
        else:
            items += _folder(group, base, top, assignment, frozenset(others))
    return _tell_apart(_join_loose(_refuse_merged(items, expected)))


def _file(member: Member, name: str, names: Names) -> Item:
    """Read the name of a file at the top: a notebook or an archive, named after the student."""
    item = Item(name, (member,), time=member.modified, is_archive=is_archive(name), problem=member.problem)
    if not item.is_archive and not is_notebook(name):
        return replace(item, problem=item.problem or "neither a notebook nor an archive")
    if is_bare_export(name, names.assignment):
        return replace(item, problem=item.problem or _EXPORT)
    stem = stem_of(name)
    escaped = re.escape(names.assignment)
    if found := next(filter(None, (SYSTEMS[key].fullmatch(stem) for key in ("Moodle", "Canvas", "Brightspace"))), None):
        item = _timed(replace(item, student=found["student"], key=found["key"]), found)
    elif (found := SYSTEMS["Blackboard"].fullmatch(stem)) and (
        (student := names.student(found["title_and_student"])) or names.all_attempts
    ):
        if not student:
            return replace(item, student=None, problem=item.problem or _UNKNOWN_TITLE)
        item = _timed(replace(item, student=student), found)
    elif item.is_archive and (found := re.fullmatch(PACKED.format(escaped, COPY_SUFFIX), stem)):
        item = replace(item, student=found["student"], is_given=False)
    elif found := re.fullmatch(rf"(?P<student>.+?) - (?:{'|'.join(map(re.escape, names.titles))}){COPY_SUFFIX}", stem):
        item = replace(item, student=found["student"])  # Google Classroom's copy for each student
    else:
        student, separator, rest = stem.partition("_")
        item = replace(item, student=student, is_given=bool(separator), rest=rest, is_guessed=True)
        if item.student == names.assignment:
            return replace(item, student=None, problem=_NO_STUDENT)
    return _named(item)


_EXPORT = "otter's export named it after the notebook; name it after the student (jane.zip)"
_NO_STUDENT = "it is named after the assignment, not after a student"
_UNKNOWN_TITLE = (
    "it has a name of Blackboard's, in which the assignment's title cannot be told from the student's name: give the "
    "assignment that title in course.yaml, or name the file after the student"
)


def _timed(item: Item, found: re.Match[str]) -> Item:
    """Set the time that the learning system put into the name, if it did."""
    time = time_in_name(found.groupdict().get("time") or "")
    return replace(
        item, time=time or item.time, members=tuple(replace(m, modified=time or m.modified) for m in item.members)
    )


def _named(item: Item) -> Item:
    try:
        return replace(item, student=student_name(item.student or ""))
    except SubmissionError as error:
        return replace(item, student=None, problem=item.problem or str(error))


def _folder(group: list[Member], base: str, top: str, assignment: str, others: frozenset[str]) -> list[Item]:
    """Read the names in a folder at the top, named after a student: nbgrader's, or a learning system's."""
    found = next(filter(None, (SYSTEMS[key].fullmatch(top) for key in FOLDER_SYSTEMS)), None)
    item = Item(top, student=found["student"] if found else top, key=found["key"] if found else "")
    item = _named(item)
    if found is None and top in others | {assignment}:
        return [replace(item, student=None, problem=item.problem or _NO_STUDENT)]
    if found is not None and (time := time_in_name(found.groupdict().get("time") or "")):
        group = [replace(member, modified=time) for member in group]
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


def _refuse_merged(items: list[Item], expected: tuple[str, ...]) -> list[Item]:
    """Refuse uploads that would become one student though nothing but the beginning of their names says so."""
    rests: dict[str, set[tuple[str, str]]] = {}
    for item in items:
        if item.is_guessed and item.student is not None:
            place = "" if item.is_archive else _notebook(item.name, expected, alone=False)
            rest = re.sub(rf"{COPY_SUFFIX}$", "", item.rest)
            rests.setdefault(item.student, set()).add((place if place in expected else "", rest))

    def merged(item: Item) -> int:
        found = rests.get(item.student or "", set())
        places = [place for place, _ in found]
        twice = any(places.count(place) > 1 for place in expected)
        known = set(places) & set(expected) or not expected
        return (
            0 if not item.is_guessed or (known and not twice and not item.is_archive) or len(found) < 2 else len(found)
        )

    return [
        replace(
            item,
            problem=item.problem
            or f"{count} uploads with different names would become the one student “{one_line(item.student or '')}”; "
            "give each file a name that begins with the student's and “_”",
        )
        if (count := merged(item))
        else item
        for item in items
    ]


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
        if first is not None and (target == name or target in files or _later(first, files[name])):
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


def _later(one: Member, other: Member) -> bool:
    """Tell whether ``one`` is not the earlier upload. Canvas numbers uploads and dates all alike; else dates tell."""
    counts = [int(re.sub(r"\D", "", re.search(rf"{COPY_SUFFIX}$", stem_of(m.name))[0]) or 0) for m in (one, other)]  # type: ignore[index]
    if all(SYSTEMS["Canvas"].fullmatch(stem_of(m.name)) for m in (one, other)):
        return counts[0] >= counts[1]
    return (_age(one), counts[0]) >= (_age(other), counts[1])


def _age(member: Member) -> datetime:
    return member.modified or datetime.min.replace(tzinfo=UTC)


def _notebook(name: str, expected: tuple[str, ...], *, alone: bool) -> str:
    if name in expected:
        return name
    stem = name[: -len(".ipynb")]
    # The longest first: “p1” is the end of “warm_p1” too.
    for candidate in sorted(expected, key=len, reverse=True):
        own = re.escape(candidate.removesuffix(".ipynb"))
        if re.fullmatch(rf"(?:.*_)?{own}{COPY_SUFFIX}", stem):
            return candidate
    return expected[0] if alone and len(expected) == 1 else stem + ".ipynb"
