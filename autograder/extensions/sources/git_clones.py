"""Folders of git clones, one for each student: the newest commit that is in time is the hand-in.

Dates of commits are the student's own word. A time that counts for all, told by the instructor, outweighs them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from autograder._util.student_names import student_name
from autograder._util.text import is_same_text, one_line
from autograder._util.time_zones import in_words, placed
from autograder._util.yaml_record import aware
from autograder.errors import SubmissionError
from autograder.extensions.sources.git_objects import Commit, GitObjects, TreeEntry
from autograder.submissions.export_names import is_notebook
from autograder.submissions.hand_ins import HandIns
from autograder.submissions.lms import Item, limited
from autograder.submissions.members import (
    LARGEST,
    Member,
    is_junk,
    mark_collisions,
    name_problem,
    submission_limits,
    write_new,
)
from autograder.submissions.notebook_inspection import has_same_cells
from autograder.submissions.placement import answer_named, place_files
from autograder.submissions.registered_sources import SourceRequest
from autograder.term.people import UNLISTED, Roster

LAYOUT, COLUMN = "git", "github"
"""Name of the layout, and the roster's column with students' names there."""


def find_clones(request: SourceRequest) -> tuple[Path, tuple[Item, ...]] | None:
    """Find a hand-in in each clone of a folder; None if the instructor did not name this layout.

    Raises:
        SubmissionError: the source is no folder.
        HostError: git is not installed.
    """
    if request.layout != LAYOUT:
        return None
    if not request.path.is_dir():
        raise SubmissionError("It is no folder: name the folder that the clones lie in.")
    root = request.staging / "commits"
    root.mkdir()
    hand_ins = HandIns(request.course)
    folders = [path for path in sorted(request.path.iterdir()) if not path.name.startswith(".") and path.is_dir()]
    items: list[Item] = []
    for number, folder in enumerate(folders):
        item = Item(folder.name, is_told=True)
        try:
            item = replace(item, student=_student(request, folder.name, hand_ins.term.roster))
            items += _hand_in(request, item, folder, f"{number}/", root, hand_ins)
        except SubmissionError as error:
            items.append(replace(item, problem=str(error)))
    return root, tuple(items)


def _student(request: SourceRequest, name: str, roster: Roster) -> str:
    """Return whose a clone is: by the roster's logins, people and teams, or else the name itself.

    Raises:
        SubmissionError: it is no name; or a login, which its user chose, is the name of somebody in the roster.
    """
    name = name.removesuffix(".git")
    titles = {request.assignment, request.course.assignments[request.assignment].title}
    login = next((name[len(each) + 1 :] for each in titles if name.casefold().startswith(f"{each}-".casefold())), "")
    if person := roster.with_id(COLUMN, login or name):
        return person.id
    person = roster.called(login or name)
    if login and person is not None and person.status != UNLISTED:
        raise SubmissionError(_WHOSE.format(one_line(login, 60)))
    if person is not None:
        return person.id
    team = sorted(one.id for one in roster.people if one.team and one.team.casefold() == (login or name).casefold())
    return team[0] if team and not login else student_name(login or name)


_WHOSE = (
    f"“{{}}” is a login, which its user chose, and a name in the roster: say whose it is in the column {COLUMN} of "
    "people.csv, or name the clone's folder after the student alone"
)


def _hand_in(
    request: SourceRequest, item: Item, folder: Path, prefix: str, root: Path, hand_ins: HandIns
) -> list[Item]:
    """Read the commit that counts, and write its files below ``root``.

    Raises:
        SubmissionError: there is no repository, it cannot be read, or no commit is there.
    """
    copy = request.staging / "objects"
    try:
        objects = GitObjects(_repository(folder, request.assignment), copy)
        chosen = _chosen(objects, item.student or "", request, hand_ins)
        objects.require_named(chosen.commit.id)
        entries = {f"{prefix}{entry.path}": entry for entry in objects.entries(chosen.commit.id)}
        members = _members(entries, chosen.commit.time)
        left_out = [entry.path for entry in entries.values() if not entry.is_file]
        notes = (*chosen.notes, *_left_out_notes(left_out))
        item = replace(item, origin=chosen.origin, received=chosen.commit.time, notes=notes)
        limits = submission_limits(request.course.assignments[request.assignment].limits.file_mib)
        submissions = [limited(one, limits) for one in request.in_folder(item, members, prefix)]
        for hand_in in submissions:
            if not hand_in.problem:
                _write(root, objects, hand_in.members, entries)
        return [replace(hand_in, name=item.name) for hand_in in submissions] or [replace(item, problem=_NO_FILES)]
    finally:
        shutil.rmtree(copy, ignore_errors=True)


_NO_FILES = "the commit has no files for this assignment"


def _repository(folder: Path, assignment: str) -> Path:
    """Find a clone's repository, without following a link.

    Raises:
        SubmissionError: there is none.
    """
    for repository in (folder / ".git", folder, folder / assignment / ".git"):
        if (repository / "objects").is_dir() and (repository / "HEAD").is_file():
            within = (folder, repository.parent, repository, repository / "objects", repository / "refs")
            if any(path.is_symlink() for path in within):
                break
            return repository
    raise SubmissionError("it is no git repository (or a part of one, such as a submodule or a work tree)")


@dataclass(frozen=True, slots=True)
class _Chosen:
    commit: Commit
    origin: str
    notes: tuple[str, ...]


MAX_PASSED_OVER = 20
"""Most commits of a clone that are passed over because nothing in them is the student's work."""


def _has_work(objects: GitObjects, commit: Commit, request: SourceRequest) -> bool:
    """Tell whether a commit has an expected file that is not as it was released.

    Line endings may differ, and what a notebook has beside the texts of its cells: a run without an answer is no work.

    Raises:
        SubmissionError: objects are missing.
    """
    entries = {entry.path: entry for entry in objects.entries(commit.id)}
    members = _members(entries, commit.time)
    if any(member.problem for member in members):
        return True  # a person decides
    other_assignments = request.course.assignments.keys() - {request.assignment}
    notebooks = [m for m in members if is_notebook(m.name) and m.name.split("/")[0] not in other_assignments]
    release = request.course.release(request.assignment)
    for item in request.in_folder(Item(""), members, ""):
        if item.is_archive or (item.problem and notebooks):
            return True  # which notebook is meant, a person decides
        by_name = {member.name.removeprefix(item.prefix): member for member in item.members}
        for target, name in place_files(by_name, request.expected, is_loose=False)[0].items():
            path = target if target in request.expected else answer_named(target, request.expected)
            if path and not _is_as_released(objects, entries[name], release / path):
                return True
    return False


def _is_as_released(objects: GitObjects, entry: TreeEntry, released: Path) -> bool:
    if not released.is_file():
        return False
    if entry.size > (LARGEST.member_bytes if is_notebook(entry.path) else 2 * released.stat().st_size + 2):
        return False
    (content,) = [file.read(entry.size) for _, file in objects.contents([entry])]
    return (has_same_cells if is_notebook(entry.path) else is_same_text)(content, released.read_bytes())


def _chosen(objects: GitObjects, student: str, request: SourceRequest, hand_ins: HandIns) -> _Chosen:
    """Choose the newest commit that is in time, else the newest before the close, else the newest.

    Commits without work are passed over: the first one of a service has what was released, and is always in time. If
    no commit has work, none is passed over.

    Raises:
        SubmissionError: the clone has no commit, or may lack one that was in time.
    """
    commits = objects.commits(objects.tip())
    assignment = request.course.assignments[request.assignment]
    dates = hand_ins.term.dates(student, {})[request.assignment]
    due = dates.due + timedelta(hours=assignment.late.grace_hours) if dates.due is not None else None
    limits = [] if request.received is not None else [limit for limit in (due, dates.close) if limit is not None]
    in_time = [[n for n, commit in enumerate(commits) if commit.time <= aware(limit)] for limit in limits]
    plain = next((n for numbers in in_time for n in numbers), 0)
    tried = (n for numbers in (*in_time, list(range(len(commits)))) for n in numbers[:MAX_PASSED_OVER])
    with_work = (n for n in dict.fromkeys(tried) if _has_work(objects, commits[n], request))
    number = next(with_work, plain) if limits else plain
    commit = commits[number]
    if objects.is_shallow and request.received is None and due is not None and commit.time > aware(due):
        raise SubmissionError("the clone has no work in time, and lacks earlier commits: clone it without --depth")
    origin = f"commit {commit.id} of {in_words(placed(commit.time, request.course.zone))}"
    later = [f"{number} later commit{'s' if number > 1 else ''} left out"] if number else []
    passed = [f"commit {commits[plain].id[:12]} is older, and as it was released"] if number < plain else []
    return _Chosen(commit, origin, (f"commit {commit.id[:12]}", *later, *passed))


def _members(entries: dict[str, TreeEntry], time: datetime) -> list[Member]:
    """Return the plain files of a commit, each with its fault."""
    members = [
        Member(name, entry.size, time, name_problem(entry.path))
        for name, entry in entries.items()
        if entry.is_file and (name_problem(entry.path) or not is_junk(entry.path))
    ]
    return list(mark_collisions(members))


def _left_out_notes(paths: list[str]) -> Iterable[str]:
    """Say which links and submodules are left out."""
    names = ", ".join(one_line(path, 60) for path in paths[:5])
    return [f"links and submodules were left out: {names}{' …' if len(paths) > 5 else ''}"] if paths else []


def _write(root: Path, objects: GitObjects, members: Iterable[Member], entries: dict[str, TreeEntry]) -> None:
    """Write the files of an item that was not refused."""
    wanted = [(member.name, entries[member.name]) for member in members]
    for (name, entry), (_, file) in zip(wanted, objects.contents([entry for _, entry in wanted]), strict=True):
        write_new(root / name, [file.read(entry.size)])
