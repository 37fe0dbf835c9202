"""LTI Advantage: the learning system's list of people, and its columns of grades."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from click.testing import CliRunner
from helpers.doors import Door
from helpers.learning_systems import Fake, served
from helpers.lti_platform import CLIENT_ID, ISSUER, MEMBER, STUDENT, TEACHER
from helpers.tiny import YAML, tiny_course

from autograder.cli import main
from autograder.errors import HostError, UsageError
from autograder.extensions.lms import posting
from autograder.extensions.lms.entries import ResultEntry
from autograder.extensions.lms.matching import REGISTRY, SUBJECT, PersonNames, match, numbers
from autograder.extensions.lms.sent_memory import Memory
from autograder.extensions.lms.student_identities import known_students
from autograder.extensions.serve import lti_key, lti_services, serve_command
from autograder.extensions.serve.models import LaunchedLink
from autograder.term.people import Person, Roster

ACCESS = "an-access-token"


class FakePlatform(Fake):
    """A course with ada and bob, a teacher and one who has left; one column of 10 points. Lists have one item a page."""

    def __init__(self) -> None:
        super().__init__()
        self.people = [
            {"user_id": "s-1", "name": "Ada A.", "email": "ada@example.org", "roles": [STUDENT], "status": "Active"},
            {"user_id": "s-2", "name": "Bob B.", "lis_person_sourcedid": "r-2", "roles": ["Learner"]},
            {"user_id": "t-1", "name": "Tea Cher", "roles": [TEACHER]},
            {"user_id": "s-3", "name": "Carl C.", "roles": [f"{MEMBER}Learner"], "status": "Inactive"},
        ]
        self.results: dict[str, dict[str, Any]] = {}
        self.scores: list[dict[str, Any]] = []
        self.assertions: list[str] = []
        self.gives_token = True
        self.token_seconds: Any = 3600

    def answer(self, method: str, path: str, query: dict, form: dict, files: dict) -> tuple[int, dict, object]:
        if path == "/token":
            self.assertions.append(form["client_assertion"])
            return 200, {}, {"access_token": ACCESS, "expires_in": self.token_seconds} if self.gives_token else {}
        assert self.tokens[-1] == (path, f"Bearer {ACCESS}")
        if path == "/members":
            number = int(query.get("page", "1"))
            more = {"Link": f'<{self.url}/members?page={number + 1}>; rel="next"'} if number < len(self.people) else {}
            return 200, more, {"id": "x", "members": [self.people[number - 1]]}
        if (method, path) == ("GET", "/items/1"):
            assert query == {"kind": "2"}
            return 200, {}, {"id": "x", "scoreMaximum": 10.0, "label": "Doubling"}
        if path == "/items/1/results":
            return 200, {}, list(self.results.values())
        if (method, path) == ("POST", "/items/1/scores"):
            self.scores.append(form)
            return 200, {}, {}
        return 404, {}, {}


@pytest.fixture
def platform() -> Iterator[FakePlatform]:
    fake = FakePlatform()
    lti_services._tokens.clear()  # the last one's address may come again
    with served(fake):
        yield fake


@pytest.fixture
def door(tmp_path: Path, platform: FakePlatform) -> Iterator[Door]:
    settings = (
        f"serve: {{lti: {{issuer: '{ISSUER}', client_id: {CLIENT_ID}, deployment: '7', course: c, "
        f"login: '{ISSUER}/auth', keys: '{ISSUER}/keys', token: '{platform.url}/token'}}}}\n"
        "learning_system: {kind: lti}\n"
    )
    with Door.opened(tiny_course(tmp_path / "course", yaml=YAML + settings).root) as opened:
        LaunchedLink.objects.create(
            assignment="hw", line_item=f"{platform.url}/items/1?kind=2", memberships=f"{platform.url}/members"
        )
        yield opened


def entry(student: str, score: float | None, comment: str = "q: right") -> ResultEntry:
    return ResultEntry(student, score, 10.0, comment, None)


STUDENTS = {
    "ada": PersonNames(numbers(SUBJECT, ["s-1"])),
    "bob": PersonNames(numbers(REGISTRY, ["r-2"])),
}


def post(door: Door, *results: ResultEntry) -> list[posting.PostingStep]:
    column = lti_services.column(door.course, door.course.assignments["hw"])
    memory = Memory.of(door.course, column.name, "hw")
    steps = posting.plan(column, "hw", results, {r.student: STUDENTS[r.student] for r in results}, memory)
    list(posting.send(column, steps, memory))
    return steps


def test_active_students_are_listed_for_the_import(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    serve_command._members(door.course, "", "")
    assert capsys.readouterr().out.splitlines() == [
        "id,name,email,lti_id,sis_id",
        ",Ada A.,ada@example.org,s-1,",
        ",Bob B.,,s-2,r-2",
    ]


def test_scores_go_into_the_column(door: Door, platform: FakePlatform) -> None:
    steps = post(door, entry("ada", 7.5), entry("bob", None))
    assert [step.act for step in steps] == [posting.Handover.SEND, posting.Handover.WAITS]
    (score,) = platform.scores
    assert (score["userId"], score["scoreGiven"], score["scoreMaximum"]) == ("s-1", 7.5, 10.0)
    assert (score["activityProgress"], score["gradingProgress"]) == ("Completed", "FullyGraded")
    assert score["comment"] == "q: right"


def test_each_score_has_a_later_time(door: Door, platform: FakePlatform) -> None:
    post(door, entry("ada", 7.5))
    post(door, entry("ada", 8))
    times = [datetime.fromisoformat(score["timestamp"]) for score in platform.scores]
    assert times[0] < times[1]
    assert times[1].tzinfo is not None


def test_nothing_is_sent_twice(door: Door, platform: FakePlatform) -> None:
    post(door, entry("ada", 7.5))
    platform.results["s-1"] = {"userId": "s-1", "resultScore": 0.75, "resultMaximum": 1}
    (step,) = post(door, entry("ada", 7.5))
    assert step.act is posting.Handover.SAME
    assert len(platform.scores) == 1


def test_a_page_that_no_column_takes_is_no_reason_to_send_again(
    door: Door, platform: FakePlatform, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text("feedback")
    result = replace(entry("ada", 7.5), page=page)
    post(door, result)
    platform.results["s-1"] = {"userId": "s-1", "resultScore": 0.75, "resultMaximum": 1}
    (step,) = post(door, result)
    assert step.act is posting.Handover.SAME


def test_a_student_whose_name_is_private_is_found_by_the_number_of_the_learning_system(door: Door) -> None:
    roster = Roster((Person("ada", ids={"lti_id": "s-1"}), Person("s-2", ids={})))  # an id is nobody's number there
    known = known_students(roster, "hw", ["ada", "s-2"])
    members = [PersonNames(numbers(SUBJECT, ["s-1"])), PersonNames(numbers(SUBJECT, ["s-2"]))]
    assert match(known, members).pairs == {"ada": 0}


def test_a_grade_that_a_person_changed_is_kept(door: Door, platform: FakePlatform) -> None:
    post(door, entry("ada", 7.5))
    platform.results["s-1"] = {"userId": "s-1", "resultScore": 9, "resultMaximum": 10}
    (step,) = post(door, entry("ada", 8))
    assert step.act is posting.Handover.KEPT
    assert len(platform.scores) == 1


def test_the_door_signs_its_wish_for_a_token(door: Door, platform: FakePlatform) -> None:
    post(door, entry("ada", 7.5))
    keys = jwt.PyJWKSet.from_dict(lti_key.public_keys(door.course))
    claims = [
        jwt.decode(text, keys.keys[0].key, algorithms=["RS256"], audience=f"{platform.url}/token", issuer=CLIENT_ID)
        for text in platform.assertions
    ]
    assert {claim["sub"] for claim in claims} == {CLIENT_ID}
    assert len({claim["jti"] for claim in claims}) == len(claims)


def test_all_services_share_one_token(door: Door, platform: FakePlatform) -> None:
    post(door, entry("ada", 7.5))
    post(door, entry("bob", 7.5))
    assert len(platform.assertions) == 1


@pytest.mark.parametrize("seconds", [0, -5])
def test_a_token_that_has_ended_is_fetched_again(door: Door, platform: FakePlatform, seconds: int) -> None:
    platform.token_seconds = seconds
    post(door, entry("ada", 7.5))
    assert len(platform.assertions) > 1


@pytest.mark.parametrize("seconds", [None, "3600", 3600])
def test_a_tokens_time_that_is_no_number_is_an_hour(door: Door, platform: FakePlatform, seconds: Any) -> None:
    platform.token_seconds = seconds
    post(door, entry("ada", 7.5))
    assert len(platform.assertions) == 1


def test_a_tokens_time_is_an_hour_at_most(door: Door, platform: FakePlatform) -> None:
    platform.token_seconds = 1e300
    post(door, entry("ada", 7.5))
    ((until, _),) = lti_services._tokens.values()
    assert until < time.monotonic() + lti_services.TOKEN_SECONDS


def test_a_token_that_is_not_accepted_any_longer_is_fetched_again(door: Door, platform: FakePlatform) -> None:
    post(door, entry("ada", 7.5))
    platform.fail_next = [(401, {})]
    post(door, entry("bob", 7.5))
    assert [score["userId"] for score in platform.scores] == ["s-1", "s-2"]
    assert len(platform.assertions) == 2


def test_a_new_token_that_is_not_accepted_either_is_the_end(door: Door, platform: FakePlatform) -> None:
    post(door, entry("ada", 7.5))
    del platform.asked[:]
    answer = platform.answer
    platform.answer = lambda method, path, *rest: answer(method, path, *rest) if path == "/token" else (401, {}, {})
    with pytest.raises(HostError, match="the token is not accepted"):
        post(door, entry("bob", 7.5))
    assert [path for _, path, _ in platform.asked][1:] == ["/token", platform.asked[0][1]]


def test_without_a_token_nothing_is_sent(door: Door, platform: FakePlatform) -> None:
    platform.gives_token = False
    with pytest.raises(HostError, match="gave no access token"):
        post(door, entry("ada", 7.5))


def test_a_link_that_nobody_launched_has_no_column(door: Door) -> None:
    LaunchedLink.objects.all().delete()
    with pytest.raises(UsageError, match="open the link in the learning system once"):
        lti_services.column(door.course, door.course.assignments["hw"])
    with pytest.raises(UsageError, match="let the tool read names and roles"):
        lti_services.members(door.course, lti_services.memberships_address(door.course))


def test_post_finds_the_column_by_itself(door: Door) -> None:
    done = CliRunner().invoke(main, ["post", "hw", "--course", str(door.root), "--dry-run"])
    assert "nothing is graded" in done.output  # and asks for no address, number or token before
