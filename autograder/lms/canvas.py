"""Canvas by its REST API.

Used as documented by Instructure: Courses (list users), Assignments (get), Submissions (list, grade or comment),
Submission Comments (edit, upload a file), File Uploads (three steps).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

from autograder.errors import HostError
from autograder.lms.account import Account, Delivery
from autograder.lms.matching import CANVAS, REGISTRY, Known, numbers
from autograder.lms.memory import Sent, digest
from autograder.lms.rest import Client, as_json

_PER_PAGE = 100


class Canvas:
    """One assignment of a Canvas course."""

    name = "Canvas"

    def __init__(self, client: Client, course: int, assignment: int) -> None:
        self.client = client
        self._course = f"api/v1/courses/{course}"
        self._assignment = f"{self._course}/assignments/{assignment}"

    def points(self) -> float | None:
        """Return the points that the assignment counts there."""
        found = self.client.json("GET", self._assignment)
        points = found.get("points_possible") if isinstance(found, dict) else None
        return float(points) if isinstance(points, int | float) else None

    def accounts(self) -> list[Account]:
        """List the students of the course, with what stands for the assignment."""
        query = {"enrollment_type[]": "student", "include[]": "email", "per_page": _PER_PAGE}
        people = [who for who in self.client.pages(f"{self._course}/users", query) if isinstance(who, dict)]
        listed = self.client.pages(f"{self._assignment}/submissions", {"per_page": _PER_PAGE})
        submissions = {str(item.get("user_id")): item for item in listed if isinstance(item, dict)}
        return [_account(who, submissions.get(str(who.get("id")), {})) for who in people]

    def deliver(self, account: Account, delivery: Delivery, before: Sent) -> tuple[Sent, list[str]]:
        """Grade a submission; a comment of this course's that is there already is edited, not repeated."""
        place = f"{self._assignment}/submissions/{account.number}"
        data: dict[str, Any] = {}
        now = before
        if delivery.score is not None:
            data["submission[posted_grade]"] = str(round(delivery.score, 4))
            now = replace(now, score=delivery.score)
        if delivery.comment is not None and before.comment_id and delivery.page is None:
            edit = {"comment": delivery.comment}
            self.client.json("PUT", f"{place}/comments/{before.comment_id}", data=edit)
            now = replace(now, comment=digest(delivery.comment))
        elif delivery.comment is not None or delivery.page is not None:
            data["comment[text_comment]"] = delivery.comment or "The page with all details."
            if delivery.page is not None:
                data["comment[file_ids][]"] = self._upload(place, delivery)
                now = replace(now, page=digest(delivery.page.read_bytes()))
        if data:
            answer = self.client.json("PUT", place, data=data)
            if delivery.comment is not None and "comment[text_comment]" in data:
                now = replace(now, comment=digest(delivery.comment), comment_id=_comment_id(answer, delivery.comment))
        return now, []

    def _upload(self, place: str, delivery: Delivery) -> str:
        """Upload a page for a comment, and return the file's number."""
        assert delivery.page is not None
        content = delivery.page.read_bytes()
        wanted = {"name": delivery.page_name, "size": len(content), "content_type": "text/html"}
        told = self.client.json("POST", f"{place}/comments/files", data=wanted)
        if not isinstance(told, dict) or not isinstance(told.get("upload_url"), str):
            raise HostError("Canvas did not tell where to upload a page")
        files = {"file": (delivery.page_name, content, "text/html")}
        params = {str(key): str(value) for key, value in dict(told.get("upload_params") or {}).items()}
        answer = self.client.request("POST", told["upload_url"], bearer=False, data=params, files=files)
        location = answer.headers.get("Location", "")
        if location and (answer.status_code in (201, 301, 302, 303)):
            where = urljoin(told["upload_url"], location)
            answer = self.client.request("GET", where, bearer=self.client.is_own(where))
        found = as_json(answer)
        if not isinstance(found, dict) or not found.get("id"):
            raise HostError("Canvas did not take a page")
        return str(found["id"])


def _account(who: dict[str, Any], submission: dict[str, Any]) -> Account:
    def texts(*keys: str) -> tuple[str, ...]:
        return tuple(str(who[key]) for key in keys if who.get(key))

    score = submission.get("score")
    known = Known(
        numbers(CANVAS, texts("id")) + numbers(REGISTRY, texts("sis_user_id", "integration_id")),
        texts("login_id", "email"),
        texts("name", "sortable_name"),
    )
    return Account(
        str(who.get("id")),
        known,
        float(score) if isinstance(score, int | float) else None,
        submission.get("excused") is True,
    )


def _comment_id(answer: Any, text: str) -> str:
    """Find the number of the comment just made; empty where Canvas does not tell."""
    comments = answer.get("submission_comments") if isinstance(answer, dict) else None
    numbers = [c.get("id") for c in comments or [] if isinstance(c, dict) and c.get("comment") == text]
    return str(numbers[-1]) if numbers else ""
