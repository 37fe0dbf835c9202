"""Hand-ins of a course: which attempt counts for a student, when it was handed in, and under which dates."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from autograder._util.digests import folder_key
from autograder._util.files import Versions, versions
from autograder._util.yaml_record import aware
from autograder.errors import HostError
from autograder.exchange import result_json
from autograder.records.course import Assignment, Course
from autograder.records.dates import Dates
from autograder.submissions.choices import Choice, choices
from autograder.submissions.claims import read_claims, superseded_folder
from autograder.submissions.manifest import read_origin, read_timestamp
from autograder.term.attempts import Attempt, counting, in_order, within_limits
from autograder.term.facts import Term, load_term, term_versions
from autograder.term.teams import Teams, teams_of


class HandIns:
    """Hand-ins of a course, by the facts of its term; a file that changes meanwhile is read again."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self._versions = term_versions(course)
        self._term = load_term(course)
        self._teams: dict[str, Teams] = {}

    @property
    def term(self) -> Term:
        """The facts of the term, as they are on disk now."""
        now = term_versions(self.course)
        if now != self._versions:
            self._term, self._versions = load_term(self.course), now
            self._teams = {}
        return self._term

    def students(self, assignment: str) -> tuple[str, ...]:
        """List the students for whom something was handed in, by themselves or by their team."""
        present = submitters(self.course, assignment)
        of = self.teams(assignment).of
        members = {other for student in present for other in of.get(student, ())}
        return tuple(sorted({*present, *members}))

    def teams(self, assignment: str) -> Teams:
        """Return the teams of an assignment, by those who have handed in now."""
        settings = self.course.assignments.get(assignment)
        if settings is None or settings.team_size < 2:
            return Teams()
        term = self.term
        if assignment not in self._teams:
            claims = read_claims(self.course, assignment)
            present = submitters(self.course, assignment)
            claims = {student: others for student, others in claims.items() if student in present}
            self._teams[assignment] = teams_of(settings, term.roster, term.memberships, claims, present)
        return self._teams[assignment]

    def look_again(self) -> None:
        """Forget who has handed in: something new may have arrived."""
        self._teams = {}

    def attempts(self, student: str, assignment: str) -> list[Attempt]:
        """List all attempts of a student's team, in order."""
        attempts = []
        for member in self.teams(assignment).members(student):
            earlier = superseded_folder(self.course, assignment, member)
            folders = sorted(earlier.iterdir()) if earlier.is_dir() else []
            folders.append(self.course.submitted(member, assignment))  # of equal times, the current one is the newest
            attempts += [Attempt(member, folder, read_timestamp(folder)) for folder in folders if folder.is_dir()]
        return in_order(attempts)

    def allowed(self, student: str, assignment: Assignment) -> tuple[list[Attempt], list[Attempt]]:
        """Return the attempts that may count, and those beyond the limits."""
        attempts = self.attempts(student, assignment.name)
        allowed, beyond = within_limits(attempts, assignment.attempts, self.zone(assignment))
        choice = self.choice(student, assignment.name)
        chosen = [each for each in attempts if choice is not None and attempt_name(each) == choice.attempt]
        if choice is None or not chosen:
            return allowed, beyond
        later = [each for each in allowed if attempt_name(each) not in choice.set_aside]
        return list(dict.fromkeys([*chosen, *later])), [each for each in beyond if each not in chosen]

    def zone(self, assignment: Assignment) -> tzinfo:
        """Return the zone whose days are those of an assignment's limits: the course's, or its due date's."""
        return self.course.zone or (aware(assignment.due).tzinfo if assignment.due is not None else None) or UTC

    def choice(self, student: str, assignment: str) -> Choice | None:
        """Return the last decision of a person which attempt counts; None if there is none."""
        members = self.teams(assignment).members(student)
        return next(reversed(choices(self.course, assignment, members)), None)

    def chosen(self, student: str, assignment: str) -> Attempt | None:
        """Return the attempt that counts for a student; None if there is none."""
        settings = self.course.assignments.get(assignment)
        is_plain = settings is None or (settings.team_size < 2 and settings.attempts.is_plain)
        if settings is None or (is_plain and self.choice(student, assignment) is None):
            folder = self.course.submitted(student, assignment)
            return Attempt(student, folder, read_timestamp(folder)) if folder.is_dir() else None
        dates = self.term.dates(student, {})[assignment]
        due = None if dates.due is None else dates.due + timedelta(hours=settings.late.grace_hours)
        allowed, _ = self.allowed(student, settings)
        scores = {}
        if settings.attempts.counts == "best":
            scored = ((each, self._score(student, assignment, each)) for each in allowed)
            scores = {each.folder: score for each, score in scored if score is not None}
        return counting(allowed, settings.attempts, due, scores)

    def trial(self, student: str, assignment: str, attempt: Attempt) -> Path:
        """Return the folder for the result of an attempt that is graded to find the best one.

        It is named by the attempt's content and time: the attempt keeps it when a newer one supersedes it.
        """
        name = f"{attempt.submitter}-{attempt_name(attempt)}"
        return self.course.state / "attempts" / assignment / student / name / "autograded"

    def _score(self, student: str, assignment: str, attempt: Attempt) -> float | None:
        """Read the score of an attempt; None if it is not graded."""
        try:
            return result_json.read(self.trial(student, assignment, attempt) / result_json.NAME).score
        except HostError:
            return None

    def folder(self, student: str, assignment: str) -> Path:
        """Return the folder that counts for a student, which need not exist."""
        attempt = self.chosen(student, assignment)
        return self.course.submitted(student, assignment) if attempt is None else attempt.folder

    def folders(self, student: str, assignment: str) -> tuple[Path, ...]:
        """Return the folders that decide a student's grade: where the best attempt counts, those of all that may."""
        settings = self.course.assignments.get(assignment)
        if settings is not None and settings.attempts.counts == "best":
            return tuple(each.folder for each in self.allowed(student, settings)[0])
        return (self.folder(student, assignment),)

    def dates(self, student: str, assignment: str, attempt: Attempt | None = None) -> Dates:
        """Return a student's dates for an assignment, with late days as far as earlier assignments left them.

        Args:
            student: the student.
            assignment: the assignment.
            attempt: as if this one counted; None: the one that counts.
        """
        names = self.course.assignments if self.term.has_late_days(student) else (assignment,)
        return self._dates(student, names, {assignment: attempt} if attempt else {})[assignment]

    def all_dates(self, student: str) -> dict[str, Dates]:
        """Return a student's dates for every assignment."""
        return self._dates(student, self.course.assignments, {})

    def _dates(self, student: str, names: Iterable[str], attempts: Mapping[str, Attempt]) -> dict[str, Dates]:
        """Return the dates by when these assignments were handed in."""
        handed_in: dict[str, datetime] = {}
        chosen = {name: attempts.get(name) or self.chosen(student, name) for name in names}
        for name, attempt in chosen.items():
            if attempt is not None and attempt.time is not None:
                handed_in[name] = attempt.time
        dates = self.term.dates(student, handed_in)
        for name, attempt in chosen.items():
            notes = [read_origin(attempt.folder)] if attempt is not None else []
            if attempt is not None and attempt.submitter != student:
                notes.append(f"handed in by {attempt.submitter}")
            if any(notes):
                dates[name] = replace(dates[name], notes=(*dates[name].notes, *filter(None, notes)))
        return dates


def submitters(course: Course, assignment: str) -> tuple[str, ...]:
    """List the students with a folder submitted/<student>/<assignment>/."""
    root = course.directory("submitted")
    if not root.is_dir():
        return ()
    return tuple(sorted(p.name for p in root.iterdir() if not p.name.startswith(".") and _is_folder(p / assignment)))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # nobody may look into it: grading says so
        return True


def attempt_name(attempt: Attempt) -> str:
    """Return the name of an attempt: its content's and time's, wherever it lies."""
    return _key(attempt.folder, versions(attempt.folder, follow_symlinks=False))[:32]


@functools.lru_cache(maxsize=4096)
def _key(folder: Path, _versions: Versions) -> str:
    """Digest an attempt's files, timestamp.txt included; a folder that has not changed is read once."""
    return folder_key(folder)


def remarks(hand_ins: HandIns, assignment: Assignment, students: Sequence[str]) -> list[str]:
    """List what a person should know about teams and attempts of an assignment, a line each."""
    lines = list(hand_ins.teams(assignment.name).conflicts)
    release = aware(assignment.release) if assignment.release is not None else None
    for student in students if release is not None else ():
        attempt = hand_ins.chosen(student, assignment.name)
        if attempt is not None and attempt.time is not None and release is not None and attempt.time < release:
            lines.append(f"{student}: handed in before the release")
    if not assignment.attempts.is_plain:
        for student in students:
            _, beyond = hand_ins.allowed(student, assignment)
            if beyond:
                lines.append(f"{student}: {len(beyond)} attempts beyond the limit do not count")
    return lines
