"""Canvas by its REST API.

Used as documented by Instructure: Courses (list users), Assignments (get), Submissions (list, grade or comment),
Submission Comments (edit, delete, upload a file), File Uploads (three steps).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

from autograder.errors import HostError
from autograder.extensions.lms.account import Account, Delivery
from autograder.extensions.lms.matching import CANVAS, REGISTRY, PersonNames, numbers
from autograder.extensions.lms.rest import Client, as_json
from autograder.extensions.lms.sent_memory import Sent, digest

_PER_PAGE = 100
_PAGE_ALONE = "The page with all details."


class Canvas:
    """One assignment of a Canvas course."""

    name = "Canvas"
    takes_pages = True

    def __init__(self, client: Client, course: int, assignment: int) -> None:
        self.client = client
        self._course = f"api/v1/courses/{course}"
        self._assignment = f"{self._course}/assignments/{assignment}"

    def points(self) -> float | None:
        """Return the points that the assignment counts there."""
        answer = self.client.json("GET", self._assignment)
        points = answer.get("points_possible") if isinstance(answer, dict) else None
        return float(points) if isinstance(points, int | float) else None

    def accounts(self) -> list[Account]:
        """List the students of the course, with what stands for the assignment."""
        query = {"enrollment_type[]": "student", "include[]": "email", "per_page": _PER_PAGE}
        people = [who for who in self.client.pages(f"{self._course}/users", query) if isinstance(who, dict)]
        query = {"include[]": "submission_comments", "per_page": _PER_PAGE}
        listed = self.client.pages(f"{self._assignment}/submissions", query)
        submissions = {str(item.get("user_id")): item for item in listed if isinstance(item, dict)}
        return [_account(who, submissions.get(str(who.get("id")), {})) for who in people]

    def deliver(self, account: Account, delivery: Delivery, before: Sent) -> tuple[Sent, list[str]]:
        """Grade a submission. A comment that a person changed is kept; ours is not repeated but edited or replaced.

        The grade goes first: whatever fails after it is tried again by the next run.
        """
        submission = f"{self._assignment}/submissions/{account.number}"
        data: dict[str, Any] = {}
        now, notes = before, list[str]()
        if delivery.score is not None:
            data["submission[posted_grade]"] = str(round(delivery.score, 4))
            now = replace(now, score=delivery.score)
        ours = account.comments.get(before.comment_id)
        is_changed = ours is not None and not _is_ours(ours, delivery, before)
        if is_changed and delivery.comment is not None:
            notes.append("the comment was changed there and was kept")
            now = replace(now, comment=digest(delivery.comment))
            delivery = replace(delivery, comment=None)
        edited = delivery.comment if ours is not None and delivery.page is None else None
        is_new = edited is None and (delivery.comment is not None or delivery.page is not None)
        text = ("" if is_changed else delivery.summary or delivery.comment or "") or _PAGE_ALONE
        if is_new:
            data["comment[text_comment]"] = text
            if delivery.page is not None:
                data["comment[file_ids][]"] = self._upload(submission, delivery)
                now = replace(now, page=digest(delivery.page.read_bytes()))
        answer = self.client.json("PUT", submission, data=data) if data else None
        if is_new and not is_changed and (text != _PAGE_ALONE or before.comment in ("", digest(_PAGE_ALONE))):
            number, text_there = _new_comment(answer, account.comments, text)
            now = replace(
                now, comment=digest(text), comment_id=number, comment_there=digest(text_there), comment_tried=""
            )
            notes += self._delete(submission, before.comment_id) if ours is not None else []
        if ours is not None and edited is not None:
            now, failed = self._edit(submission, ours, edited, now)
            notes += failed
        return now, notes

    def _edit(self, submission: str, ours: str, text: str, before: Sent) -> tuple[Sent, list[str]]:
        """Change the text of our comment; returns a note where that fails, for the grade has been sent by then."""
        try:
            answer = self.client.json("PUT", f"{submission}/comments/{before.comment_id}", data={"comment": text})
        except HostError as error:  # the comment may have been changed all the same: both texts are ours
            now = replace(before, comment_there=digest(ours), comment_tried=digest(text))
            return now, [f"the comment is still to be changed ({error})"]
        text_there = str(answer.get("comment", "")) if isinstance(answer, dict) else ""
        return replace(before, comment=digest(text), comment_there=digest(text_there), comment_tried=""), []

    def _delete(self, submission: str, number: str) -> list[str]:
        """Delete our earlier comment; returns a note where that is not possible."""
        try:
            self.client.request("DELETE", f"{submission}/comments/{number}")
        except HostError as error:
            return [f"the earlier comment stays beside the new one ({error})"]
        return []

    def _upload(self, submission: str, delivery: Delivery) -> str:
        """Upload a page for a comment, and return the file's number."""
        assert delivery.page is not None
        content = delivery.page.read_bytes()
        wanted = {"name": delivery.page_name, "size": len(content), "content_type": "text/html"}
        upload = self.client.json("POST", f"{submission}/comments/files", data=wanted)
        if not isinstance(upload, dict) or not isinstance(upload.get("upload_url"), str):
            raise HostError("Canvas did not tell where to upload a page")
        files = {"file": (delivery.page_name, content, "text/html")}
        params = {str(key): str(value) for key, value in dict(upload.get("upload_params") or {}).items()}
        answer = self.client.request("POST", upload["upload_url"], bearer=False, data=params, files=files)
        location = answer.headers.get("Location", "")
        if location and (answer.status_code in (201, 301, 302, 303)):
            address = urljoin(upload["upload_url"], location)
            answer = self.client.request("GET", address, bearer=self.client.is_own(address))
        file = as_json(answer)
        if not isinstance(file, dict) or not file.get("id"):
            raise HostError("Canvas did not take a page")
        return str(file["id"])


def _account(person: dict[str, Any], submission: dict[str, Any]) -> Account:
    def texts(*keys: str) -> tuple[str, ...]:
        return tuple(str(person[key]) for key in keys if person.get(key))

    score = submission.get("score")
    identity = PersonNames(
        numbers(CANVAS, texts("id")) + numbers(REGISTRY, texts("sis_user_id", "integration_id")),
        texts("login_id", "email"),
        texts("name", "sortable_name"),
    )
    return Account(
        str(person.get("id")),
        identity,
        float(score) if isinstance(score, int | float) else None,
        submission.get("excused") is True,
        dict(_comments(submission)),
    )


def _comments(submission: Any) -> list[tuple[str, str]]:
    """List the comments of a submission, number and text."""
    comments = submission.get("submission_comments") if isinstance(submission, dict) else None
    return [(str(one.get("id")), str(one.get("comment", ""))) for one in comments or [] if isinstance(one, dict)]


def _is_ours(text_there: str, delivery: Delivery, before: Sent) -> bool:
    """Tell whether nobody changed our comment: it is as we sent it, or tried to."""
    digests = {before.comment_there, before.comment_tried, digest(delivery.summary)}
    return before.comment_there == "" or digest(text_there) in digests - {""}


def _new_comment(answer: Any, before: Mapping[str, str], text: str) -> tuple[str, str]:
    """Find the comment just made, number and text; empty where Canvas does not tell it from a person's."""
    new = [pair for pair in _comments(answer) if pair[0] not in before]
    same = [pair for pair in new if pair[1] == text]
    if same:
        return same[-1]
    return new[0] if len(new) == 1 else ("", "")
