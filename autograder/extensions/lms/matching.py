"""Matching of students of this course, and the people that a learning system lists.

A match is one to one, or there is none. What is surest decides first: numbers that the system gave, then login names
and addresses, then full names.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

CANVAS, PARTICIPANT, SUBJECT, REGISTRY = "canvas", "participant", "lti", "registry"
"""Kinds of numbers: Canvas's own, Moodle's for one assignment, LTI's, and the university's, which all may have."""


def numbers(kind: str, values: Iterable[str]) -> tuple[str, ...]:
    """Return numbers with their kind: the same digits of two kinds are two people."""
    return tuple(f"{kind}:{value.strip().lstrip('#')}" for value in values if value.strip())


@dataclass(frozen=True)
class PersonNames:
    """All names of one person, on either side."""

    ids: tuple[str, ...] = ()
    """Numbers, each with its kind, such as :data:`CANVAS`, and ``:`` before it."""
    logins: tuple[str, ...] = ()
    """Login names and mail addresses."""
    names: tuple[str, ...] = ()
    """Full names, as ``Jane Doe`` or ``Doe, Jane``."""
    claimed: tuple[str, ...] = ()
    """Numbers of a student, with their kind, that came with the name alone: nobody is found by them."""
    waits: str = ""
    """Why nothing may be handed over to anybody; empty: it may."""


@dataclass(frozen=True)
class Matched:
    """The result: pairs, and who is left."""

    pairs: Mapping[str, int]
    """Student → index of the person in the learning system."""
    by_name: tuple[str, ...]
    """Students of whom nothing but the full name fits."""
    unclear: Mapping[str, str]
    """Student → why they have no pair."""
    unsure: tuple[str, ...] = ()
    """Students whose hand-in a name alone told, and whom a login or an address finds here."""


def match(students: Mapping[str, PersonNames], people: Sequence[PersonNames]) -> Matched:
    """Match students (by their folder's name) with a learning system's people."""
    pairs: dict[str, int] = {}
    by_name: list[str] = []
    unclear = dict.fromkeys(students, "nobody there fits")
    for level in (_ids, _logins, _names):
        fitting = _fitting(students, people, level, pairs)
        wanted = Counter(person for found in fitting.values() for person in found)
        for student, candidates in fitting.items():
            if len(candidates) == 1 and wanted[candidates[0]] == 1:
                pairs[student] = candidates[0]
                by_name += [student] if level is _names else []
            else:
                unclear[student] = "more than one person fits"
    for student, person in list(pairs.items()):
        if doubt := _doubt(students[student], people[person], by_name=student in by_name):
            unclear[student] = doubt
            del pairs[student]
    by_name = [student for student in by_name if student in pairs]
    unsure = (student for student in pairs if not set(students[student].claimed) <= set(people[pairs[student]].ids))
    return Matched(
        pairs,
        tuple(sorted(by_name)),
        {name: why for name, why in sorted(unclear.items()) if name not in pairs},
        tuple(sorted(unsure)),
    )


def _doubt(student: PersonNames, person: PersonNames, *, by_name: bool) -> str:
    """Return why a student's result is not handed over to a person who fits; empty if it is.

    A number that came with a name alone needs a second source: a number, a login or an address that fits, too.
    """
    if student.waits or not student.claimed:
        return student.waits
    number = student.claimed[0].partition(":")[2]
    if by_name:
        return f"nothing but the name says whose number {number} is; see `autograder people confirm`"
    kind = student.claimed[0].partition(":")[0] + ":"
    theirs = {text for text in person.ids if text.startswith(kind)}
    if theirs and not theirs & set(student.claimed):
        actual = min(theirs).removeprefix(kind)
        return f"it came under number {number}, and the person who fits has {actual}; see `autograder people confirm`"
    return ""


def _fitting(
    students: Mapping[str, PersonNames],
    people: Sequence[PersonNames],
    level: Callable[[PersonNames], set[str]],
    pairs: Mapping[str, int],
) -> dict[str, list[int]]:
    """Find, for each student without a pair, the people without one who share a key of this level."""
    owners: dict[str, set[int]] = {}
    paired = set(pairs.values())
    for number, person in enumerate(people):
        if number not in paired:
            for key in level(person):
                owners.setdefault(key, set()).add(number)
    candidates = {
        student: sorted(set().union(*(owners.get(key, set()) for key in level(identity))))
        for student, identity in students.items()
        if student not in pairs
    }
    return {student: fitting for student, fitting in candidates.items() if fitting}


def _ids(identity: PersonNames) -> set[str]:
    return {_plain(text) for text in identity.ids} - {""}


def _logins(identity: PersonNames) -> set[str]:
    return {_plain(text) for text in identity.logins} - {""}


def _names(identity: PersonNames) -> set[str]:
    return {name for text in identity.names for name in spellings(text)} - {""}


def _plain(text: str) -> str:
    """Drop what tells nobody apart: case, spaces around, the mark # before Brightspace's numbers."""
    return unicodedata.normalize("NFC", text).strip().lstrip("#").casefold()


def spellings(name: str) -> set[str]:
    """Return a full name's letters, in the order of speech and of lists: ``janedoe`` and ``doejane``.

    Canvas names files ``doejane``, Moodle ``Jane Doe``; lists have ``Doe, Jane``.
    """
    last, comma, first = name.partition(",")
    parts = [first, last] if comma else [name]
    words = [_letters(word) for part in parts for word in re.split(r"[\s_]+", part)]
    words = [word for word in words if word]
    results = {"".join(words)}
    if comma:
        results.add(_letters(last) + _letters(first))
    elif len(words) > 1:
        results.add(words[-1] + "".join(words[:-1]))
    return results


def _letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFC", text).casefold() if c.isalnum())
