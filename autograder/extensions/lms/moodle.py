"""Moodle by its web services (REST, JSON).

The token's service needs ``core_enrol_get_enrolled_users``, ``mod_assign_get_assignments``, ``mod_assign_get_grades``,
``mod_assign_get_submission_status`` and ``mod_assign_save_grade``, and for pages the right to upload files. Moodle
answers errors with status 200 and an ``exception``.
"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

from autograder._util.text import one_line
from autograder.errors import HostError
from autograder.extensions.lms.account import Account, Delivery
from autograder.extensions.lms.matching import REGISTRY, PersonNames, numbers
from autograder.extensions.lms.rest import Client, as_json
from autograder.extensions.lms.sent_memory import Sent, digest

_HTML = 1
"""Moodle's FORMAT_HTML."""


class Moodle:
    """One assignment of a Moodle course."""

    name = "Moodle"
    takes_pages = True

    def __init__(self, client: Client, course: int, assignment: int) -> None:
        self.client = client
        self.course = course
        self._number = assignment
        self._maximum: float | None = None
        self._id: int | None = None

    def points(self) -> float | None:
        """Return the points that the assignment counts there."""
        self._find()
        return self._maximum

    def accounts(self) -> list[Account]:
        """List the people of the course, with what stands for the assignment."""
        people = self._call("core_enrol_get_enrolled_users", courseid=self.course)
        answer = self._call("mod_assign_get_grades", **{"assignmentids[0]": self._find()})
        grades = [grade for item in _dicts(answer, "assignments") for grade in _dicts(item, "grades")]
        newest = sorted(grades, key=lambda grade: int(grade.get("attemptnumber") or 0))
        scores = {str(grade.get("userid")): _score(grade.get("grade")) for grade in newest}
        return [
            Account(str(user["id"]), _names_of(user), scores.get(str(user["id"])))
            for user in people
            if isinstance(user, dict) and user.get("id")
        ]

    def deliver(self, account: Account, delivery: Delivery, before: Sent) -> tuple[Sent, list[str]]:
        """Save a grade; a person's comment or file stays, and then ours is not added."""
        notes: list[str] = []
        score = delivery.score if delivery.score is not None else account.score
        if score is None:
            return before, notes
        comment, files = self._feedback(account)
        now = replace(before, score=score)
        values: dict[str, Any] = {
            "assignmentid": self._find(),
            "userid": account.number,
            "grade": str(round(score, 4)),
            "attemptnumber": -1,
            "addattempt": 0,
            "workflowstate": "",
            "applytoall": 0,
        }
        if delivery.comment is not None:
            text = "<br>".join(html.escape(line, quote=False) for line in delivery.comment.splitlines())
            if _words(comment) and digest(_words(comment)) != before.comment_id:
                notes.append("a person's comment stands there and was kept")
            else:
                values["plugindata[assignfeedbackcomments_editor][text]"] = text
                values["plugindata[assignfeedbackcomments_editor][format]"] = _HTML
                now = replace(now, comment=digest(delivery.comment), comment_id=digest(_words(text)))
        if delivery.page is not None:
            if set(files) - {delivery.page_name}:
                notes.append("a person's files stand there and were kept; the page was not added")
            else:
                values["plugindata[files_filemanager]"] = self._upload(delivery)
            now = replace(now, page=digest(delivery.page.read_bytes()))
        self._call("mod_assign_save_grade", **values)
        return now, notes

    def _find(self) -> int:
        """Find the assignment by its number, which may be that in the page's address."""
        if self._id is None:
            answer = self._call("mod_assign_get_assignments", **{"courseids[0]": self.course})
            for item in (item for course in _dicts(answer, "courses") for item in _dicts(course, "assignments")):
                if self._number in (item.get("cmid"), item.get("id")):
                    self._id, self._maximum = int(item["id"]), _points(item)
                    if self._number == item.get("cmid"):
                        break
            if self._id is None:
                raise HostError(
                    f"Moodle's course {self.course} has no assignment {self._number}; take the number after id= in "
                    "the address of the assignment's page"
                )
        return self._id

    def _feedback(self, account: Account) -> tuple[str, list[str]]:
        """Read the comment and the names of the feedback files that stand there."""
        answer = self._call("mod_assign_get_submission_status", assignid=self._find(), userid=account.number)
        feedback = answer.get("feedback") if isinstance(answer, dict) else None
        plugins = {plugin.get("type"): plugin for plugin in _dicts(feedback, "plugins")}
        texts = [field.get("text") for field in _dicts(plugins.get("comments"), "editorfields")]
        files = [file for area in _dicts(plugins.get("file"), "fileareas") for file in _dicts(area, "files")]
        return str(next(filter(None, texts), "")), [str(file.get("filename")) for file in files]

    def _upload(self, delivery: Delivery) -> int:
        """Upload a page into a draft area, and return the area's number."""
        assert delivery.page is not None
        files = {"file_1": (delivery.page_name, delivery.page.read_bytes(), "text/html")}
        data = {"token": self.client.secret, "filearea": "draft", "itemid": "0"}
        files_taken = _answered(as_json(self.client.request("POST", "webservice/upload.php", data=data, files=files)))
        if not isinstance(files_taken, list) or not files_taken or not isinstance(files_taken[0], dict):
            raise HostError("Moodle did not take a page")
        return int(files_taken[0].get("itemid") or 0)

    def _call(self, function: str, **values: Any) -> Any:
        data = {
            "wstoken": self.client.secret,
            "wsfunction": function,
            "moodlewsrestformat": "json",
            **{key: str(value) for key, value in values.items()},
        }
        return _answered(as_json(self.client.request("POST", "webservice/rest/server.php", data=data)), function)


def _answered(answer: Any, function: str = "upload") -> Any:
    """Return an answer that is no error."""
    if isinstance(answer, dict) and (answer.get("exception") or answer.get("errorcode")):
        message = one_line(str(answer.get("message") or answer.get("error") or answer.get("errorcode")), 200)
        raise HostError(f"Moodle refuses {function}: {message}")
    return answer


def _dicts(value: Any, key: str) -> list[dict[str, Any]]:
    """Return the records of a list in a record, whatever is wrong with them."""
    records = value.get(key) if isinstance(value, dict) else None
    return [item for item in records if isinstance(item, dict)] if isinstance(records, list) else []


def _score(value: Any) -> float | None:
    """Read a grade; Moodle has -1 for none."""
    try:
        score = float(value)
    except (TypeError, ValueError):
        return None
    return score if score >= 0 else None


def _words(text: str) -> str:
    """Return what a person reads of a comment: Moodle rewrites the HTML that it is given."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def _points(item: dict[str, Any]) -> float:
    """Return the points of an assignment; Moodle has a negative number for one that is graded in words."""
    points = _score(item.get("grade"))
    if not points:
        raise HostError(f"Moodle's assignment “{one_line(str(item.get('name')))}” is not graded by points; change it")
    return points


def _names_of(user: dict[str, Any]) -> PersonNames:
    def texts(*keys: str) -> tuple[str, ...]:
        return tuple(str(user[key]) for key in keys if user.get(key))

    return PersonNames(numbers(REGISTRY, texts("idnumber")), texts("username", "email"), texts("fullname"))
