"""Publication of grades for people: gradebook, CSV, feedback pages, class report.

A grade on disk stays when the exam changes after it, until its submission is graded again. Such an older grade is never
mixed with the others. The gradebook, whose cells are the current exam's, does not take it. The class report lists it
with those that could not be graded, and a warning names it when the CSV is written.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder._util.files import write_atomically
from autograder._util.text import one_line
from autograder.errors import HostError, UsageError
from autograder.exchange import result_json
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam
from autograder.records.grade import Batch, Grade
from autograder.release import calibration_record
from autograder.results import given_totals, gradebook, report
from autograder.results.feedback import write_feedback
from autograder.results.report import grades_csv, render_class_report
from autograder.submissions.hand_ins import HandIns, remarks
from autograder.term.people import load_roster
from autograder.term.presence import presence


@dataclass(frozen=True)
class StoredGrades:
    """Grades on disk of one assignment, sorted by exam. All are in the order of the students' names."""

    current: tuple[Grade, ...] = ()
    """Grades of the current exam.

    A grade counts even if the submission, a library or a limit has changed since: it is not wrong, and the next batch
    makes it again.
    """
    older: tuple[Grade, ...] = ()
    """Grades of an exam that is no longer the current one."""
    damaged: Mapping[str, str] = field(default_factory=dict)
    """Student → fault of the result.json."""

    @property
    def set_aside(self) -> dict[str, str]:
        """Student → reason why the grade on disk is not counted, in the order of the names."""
        reasons = {
            g.student: f"its grade ({g.score:g} of {g.max_score:g}) is of an older exam; grade it again"
            for g in self.older
        }
        return dict(sorted({**reasons, **self.damaged}.items()))


@dataclass(frozen=True)
class Published:
    """Result of a publication."""

    paths: Mapping[str, Path | str]
    """Kind of result → its place."""
    set_aside: Mapping[str, str]
    """Student → reason why a grade on disk was not recorded."""
    compared: bool = True
    """Whether points by hand could be compared with those at the beginning."""
    by_hand: Sequence[str] = ()
    """Points in the gradebook that a person should look at, a line each.

    They were given by hand while the batch ran, or are more than the question is worth.
    """
    entered: Sequence[Grade] = ()
    """The current grades with scores and comments that people entered in the gradebook."""
    departed: Mapping[str, str] = field(default_factory=dict)
    """Student with a grade and no submission → a remark."""
    page_faults: Sequence[str] = ()
    """Why feedback pages were not written, see :attr:`autograder.results.feedback.Feedback.faults`."""


class ResultPublisher:
    """Publisher of gradebook, CSV, feedback pages and class report, once the batch of an assignment is done."""

    def __init__(self) -> None:
        self._before: gradebook.Points | None = None

    def look(self, course: Course, assignment: Assignment) -> None:
        """Read the points given by hand, before any student's code runs; a fault of the term's files is told now."""
        HandIns(course)
        self._before = gradebook.load().points_by_hand(course, assignment.name)

    def load(self) -> None:
        """Load what publishing needs, while the batch runs."""
        gradebook.load().prepare()
        report.prepare()

    def publish_some(
        self, course: Course, assignment: Assignment, exams: Sequence[Exam], grades: Sequence[Grade]
    ) -> Sequence[str]:
        """Write gradebook and pages of some grades; see :func:`record_some`."""
        return record_some(course, assignment, exams, grades)

    def publish(
        self, course: Course, assignment: Assignment, exams: Sequence[Exam], exam_key: str, batch_result: Batch
    ) -> Published:
        """Write everything; see :func:`record`."""
        failures = {failure.student: failure.reason for failure in batch_result.not_graded}
        return record(course, assignment, exams, exam_key, failures, self._before)


def record(
    course: Course,
    assignment: Assignment,
    exams: Sequence[Exam],
    exam_key: str,
    failures: Mapping[str, str] | None = None,
    before: gradebook.Points | None = None,
) -> Published:
    """Write everything for all grades of an assignment that are on disk, whichever were graded just now.

    A grade in the gradebook, or a feedback page, that would stay the same is not written.

    Args:
        course: the course.
        assignment: the assignment.
        exams: all of its notebooks.
        exam_key: the current ``content_keys["exam"]``; grades with another one are set aside.
        failures: student → why the kit could not grade the submission now; the report lists them, without the grade
            that an earlier submission of theirs may have.
        before: the points by hand when the batch began; None: there is nothing to compare with.

    Returns:
        The places of the results, and what a person should look at.
    """
    failures = failures or {}
    standing = on_disk(course, assignment.name, exam_key)
    gradebook.load().record(course, exams, standing.current)
    in_csv = _for_csv(course, {assignment.name: standing})
    entered = for_people(course, [*standing.current, *in_csv])
    current, in_csv = entered[: len(standing.current)], entered[len(standing.current) :]
    by_hand = _points_to_check(course, exams, current, before)
    feedback = write_feedback(course, assignment, current, changed_only=True)
    write_atomically(course.grades_csv, grades_csv(in_csv))
    database = gradebook.load().database_of(course)
    paths: dict[str, Path | str] = {**({"gradebook": database} if database else {}), "grades": course.grades_csv}
    listed = {**standing.set_aside, **failures}
    if current or listed:
        paths["class report"] = _write_report(course, assignment, current, listed, by_hand, exams, in_csv)
    if feedback.pages:
        paths["feedback"] = feedback.pages[0]
    set_aside = {student: why for student, why in standing.set_aside.items() if student not in failures}
    return Published(paths, set_aside, before is not None, by_hand, current, departed(course, current), feedback.faults)


def for_people(course: Course, grades: Sequence[Grade]) -> tuple[Grade, ...]:
    """Return grades as people see them: with points and comments given by hand, and with names."""
    roster = load_roster(course)
    return tuple(replace(g, name=roster.name(g.student)) for g in given_totals.by_people(course, grades))


def departed(course: Course, grades: Sequence[Grade]) -> dict[str, str]:
    """Name the students whose submission was deleted or renamed after it was graded: student → a remark."""
    remarks_by_student = {}
    hand_ins = HandIns(course)
    for grade in grades:
        if hand_ins.chosen(grade.student, grade.assignment) is None:
            folder = course.autograded(grade.student, grade.assignment)
            below = folder.relative_to(course.root) if folder.is_relative_to(course.root) else folder
            remarks_by_student[grade.student] = (
                f"the grade ({grade.score:g} of {grade.max_score:g}) is counted, and the submission is gone from "
                f"{course.directory('submitted').name}/; delete {below} to drop the grade"
            )
    return remarks_by_student


def record_some(
    course: Course, assignment: Assignment, exams: Sequence[Exam], grades: Sequence[Grade]
) -> Sequence[str]:
    """Write the gradebook and the feedback pages of these grades; the CSV and the class report stay as they are.

    Returns:
        Why pages were not written.
    """
    gradebook.load().record(course, exams, grades)
    entered = for_people(course, grades)
    return write_feedback(course, assignment, entered, changed_only=True).faults


def _points_to_check(
    course: Course, exams: Sequence[Exam], grades: Sequence[Grade], before: gradebook.Points | None
) -> list[str]:
    """List the points by hand that a person should look at, a line each."""
    now = gradebook.load().points_by_hand(course, exams[0].assignment)
    questions = {(exam.notebook, cell.grade_id) for exam in exams for cell in exam.questions}
    if before is not None:  # points of a question that left the exam are gone with it
        before = {key: points for key, points in before.items() if key[1:] in questions}
    return [*gradebook.changed_points(before, now), *gradebook.points_out_of_range(now, grades)]


def on_disk(course: Course, assignment: str, exam_key: str | None = None) -> StoredGrades:
    """Read the grades on disk of an assignment; the default for ``exam_key`` is that of the newest grade."""
    grades: list[Grade] = []
    damaged: dict[str, str] = {}
    for student, path in _results(course, assignment):
        try:
            grade = result_json.read(path, course.details(student, assignment))
            if (grade.student, grade.assignment) != (student, assignment):
                raise HostError(
                    f"{path} is the grade of {grade.student}, {grade.assignment}; delete it and grade again"
                )
        except HostError as error:
            damaged[student] = str(error)
        else:
            grades.append(grade)
    if exam_key is None:
        dated = [(grade.graded_at.timestamp() if grade.graded_at else 0.0, grade.exam_key) for grade in grades]
        _, exam_key = max(dated, key=lambda pair: pair[0], default=(0.0, None))
    current = tuple(g for g in grades if g.is_of_exam(exam_key))
    older = tuple(g for g in grades if not g.is_of_exam(exam_key))
    return StoredGrades(current, older, damaged)


def grades(course: Course, assignment: str, only: Sequence[str] = ()) -> tuple[Grade, ...]:
    """Return the grades on disk of an assignment, whatever their exam, by student.

    Raises:
        UsageError: there is none, or a student in ``only`` has none.
        HostError: a result.json among them is damaged.
    """
    standing = on_disk(course, assignment)
    for student, fault in standing.damaged.items():
        if not only or student in only:
            raise HostError(fault)
    graded = sorted((*standing.current, *standing.older), key=lambda g: g.student)
    missing = sorted(set(only) - {g.student for g in graded})
    if missing or not graded:
        whom = f" for {', '.join(missing)}" if missing else ""
        raise UsageError(f"nothing is graded{whom}; run `autograder grade {assignment}` first")
    return tuple(g for g in graded if not only or g.student in only)


def _results(course: Course, assignment: str) -> Iterator[tuple[str, Path]]:
    """Yield the student and the path of each result.json."""
    root = course.directory("autograded")
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        path = folder / assignment / result_json.NAME
        if path.is_file():
            yield folder.name, path


def _assignments(course: Course) -> list[str]:
    """List the assignments with results, also if course.yaml no longer has them."""
    return sorted({path.parent.name for path in course.directory("autograded").glob(f"*/*/{result_json.NAME}")})


def write_csv(course: Course, to: Path | None = None) -> Path:
    """Write grades.csv: all assignments, with the points that people gave in the gradebook.

    Older grades are included, because their students have no other; :func:`doubts` names them.
    """
    path = to or course.grades_csv
    write_atomically(path, grades_csv(all_grades(course)))
    return path


def all_grades(course: Course) -> Sequence[Grade]:
    """Return all grades on disk, older ones included, with points by hand and names, and without their texts."""
    return for_people(course, _for_csv(course, {}))


def _for_csv(course: Course, loaded: Mapping[str, StoredGrades]) -> Sequence[Grade]:
    """Return all grades on disk in the CSV's order; ``loaded`` are those that have been read already."""
    in_order: list[Grade] = []
    for name in _assignments(course):
        standing = loaded[name] if name in loaded else on_disk(course, name)
        grades = sorted((*standing.current, *standing.older), key=lambda g: g.student)
        in_order += map(_scores_only, grades)
    return in_order


def _scores_only(grade: Grade) -> Grade:
    """Reduce a grade to its line of the CSV: all grades of a term are held at once."""
    books = (
        replace(b, history={}, questions=tuple(replace(q, message="", detail="", checks=()) for q in b.questions))
        for b in grade.notebooks
    )
    exam_key = {"exam": sys.intern(grade.exam_key)} if grade.exam_key else {}
    return replace(grade, notebooks=tuple(books), versions={}, content_keys=exam_key)


def doubts(course: Course) -> list[str]:
    """List doubts about grades in the CSV, a line each: older exams, damaged results, odd points by hand."""
    lines = []
    for name in _assignments(course):
        standing = on_disk(course, name)
        lines += [f"{name}, {one_line(student)}: {why}" for student, why in standing.set_aside.items()]
        graded = (*standing.current, *standing.older)
        lines += [f"{name}, {one_line(student)}: {why}" for student, why in departed(course, graded).items()]
        present = presence(load_roster(course), [grade.student for grade in graded], name)
        lines += [f"{name}, {one_line(student)}: {why}" for student, why in present.remarks.items()]
        lines += [f"{name}, {line}" for line in present.doubts]
        lines += [f"{name}, {line}" for line in _of_hand_ins(course, name, graded)]
        lines += [f"{name}, {line}" for line in _odd_points(course, name, graded)]
    return lines


def _of_hand_ins(course: Course, assignment: str, grades: Sequence[Grade]) -> list[str]:
    """List conflicts of teams, and attempts that do not count."""
    settings = course.assignments.get(assignment)
    return [] if settings is None else remarks(HandIns(course), settings, [grade.student for grade in grades])


def _odd_points(course: Course, assignment: str, grades: Sequence[Grade]) -> list[str]:
    """List points by hand that are out of their question's range, a line each."""
    return [*gradebook.points_out_of_range(gradebook.load().points_by_hand(course, assignment), grades)]


def write_report(course: Course, assignment: Assignment, standing: StoredGrades, exams: Sequence[Exam] = ()) -> Path:
    """Write the class report reports/<assignment>.html, with the headings of ``exams`` as titles of questions.

    Raises:
        UsageError: there is nothing to report.
    """
    if not standing.current and not standing.set_aside:
        raise UsageError(f"nothing is graded; run `autograder grade {assignment.name}` first")
    grades = for_people(course, standing.current)
    by_hand = _odd_points(course, assignment.name, grades)
    return _write_report(course, assignment, grades, standing.set_aside, by_hand, exams, all_grades(course))


def _write_report(
    course: Course,
    assignment: Assignment,
    grades: Sequence[Grade],
    listed: Mapping[str, str],
    by_hand: Sequence[str],
    exams: Sequence[Exam],
    term: Sequence[Grade],
) -> Path:
    """Write the report; ``listed``: student → reason why no grade of theirs counts, even if there is one."""
    path = course.reports / f"{assignment.name}.html"
    counted = [grade for grade in grades if grade.student not in listed]
    gone = departed(course, counted)
    roster = load_roster(course)
    page = render_class_report(
        course,
        assignment,
        counted,
        failures=listed,
        by_hand=by_hand,
        departed=gone,
        titles=_titles(exams),
        hand_ins=_of_hand_ins(course, assignment.name, grades),
        presence=presence(roster, {grade.student for grade in grades} | set(listed), assignment.name),
        names={student: roster.name(student) for student in listed},
        calibrated=calibration_record.standing(course, assignment.name, exams) if exams else ("", ()),
        term=term,
    )
    write_atomically(path, page)
    return path


def _titles(exams: Sequence[Exam]) -> dict[tuple[str, str], str]:
    """Find the headings of questions: notebook and id → heading, with the id where two have the same heading."""
    titles: dict[tuple[str, str], str] = {}
    for exam in exams:
        headings = report.headings((cell.cell_type, cell.released, cell.grade_id) for cell in exam.cells)
        titles_by_id = {str(cell.grade_id): headings.get(str(cell.grade_id), "") for cell in exam.questions}
        several = {title for title, times in Counter(titles_by_id.values()).items() if times > 1}
        for name, title in titles_by_id.items():
            titles[exam.notebook, name] = f"{title} · {name}" if title and title in several else title
    return titles
