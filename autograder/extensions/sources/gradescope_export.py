"""Submissions as Gradescope hands them out: a folder for each, and a file that says whose each is.

The file submission_metadata.yml lies beside the folders: ``submission_22: {:submitters: […], :created_at: …}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from autograder._util.student_names import student_name
from autograder.errors import SubmissionError
from autograder.submissions.folder import read_chunks
from autograder.submissions.lms import Item
from autograder.submissions.members import CLASS, MIB, Member
from autograder.submissions.registered_sources import SourceRequest
from autograder.term.people import Roster, load_roster

METADATA = "submission_metadata.yml"
_METADATA = replace(CLASS, member_bytes=100 * MIB)
"""Limits for that file."""
_FOLDER = re.compile(r"submission_\d+")


def find_export(request: SourceRequest) -> tuple[Path, tuple[Item, ...]] | None:
    """Find the submissions of an export; None if the source is none.

    An export has folders of submissions beside the file, and nothing else: a student's file of that name is none.

    Raises:
        SubmissionError: the file cannot be read.
    """
    root, members = request.opened
    candidates = [m.name for m in members if f"/{m.name}".endswith(f"/{METADATA}") and m.name.count("/") < 2]
    outside = [name for name in candidates if not _FOLDER.fullmatch(name.split("/")[0])]
    metadata = min(outside, key=lambda name: name.count("/"), default="")
    base = metadata.removesuffix(METADATA)
    folders: dict[str, list[Member]] = {}
    for member in members:
        if member.name != metadata:
            folders.setdefault(member.name.removeprefix(base).split("/")[0], []).append(member)
    if not metadata or not folders or not all(map(_FOLDER.fullmatch, folders)):
        return None
    facts = _read(b"".join(read_chunks(root, metadata, _METADATA)))
    roster = load_roster(request.course)
    items: list[Item] = []
    for name, group in sorted(folders.items()):
        item = _item(name, facts.get(name), roster)
        submissions = request.in_folder(item, group, f"{base}{name}/")
        items += submissions or [Item(name, problem="it has no files for this assignment")]
    return root, tuple(items)


class _Texts(yaml.BaseLoader):
    """A loader of mappings, lists, texts and nothing else: how a name looks is its owner's choice."""


_NULL = "tag:yaml.org,2002:null"
_Texts.add_implicit_resolver(_NULL, re.compile(r"(?:~|null|)\Z"), ["~", "n", ""])
_Texts.add_constructor(_NULL, lambda _loader, _node: None)


def _read(content: bytes) -> Mapping[str, Any]:
    """Read the file.

    Raises:
        SubmissionError: it is no such file.
    """
    try:
        facts = yaml.load(content, _Texts)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SubmissionError(f"{METADATA} cannot be read: {type(error).__name__}.") from error
    if not isinstance(facts, dict):
        raise SubmissionError(f"{METADATA} lists no submissions.")
    return facts


def _item(name: str, facts: Any, roster: Roster) -> Item:
    """Make the item of a submission: whose it is, with whom, and when Gradescope got it."""
    facts = facts if isinstance(facts, dict) else {}
    listed = facts.get(":submitters")
    submitters = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    try:
        people = [_person(one, roster) for one in submitters]
    except SubmissionError as error:
        return Item(name, problem=str(error))
    if not people:
        return Item(name, problem=f"{METADATA} does not say whose it is")
    time = _moment(facts.get(":created_at"))
    return Item(name, student=people[0], team=tuple(people[1:]), received=time, is_told=True)


def _person(facts: Mapping[str, Any], roster: Roster) -> str:
    """Return a submitter's id: by e-mail or number in the roster, else the number, the e-mail or the name.

    Raises:
        SubmissionError: none of them can be a name.
    """
    number, email, name = (str(facts.get(key) or "").strip() for key in (":sid", ":email", ":name"))
    for label in filter(None, (email, number)):
        if (person := roster.called(label) or roster.with_id("sis_id", label)) is not None:
            return person.id
    return student_name(number or email or name)


def _moment(value: Any) -> datetime | None:
    """Read a time, which has a zone there, after a space; None if it is none."""
    try:
        moment = datetime.fromisoformat(re.sub(r" (?=(?:Z|[+-][\d:]+)$)", "", str(value)))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
