"""The instructor's class report: a class at a glance."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder._util.yaml_record import aware
from autograder.exchange.result_json import peak_memory
from autograder.records.checks import CheckResult, Outcome
from autograder.records.course import Assignment, Course
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.records.waits import Waits
from autograder.results.report import plots, status_words
from autograder.results.report.page import feedback_link, pieces
from autograder.results.report.sections import ReportedClass, Titles, extension_sections
from autograder.term.presence import Presence

_ORDER = tuple(Outcome)


@dataclass(slots=True)
class _Tally:
    """Results of one question, or of one check in it, over the class."""

    name: str
    title: str = ""
    """The heading above the question; empty if there is none."""
    notebook: str = ""
    points: float = 0.0
    earned: list[float] = field(default_factory=list)
    """Percent of the points, for each submission in which no person has to decide."""
    outcomes: list[Outcome] = field(default_factory=list)
    checks: dict[str, _Tally] = field(default_factory=dict)
    in_kernel: bool = False
    """See :attr:`QuestionGrade.in_kernel`."""

    def bars(self) -> list[tuple[Outcome, int, float]]:
        """Return (outcome, number, percent of all) in a fixed order."""
        counts = [(outcome, self.outcomes.count(outcome)) for outcome in _ORDER]
        return [(outcome, n, 100 * n / len(self.outcomes)) for outcome, n in counts if n]

    @property
    def mean(self) -> float | None:
        """Percent of the points where they are decided; None where they are in no submission."""
        return statistics.fmean(self.earned) if self.earned else None


def render_class_report(
    course: Course,
    assignment: Assignment,
    grades: Sequence[Grade],
    *,
    failures: Mapping[str, str] | None = None,
    by_hand: Sequence[str] = (),
    departed: Mapping[str, str] | None = None,
    titles: Titles | None = None,
    presence: Presence | None = None,
    calibrated: tuple[str, Sequence[str]] = ("", ()),
    hand_ins: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    term: Sequence[Grade] = (),
) -> Iterator[str]:
    """Render the class report of one assignment, piece by piece: one HTML file that loads nothing.

    Median and mean are over graded submissions, after late penalties, as they stand (questions that wait for a person
    count 0 until then). The page shows ``detail``: it is the instructor's.

    Args:
        course: the course.
        assignment: the assignment.
        grades: the grades that count.
        failures: student → reason why the kit itself could not grade the submission. These are counted and listed, and
            never taken for a 0.
        by_hand: points in the gradebook that a person should look at, a line each.
        departed: student with a grade and without a submission → a remark.
        titles: notebook and id of a question → its heading.
        presence: the roster, compared with those who handed in.
        calibrated: whether the thresholds are calibrated, and what has changed since, a sentence each.
        hand_ins: what a person should know about teams and attempts, a line each.
        names: student → name for people, of those whose grade does not hold it.
        term: the grades of all assignments, for what extensions say of the term.
    """
    failures, titles = failures or {}, titles or {}
    ran = [grade for grade in grades if status_words.graded(grade)]
    shares = [status_words.percent(grade.score, grade.max_score) for grade in ran]
    sections, section_faults = extension_sections(ReportedClass(course, assignment, ran, titles, term))
    values = {
        "course": course,
        "assignment": assignment,
        "grades": grades,
        "tiles": _tiles(grades, ran, failures),
        "histogram": plots.histogram(shares) if shares else None,
        "scatter": plots.scatter(_dots(ran)),
        "tallies": _tallies(ran, titles),
        "rows": (_row(grade, assignment, titles) for grade in sorted(grades, key=lambda g: g.student.casefold())),
        "failures": sorted(failures.items()),
        "by_hand": by_hand,
        "names": {**(names or {}), **{grade.student: grade.name for grade in grades}},
        "departed": sorted((departed or {}).items()),
        "hand_ins": hand_ins,
        "said": _replaced_files(grades),
        "presence": presence or Presence(),
        "people": _for_people(grades, titles),
        "outcomes": _ORDER,
        "sections": sections,
        "section_faults": section_faults,
        "calibrated": calibrated,
        "versions": next((grade.versions for grade in grades if grade.versions), {}),
    }
    return pieces("class.html", values)


def _tiles(grades: Sequence[Grade], ran: Sequence[Grade], failures: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return (number, label, remark) of each headline number."""
    scores = [grade.score for grade in ran]
    most = max((grade.max_score for grade in grades), default=0.0)
    of = f"of {status_words.points(most)} points"
    return [
        (str(len(grades) + len(failures)), "submissions", ""),
        (str(len(ran)), "graded", ""),
        (str(sum(grade.needs_manual_grade for grade in grades)), "need a person", ""),
        (str(len(grades) - len(ran) + len(failures)), "could not be read or run", ""),
        (status_words.points(statistics.median(scores)) if scores else "–", "median score", of),
        (status_words.points(statistics.fmean(scores)) if scores else "–", "mean score", of),
    ]


def _row(grade: Grade, assignment: Assignment, titles: Titles) -> dict[str, Any]:
    return {
        "grade": grade,
        "link": feedback_link(grade),
        "status": status_words.status_title(grade.status),
        "percent": status_words.percent(grade.score, grade.max_score),
        "seconds": sum(one.wall_seconds for one in grade.notebooks),
        "mib": peak_memory(grade),
        "late": status_words.lateness(grade.submitted_at, status_words.due_date(grade, assignment)),
        "notes": _own_dates(grade, assignment),
        "outcomes": [
            (titles.get((one.notebook, q.id)) or q.id, q.standing, q.score, q.max_score) for one, q in _questions(grade)
        ],
    }


def _own_dates(grade: Grade, assignment: Assignment) -> list[str]:
    """Say which dates are the student's own, without the reason: a room may see the class report."""
    dates = grade.dates
    if dates is None:
        return []
    is_moved = dates.due is not None and assignment.due is not None and dates.due != aware(assignment.due)
    zone = aware(assignment.due).tzinfo if assignment.due is not None else None
    return [
        *(["excused"] if dates.excused else []),
        *([f"due {status_words.moment(dates.due, zone)}"] if is_moved else []),
        *([f"{dates.late_days:g} late days"] if dates.late_days else []),
        *(["after the close"] if dates.closed else []),
    ]


def _for_people(grades: Sequence[Grade], titles: Titles) -> list[dict[str, Any]]:
    """Make one entry per question that waits for a person, broken tests first, with students and reason.

    The few notebooks of which every question waits, as of another assignment's, have one entry together.
    """
    entries: dict[tuple[bool, str, str], dict[str, Any]] = {}
    books = [book for grade in grades for book in grade.notebooks if _waits_wholly(book)]
    whole = {id(book) for book in books} if 4 * len(books) < len(grades) else set()
    for grade in sorted(grades, key=lambda g: g.student.casefold()):
        for book, question in grade.waiting:
            if id(book) in whole and question is not book.questions[0]:
                continue
            key = (question.waits is not Waits.BROKEN, book.notebook, "" if id(book) in whole else question.id)
            title = _ALL if id(book) in whole else titles.get((book.notebook, question.id), "")
            entry = entries.setdefault(
                key, {"question": question, "title": title, "notebook": book.notebook, "who": []}
            )
            entry["who"].append((grade, feedback_link(grade)))
    return [entries[key] for key in sorted(entries, key=lambda key: key[0])]


_ALL = "All questions of the notebook"


def _waits_wholly(book: NotebookGrade) -> bool:
    return len(book.questions) > 2 and all(question.needs_manual_grade for question in book.questions)


def _replaced_files(grades: Sequence[Grade]) -> dict[str, list[str]]:
    """Map what was said of files to the students whom it concerns."""
    students_by_sentence: dict[str, list[str]] = {}
    for grade in grades:
        for sentence in grade.said.values():
            students_by_sentence.setdefault(sentence, []).append(grade.shown)
    return students_by_sentence


def _tallies(grades: Sequence[Grade], titles: Titles) -> list[_Tally]:
    tallies: dict[tuple[str, str], _Tally] = {}
    for grade in grades:
        for book, question in _questions(grade):
            key = (book.notebook, question.id)
            tally = tallies.setdefault(key, _Tally(question.id, titles.get(key, ""), book.notebook, question.max_score))
            tally.outcomes.append(question.standing)
            tally.in_kernel = tally.in_kernel or question.in_kernel
            if question.waits is None:
                tally.earned.append(status_words.percent(question.score, question.max_score))
            for check in question.checks:
                part = tally.checks.setdefault(check.name, _Tally(check.name))
                part.outcomes.append(check.outcome)
    return list(tallies.values())


def _questions(grade: Grade) -> Iterator[tuple[NotebookGrade, QuestionGrade]]:
    return ((one, question) for one in grade.notebooks for question in one.questions)


def _dots(grades: Sequence[Grade]) -> list[plots.Dot]:
    """Make a dot for each question with a loss; its parameters are those of the question, else of the notebook."""
    dots = []
    for grade in grades:
        for book, question in _questions(grade):
            everywhere = [check for other in book.questions for check in other.checks]
            loss, check = _evidence(question.checks, "loss")
            parameters, _ = _evidence([*question.checks, *everywhere], "parameters")
            if loss is not None and parameters is not None and check is not None:
                dots.append(plots.Dot(parameters, loss, grade.student, check.outcome.value))
    return dots


def _evidence(checks: Sequence[CheckResult], name: str) -> tuple[float | None, CheckResult | None]:
    for check in checks:
        value = check.evidence.get(name)
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and plots.SMALLEST < abs(value) < plots.LARGEST
        ):
            return float(value), check
    return None, None
