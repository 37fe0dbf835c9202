"""Points at the door: staff give them on the review page, and the worker enters them."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from helpers.doors import Door
from helpers.review_courses import grade, hand_in, review_course
from helpers.tiny import YAML

from autograder.course.configuration import load_course
from autograder.extensions.gradebook import nbgraders as gradebook
from autograder.extensions.serve import staff_socket
from autograder.extensions.serve.staff_socket import StaffSocket
from autograder.results import publication

pytestmark = pytest.mark.integration
SETTINGS = YAML + "serve: {staff: [meier]}\n"
REVIEW = "/staff/review/hw/"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a graded course: a name that no Unix socket may have."""
    folder = tmp_path_factory.mktemp("a-course-whose-folder-has-a-long-name-" * 4)
    return review_course(folder, SETTINGS).root


@pytest.fixture
def door(root: Path) -> Iterator[Door]:
    (root / "people.csv").write_text("id,name\nada,Ada A.\nbob,Bob B.\n")
    with Door.opened(root) as opened:
        yield opened


@pytest.fixture(scope="module")
def worker(root: Path) -> None:
    """The thread of a worker that answers: it ends with the process."""
    with Door.opened(root):
        threading.Thread(target=StaffSocket(root).serve_forever, daemon=True).start()


@pytest.fixture
def answering(worker: None, door: Door) -> Door:
    """A door with a worker that answers."""
    return door


def overview(client: Client, address: str = REVIEW) -> tuple[str, str]:
    """Open the review; return the address that it has now, and its page."""
    answer = client.get(address, follow=True)
    assert answer.status_code == 200, answer.content
    return answer.request["PATH_INFO"], answer.content.decode()


def give(client: Client, address: str, score: float, **headers: Any) -> Any:
    shown = re.search(r'data-seen="([\w-]+)"', client.get(address).content.decode())
    assert shown is not None
    body = json.dumps({"score": score, "comment": "Well said.", "seen": shown[1]})
    return client.post(address, body, content_type="application/json", **headers)


def points(root: Path, student: str, question: str = "explain") -> float | None:
    course = load_course(root)
    (grade,) = gradebook.with_manual_scores(course, publication.grades(course, "hw", [student]))
    (score,) = (q.score for book in grade.notebooks for q in book.questions if q.id == question)
    return score


def test_staff_give_points_and_the_log_says_who(answering: Door, caplog: pytest.LogCaptureFixture) -> None:
    client = answering.visitor("meier")
    assert REVIEW in client.get("/staff/").content.decode()
    address, page = overview(client)
    assert "Why does it learn?" in page
    assert 'href="/staff/"' in page
    assert "Because of the gradient." in client.get(f"{address}q/0").content.decode()
    assert client.get(f"{address}review.js")["Content-Type"].startswith("text/javascript")
    with caplog.at_level(logging.INFO, "autograder.serve"):
        assert give(client, f"{address}q/0/0", 2).json()["state"] == "given"
    assert points(answering.root, "ada") == 2
    assert "meier gave 2 points: hw, explain, ada" in caplog.text


def test_however_an_address_is_spelled_the_log_says_who(answering: Door, caplog: pytest.LogCaptureFixture) -> None:
    client = answering.visitor("meier")
    address, _ = overview(client)
    with caplog.at_level(logging.INFO, "autograder.serve"):
        assert give(client, f"{address}q//1/0/", 1).status_code == 200
    assert "meier gave 1 points: hw, plot, ada" in caplog.text


def test_names_can_be_hidden(answering: Door) -> None:
    client = answering.visitor("meier")
    address, page = overview(client, f"{REVIEW}anonymous")
    pages = [page, *(client.get(f"{address}{path}").content.decode() for path in ("q/0", "q/0/0", "q/0/1"))]
    assert not any(name in text for text in pages for name in ("ada", "Ada A.", "bob", "Bob B."))


def test_points_are_taken_from_a_page_of_the_door_alone(answering: Door) -> None:
    client = answering.visitor("meier", enforce_csrf_checks=True)
    address, _ = overview(client)
    before = points(answering.root, "bob")
    assert give(client, f"{address}q/0/1", 3).status_code == 403
    assert points(answering.root, "bob") == before
    token = client.cookies["csrftoken"].value
    assert give(client, f"{address}q/0/1", 1, HTTP_X_CSRFTOKEN=token).status_code == 200
    assert points(answering.root, "bob") == 1


def test_a_new_students_answers_have_a_new_address_and_the_old_one_still_means_the_same(answering: Door) -> None:
    """A page counts students by position: points for the third must not become somebody else's."""
    client = answering.visitor("meier")
    before, _ = overview(client)
    assert overview(client)[0] == before
    hand_in(answering.root, "abel")
    grade(answering.root)
    after, _ = overview(client)
    assert after != before
    first = [client.get(f"{address}q/0/0").content.decode() for address in (before, after)]
    assert ["No idea." in text or "descends" in text for text in first] == [True, False]
    assert client.get(f"{REVIEW}0123456789abcdef/q/0/0").status_code == 404


def test_few_requests_wait_for_a_worker_so_that_students_are_served(
    answering: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staff_socket, "_asking", threading.BoundedSemaphore(1))
    with staff_socket._asking:
        assert answering.visitor("meier").get(REVIEW).status_code == 503
    assert answering.visitor("meier").get(REVIEW).status_code == 302


def test_the_socket_has_the_mode_of_the_doors_files(answering: Door) -> None:
    assert (answering.root / ".autograder/serve/staff.sock").stat().st_mode & 0o777 == 0o600


def test_without_a_worker_a_sentence_says_so(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff_socket, "NAME", "nobody.sock")
    client = door.visitor("meier")
    for answer in (client.get(REVIEW), client.post(f"{REVIEW}x/q/0/0", "{}", content_type="application/json")):
        assert answer.status_code == 503
        assert "The worker does not answer." in answer.content.decode()


def test_without_grades_a_sentence_says_what_to_do(answering: Door) -> None:
    for path in (answering.root / "autograded").glob("*/hw/result.json"):
        path.rename(path.with_suffix(".aside"))
    page = answering.visitor("meier").get(REVIEW)
    for path in (answering.root / "autograded").glob("*/hw/result.aside"):
        path.rename(path.with_suffix(".json"))
    assert page.status_code == 404
    assert "nothing is graded" in page.content.decode()


def test_a_course_may_keep_points_away_from_the_door(answering: Door) -> None:
    settings = answering.root / "course.yaml"
    settings.write_text(SETTINGS.replace("serve: {", "serve: {review: false, "))
    client = answering.visitor("meier")
    assert "/staff/review/" not in client.get("/staff/").content.decode()
    refused = client.get(REVIEW)
    assert refused.status_code == 404
    assert "Points are not given at this door." in refused.content.decode()
    settings.write_text(SETTINGS)
