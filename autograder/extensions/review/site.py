"""What the review page's server answers: pages, fragments and JSON. Nothing here knows of sockets."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from autograder._util.text import one_line
from autograder.errors import HostError, UsageError
from autograder.exchange import rendering
from autograder.exchange.pieces import CODE, MARKDOWN, html
from autograder.extensions.review.entering import Changed, GradebookStanding, enter, standings
from autograder.extensions.review.questions import Question, answers, answers_file, questions, shuffled
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam
from autograder.records.grade import Grade
from autograder.results.report.page import render
from autograder.results.staff_pages import Reply

MAX_COMMENT = 20_000
PRESENCE_SECONDS = 20.0
"""Time after which somebody who no longer asks is gone."""
SAVED_COMMENTS = 12
_LOG = logging.getLogger("autograder.serve")
"""Where a door's worker keeps who gave points."""


@dataclass
class Site:
    """The review of one assignment."""

    course: Course
    assignment: Assignment
    exams: Sequence[Exam]
    grades: Sequence[Grade]
    """The current grades, in the order of the students' names."""
    anonymous: bool = False
    salt: str = ""
    """Decides the order of anonymous answers."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Student → name for people, which stands beside the id."""
    home: str = ""
    """Address of the page that leads to it; empty: there is none."""
    entered: int = 0
    """Number of times that points were entered."""

    def __post_init__(self) -> None:
        self.questions: list[Question] = questions(self.course, self.exams, self.grades)
        students = [grade.student for grade in self.grades]
        self.students = shuffled(students, self.salt) if self.anonymous else students
        self._grade_of = {grade.student: grade for grade in self.grades}
        self._here: dict[str, tuple[float, int, int, str]] = {}
        self._lock = threading.Lock()

    def require_answers(self) -> None:
        """Refuse to show a page without answers.

        Raises:
            UsageError: nothing is graded, or no question has points.
        """
        if not self.students or not self.questions:
            name = self.assignment.name
            raise UsageError(
                f"nothing is graded; run `autograder grade {name}` first"
                if not self.students
                else f"no question of {name} has points"
            )

    def reply(self, method: str, path: str, body: bytes = b"", person: str = "") -> Reply:
        """Answer a request of somebody; ``path`` is what follows the token."""
        parts = [part for part in path.split("?")[0].split("/") if part]
        try:
            match method, parts:
                case "GET", []:
                    return self._overview()
                case "GET", ["review.js"]:
                    return Reply(200, _file("review.js"), "text/javascript; charset=utf-8")
                case "GET", ["q", number]:
                    return self._question(int(number))
                case "GET", ["q", number, position]:
                    return self._answer(int(number), int(position))
                case "POST", ["q", number, position]:
                    return self._enter(int(number), int(position), json.loads(body), person)
                case "POST", ["here"]:
                    return self._presence(json.loads(body))
        except (ValueError, LookupError, TypeError):
            return _json(400, {"error": "this page is of an older run, or the request is not one of its own"})
        except HostError as error:
            return _json(503, {"error": str(error)})
        return _json(404, {"error": "there is no such page"})

    def shown(self, position: int) -> str:
        """Return how a student is called on the page."""
        student = self._student(position)
        if self.anonymous:
            return f"Answer {position + 1}"
        name = self.names.get(student, "")
        return one_line(f"{name} ({student})" if name not in ("", student) else student, 120)

    def _overview(self) -> Reply:
        rows = []
        for number, question in enumerate(self.questions):
            standing_of = standings(self.course, question.asked)
            waiting = sum(standing_of[name].waits for name in self.students if name in standing_of)
            by_hand = sum(standing_of[name].manual is not None for name in self.students if name in standing_of)
            rows.append({"number": number, "question": question, "waiting": waiting, "by_hand": by_hand})
        return _page("review.html", self._values(rows=rows, question=None))

    def _question(self, number: int) -> Reply:
        question = self._at(number)
        standing_of = standings(self.course, question.asked)
        places = [
            {"place": position, "name": self.shown(position), "state": _state(standing_of[student])}
            for position, student in enumerate(self.students)
            if student in standing_of
        ]
        values = self._values(
            rows=[],
            question=question,
            number=number,
            places=places,
            said=_rendered("markdown", question.said) if question.said else "",
            scheme=_rendered(question.kind, question.scheme) if question.scheme else "",
        )
        return _page("review.html", values)

    def _answer(self, number: int, position: int) -> Reply:
        question, student = self._at(number), self._student(position)
        entered = standings(self.course, question.asked)
        shown_answers = answers(self.course, question, [self._grade_of[student]], entered)
        if not shown_answers:
            raise LookupError(student)
        values = {
            "answer": shown_answers[0],
            "question": question,
            "name": self.shown(position),
            "place": position,
            "seen": f"{shown_answers[0].standing.version}-{self._shown_version(question, student)}",
            "saved": _saved_comments(entered),
        }
        return _page("review-answer.html", values)

    def _enter(self, number: int, position: int, wanted: Any, person: str) -> Reply:
        question, student = self._at(number), self._student(position)
        score, comment = wanted["score"], wanted["comment"]
        if not isinstance(comment, str) or len(comment) > MAX_COMMENT:
            return _json(400, {"error": f"a comment has at most {MAX_COMMENT:,} characters"})
        if score is not None and (
            not isinstance(score, int | float) or isinstance(score, bool) or not 0 <= score <= question.points + 1e-9
        ):
            return _json(400, {"error": f"points are a number from 0 to {question.points:g}"})
        version, _, shown_version = str(wanted["seen"]).partition("-")
        if shown_version != self._shown_version(question, student):
            return _json(409, {"error": "this answer was graded again meanwhile; open it again, nothing was entered"})
        try:
            now = enter(self.course, question.asked, student, score, comment.strip(), version)
        except Changed as changed:
            standing = changed.standing
            points = "no points" if standing.manual is None else f"{standing.manual:g} points"
            message = f"somebody else gave {points} meanwhile; nothing of yours was entered"
            return _json(409, {"error": message, "state": _state(standing)})
        with self._lock:
            self.entered += 1
        name = question.asked.question
        _LOG.info("%s", one_line(f"{person} gave {score} points: {self.assignment.name}, {name}, {student}", 300))
        return _json(200, {"version": f"{now.version}-{shown_version}", "state": _state(now)})

    def _shown_version(self, question: Question, student: str) -> str:
        """Tell the answers apart that the page shows of one student: each grading writes them anew."""
        path = answers_file(self.course, student, question)
        return str(path.stat().st_mtime_ns) if path.is_file() else ""

    def _presence(self, wanted: Any) -> Reply:
        """Note who looks at which answer; tell where the others are, and how far the question is."""
        key, viewer_name = str(wanted["key"])[:64], one_line(str(wanted["who"]), 40)
        number, position, now = int(wanted["question"]), int(wanted["place"]), time.monotonic()
        question = self._at(number)
        with self._lock:
            self._here = {k: seen for k, seen in self._here.items() if now - seen[0] < PRESENCE_SECONDS}
            self._here[key] = (now, number, position, viewer_name)
            viewers = [
                {"place": spot, "who": name or "somebody"}
                for viewer, (_, viewed, spot, name) in self._here.items()
                if viewer != key and viewed == number
            ]
        standing_of = standings(self.course, question.asked)
        states = {place: _state(standing_of[name]) for place, name in enumerate(self.students) if name in standing_of}
        return _json(200, {"others": viewers, "states": states})

    def _student(self, position: int) -> str:
        if position < 0:
            raise LookupError(position)
        return self.students[position]

    def _at(self, number: int) -> Question:
        if not 0 <= number < len(self.questions):
            raise LookupError(number)
        return self.questions[number]

    def _values(self, **more: Any) -> dict[str, Any]:
        return {
            "course": self.course,
            "assignment": self.assignment,
            "anonymous": self.anonymous,
            "home": self.home,
            **more,
        }


def open_site(course: Course, assignment: Assignment, *, anonymous: bool, salt: str) -> Site:
    """Make the review of an assignment's grades as they are now.

    Raises:
        AutograderError: it is not released, or its release cannot be read.
    """
    from autograder.coordinator.assignment import load_release
    from autograder.coordinator.cache_keys import exam_key
    from autograder.results import publication
    from autograder.term.people import load_roster

    release = load_release(course, assignment)
    return Site(
        course,
        assignment,
        [book.exam for book in release.notebooks],
        publication.on_disk(course, assignment.name, exam_key(course, release)).current,
        anonymous,
        salt,
        {person.id: person.name for person in load_roster(course).people},
    )


def _saved_comments(entered: Mapping[str, GradebookStanding]) -> list[str]:
    """List the comments that people gave most often on a question."""
    counted = Counter(standing.comment for standing in entered.values())
    return [text for text, _ in counted.most_common(SAVED_COMMENTS + 1) if text][:SAVED_COMMENTS]


def _state(standing: Any) -> str:
    """Return how far one answer is: ``open``, ``given`` by a person, or ``automatic``."""
    if standing.waits:
        return "open"
    return "given" if standing.manual is not None else "automatic"


def _rendered(kind: str, source: str) -> Any:
    """Render a text of the instructor's."""
    from markupsafe import Markup

    pieces = rendering.render_trusted(kind, source)
    markup = html(pieces, CODE if kind == "code" else MARKDOWN) if pieces else None
    if markup is None:
        return Markup("<pre class=source>{}</pre>").format(source)
    return Markup("<pre class=source><code>{}</code></pre>").format(markup) if kind == "code" else markup


def _page(template: str, values: Mapping[str, Any]) -> Reply:
    return Reply(200, render(template, values).encode("utf-8", "backslashreplace"))


def _json(status: int, value: Any) -> Reply:
    return Reply(status, json.dumps(value).encode(), "application/json")


def _file(name: str) -> bytes:
    return resources.files("autograder.results.report").joinpath("templates", name).read_bytes()
