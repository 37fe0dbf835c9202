"""LTI 1.3: a learning system's launch opens the door for the person whom it names, and for nobody else."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from helpers.doors import Door
from helpers.lti_platform import (
    CLAIM,
    CLIENT_ID,
    DEPLOYMENT,
    ISSUER,
    MEMBER,
    STUDENT,
    TEACHER,
    YAML,
    LearningSystem,
    unsigned,
)
from helpers.tiny import YAML as TINY
from helpers.tiny import tiny_course

from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.extensions.serve import lti_key, visitors
from autograder.extensions.serve.models import LaunchedLink

PEOPLE = "id,name,status,lti_id,sis_id\nada,Ada A.,,s-1,\nbob,Bob B.,,,r-2\ncarl,Carl C.,left,s-3,\n"
DEEP = "https://purl.imsglobal.org/spec/lti-dl/claim/"
INSTITUTION = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    course = tiny_course(tmp_path / "course", yaml=TINY.replace("title:", "points: 2\n    title:") + YAML)
    (course.root / "people.csv").write_text(PEOPLE)
    with Door.opened(course.root) as opened:
        yield opened


@pytest.fixture
def system() -> Iterator[LearningSystem]:
    learning_system = LearningSystem()
    with learning_system.answering():
        yield learning_system


@pytest.fixture
def browser(door: Door) -> Client:
    return door.visitor(raise_request_exception=False)


def who(browser: Client) -> str:
    """Whose pages the browser sees: the name beside Leave, or nothing."""
    text = browser.get("/", follow=True).content.decode()
    shown = re.search(r'<span class="muted">(.*?)</span> <button class="door-plain">Leave', text)
    return shown[1] if shown else ""


def test_a_student_comes_to_the_assignment_of_the_link(system: LearningSystem, browser: Client) -> None:
    answer = system.launch(browser)
    assert (answer.status_code, answer["Location"]) == (302, "/assignments/hw/")
    assert who(browser) == "Ada A."


def registry(number: str) -> dict[str, Any]:
    return {f"{CLAIM}lis": {"person_sourcedid": number}}


def test_the_registrys_number_tells_a_person_whose_account_is_not_known(
    door: Door, system: LearningSystem, browser: Client
) -> None:
    """Staff see that it is a claim."""
    system.launch(browser, sub="s-8", name="B.", **registry("r-2"))
    assert who(browser) == "Bob B."
    page = door.visitor("meier").get("/staff/people/").content.decode()
    assert "s-8" in page
    assert "not confirmed" in page


@pytest.mark.parametrize("number", ["r-1", "ada", "bob", ""])
def test_nobody_comes_in_by_a_number_of_a_person_whose_account_is_known_or_by_an_id(
    door: Door, system: LearningSystem, browser: Client, number: str
) -> None:
    """Attack 68: in some learning systems people may write the registry's number themselves."""
    (door.root / "people.csv").write_text("id,name,lti_id,sis_id\nada,Ada A.,s-1,r-1\nbob,Bob B.,,r-2\n")
    answer = system.launch(browser, sub="s-666", **registry(number))
    assert answer.status_code == 403
    assert who(browser) == ""
    assert system.launch(door.visitor(), **registry("r-2")).status_code == 302  # ada herself, whatever the number says


def test_two_accounts_with_one_number_wait_and_staff_decide(door: Door, system: LearningSystem) -> None:
    """Attack 68, where the thief comes first: neither opens anything until people.csv has the account."""
    thief, bob, teacher = door.visitor(), door.visitor(), door.visitor("meier")
    system.launch(thief, sub="s-666", **registry("r-2"))
    answer = system.launch(bob, sub="s-2", **registry("r-2"))
    assert answer.status_code == 403
    assert "s-2" in answer.content.decode()
    assert (who(thief), who(bob)) == ("", "")
    assert "1 person waits" in teacher.get("/staff/").content.decode()
    (door.root / "people.csv").write_text("id,name,lti_id,sis_id\nbob,Bob B.,s-2,r-2\n")
    system.launch(bob, sub="s-2", **registry("r-2"))
    assert (who(thief), who(bob)) == ("", "Bob B.")
    assert "person waits" not in teacher.get("/staff/").content.decode()
    assert system.launch(thief, sub="s-666", **registry("r-2")).status_code == 403


def test_an_account_that_claims_a_second_person_is_neither(door: Door, system: LearningSystem) -> None:
    (door.root / "people.csv").write_text("id,name,lti_id,sis_id\nbob,Bob B.,,r-2\ndora,Dora D.,,r-4\n")
    browser = door.visitor()
    system.launch(browser, sub="s-666", **registry("r-2"))
    assert who(browser) == "Bob B."
    assert system.launch(browser, sub="s-666", **registry("r-4")).status_code == 403
    assert who(browser) == ""


def test_a_link_of_ones_own_counts_whatever_accounts_claim(door: Door, system: LearningSystem) -> None:
    for subject in ("s-666", "s-2"):
        system.launch(door.visitor(), sub=subject, **registry("r-2"))
    assert who(door.visitor("bob")) == "Bob B."


def test_accounts_are_compared_letter_by_letter(system: LearningSystem, browser: Client) -> None:
    assert system.launch(browser, sub="S-1").status_code == 403


def test_staff_of_the_course_see_the_staffs_pages(system: LearningSystem, browser: Client) -> None:
    answer = system.launch(browser, sub="t-1", name="Tea Cher", **{f"{CLAIM}roles": [TEACHER]})
    assert answer["Location"] == "/staff/submissions/"
    assert browser.get("/staff/").status_code == 200
    assert who(browser) == "Tea Cher"


@pytest.mark.parametrize(
    "role", [f"{INSTITUTION}Administrator", f"{MEMBER}Mentor", "Instructor", f"{MEMBER}Instructor#Grader", 7]
)
def test_no_other_role_is_staff(system: LearningSystem, browser: Client, role: Any) -> None:
    system.launch(browser, **{f"{CLAIM}roles": [role]})
    assert browser.get("/staff/").status_code == 403


@pytest.mark.parametrize("also", [[], [TEACHER]], ids=["alone", "beside the teacher's role"])
def test_a_teaching_assistant_does_what_the_course_lets_assistants_do(
    system: LearningSystem, browser: Client, also: list[str]
) -> None:
    """Mail addresses may be chosen there: that of a teacher gives nobody more."""
    roles = [*also, MEMBER.replace("#", "/Instructor#TeachingAssistant")]
    system.launch(browser, email="meier", **{f"{CLAIM}roles": roles})
    assert browser.get("/staff/").status_code == 200
    assert browser.post("/staff/acts/preview/hw/").status_code == 302
    assert browser.post("/staff/acts/regrade/hw/").status_code == 403
    system.launch(browser, **{f"{CLAIM}roles": [TEACHER]})
    assert browser.post("/staff/acts/regrade/hw/").status_code == 302


@pytest.mark.parametrize("subject", ["s-3", "nobody", ""])
def test_who_has_left_or_is_not_listed_stays_outside(system: LearningSystem, browser: Client, subject: str) -> None:
    answer = system.launch(browser, sub=subject, email="bob@example.org")
    assert answer.status_code in (401, 403)
    assert who(browser) == ""


def test_another_course_of_the_learning_system_opens_nothing(system: LearningSystem, browser: Client) -> None:
    answer = system.launch(browser, **{f"{CLAIM}context": {"id": "another"}, f"{CLAIM}roles": [TEACHER]})
    assert answer.status_code == 403
    assert "serve: {lti: {course: &#39;another&#39;}}" in answer.content.decode()
    assert who(browser) == ""


HOSTILE: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "another-tool"},
    "several audiences without a party": {"aud": [CLIENT_ID, "another-tool"]},
    "another authorized party": {"aud": [CLIENT_ID, "another-tool"], "azp": "another-tool"},
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "no person": {"sub": None},
    "no end": {"exp": None},
    "it has ended": {"exp": 1, "iat": 0},
    "not yet": {"nbf": 9_999_999_999},
    "another deployment": {f"{CLAIM}deployment_id": "8"},
    "no deployment": {f"{CLAIM}deployment_id": None},
    "another version": {f"{CLAIM}version": "1.1"},
    "another kind": {f"{CLAIM}message_type": "LtiSubmissionReviewRequest"},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_statement_that_is_not_for_this_launch_is_refused(system: LearningSystem, browser: Client, name: str) -> None:
    answer = system.launch(browser, **HOSTILE[name])
    assert answer.status_code == 401
    assert "The launch is not valid" in answer.content.decode()
    assert who(browser) == ""


def forged(system: LearningSystem, nonce: str) -> dict[str, str]:
    claims = system.claims(nonce)
    stranger = rsa.generate_private_key(65537, 2048)
    good = system.sign(claims)
    head, body, signature = good.split(".")
    other = system.sign({**claims, "sub": "s-2"}).split(".")[1]
    return {
        "nobody signed it": unsigned(claims),
        "a stranger's key": system.sign(claims, key=stranger),
        "a key that is not listed": system.sign(claims, kid="k2"),
        "the public key as a secret": jwt.encode(claims, "x" * 64, "HS256", headers={"kid": "k1"}),
        "another body": f"{head}.{other}.{signature}",
        "no signature": f"{head}.{body}.",
        "no statement": "",
        "three dots": "...",
        "an array": jwt.api_jws.encode(b"[1]", system.key, "RS256", headers={"kid": "k1"}),
    }


@pytest.mark.parametrize("name", sorted(forged(LearningSystem(), "n")))
def test_a_forged_statement_is_refused(system: LearningSystem, browser: Client, name: str) -> None:
    asked = system.begin(browser)
    statement = forged(system, asked["nonce"])[name]
    answer = browser.post("/lti/launch/", {"state": asked["state"], "id_token": statement})
    assert answer.status_code == 401
    assert who(browser) == ""


def test_a_statement_is_taken_once(door: Door, system: LearningSystem, browser: Client) -> None:
    asked = system.begin(browser)
    cookies = dict(browser.cookies)
    sent = {"state": asked["state"], "id_token": system.sign(system.claims(asked["nonce"]))}
    assert browser.post("/lti/launch/", sent).status_code == 302
    thief = door.visitor()
    for name, cookie in cookies.items():
        thief.cookies[name] = cookie.value
    answer = thief.post("/lti/launch/", sent)
    assert answer.status_code == 401
    assert "was taken before" in answer.content.decode()


def test_a_statement_counts_in_the_browser_that_began_the_launch(door: Door, system: LearningSystem) -> None:
    asked = system.begin(door.visitor())
    sent = {"state": asked["state"], "id_token": system.sign(system.claims(asked["nonce"]))}
    victim = door.visitor()
    assert victim.post("/lti/launch/", sent).status_code == 401
    assert who(victim) == ""


@pytest.mark.parametrize(
    "sent",
    [
        {"iss": "https://evil.example", "login_hint": "x"},
        {"iss": ISSUER, "client_id": "another", "login_hint": "x"},
        {"iss": ISSUER, "client_id": CLIENT_ID},
        {},
    ],
)
def test_a_launch_begins_for_the_named_learning_system_alone(browser: Client, sent: dict[str, str]) -> None:
    assert browser.post("/lti/login/", sent).status_code == 401


def test_in_a_frame_the_launch_asks_for_a_window(browser: Client) -> None:
    sent = {"iss": ISSUER, "client_id": CLIENT_ID, "login_hint": 'x"><b>'}
    answer = browser.get("/lti/login/", sent, headers={"Sec-Fetch-Dest": "iframe"})
    text = answer.content.decode()
    assert 'target="_blank"' in text
    assert 'value="x&#34;&gt;&lt;b&gt;"' in text
    assert "frame-ancestors *" in answer["Content-Security-Policy"]


def test_without_a_learning_system_there_are_no_such_pages(tmp_path: Path) -> None:
    with Door.opened(tiny_course(tmp_path / "plain").root) as plain:
        browser = plain.visitor()
        for path in ("/lti/login/", "/lti/keys/"):
            assert browser.get(path).status_code == 404


def test_a_staff_session_of_a_launch_ends_with_the_courses_entry(
    door: Door, system: LearningSystem, browser: Client
) -> None:
    system.launch(browser, **{f"{CLAIM}roles": [TEACHER]})
    (door.root / "course.yaml").write_text(TINY)
    assert browser.get("/staff/").status_code == 401


def test_a_staff_session_of_a_launch_ends_after_some_hours(
    system: LearningSystem, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.launch(browser, **{f"{CLAIM}roles": [TEACHER]})
    assert browser.get("/staff/").status_code == 200
    hours = visitors._LAUNCHED_SECONDS + 10 + time.time()
    monkeypatch.setattr(visitors.time, "time", lambda: hours)
    assert browser.get("/staff/").status_code == 401


def test_a_launch_replaces_who_was_here(door: Door, system: LearningSystem) -> None:
    browser = door.visitor("bob")
    system.launch(browser)
    assert who(browser) == "Ada A."


def test_a_launch_names_the_services(system: LearningSystem, browser: Client) -> None:
    ags = {"https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {"lineitem": f"{ISSUER}/items/1"}}
    system.launch(browser, **ags)
    assert LaunchedLink.objects.get(assignment="hw").line_item == f"{ISSUER}/items/1"


def choose(system: LearningSystem, browser: Client, **changes: Any) -> Any:
    settings = {"deep_link_return_url": f"{ISSUER}/back", "data": "keep me"}
    stated = {
        f"{CLAIM}message_type": "LtiDeepLinkingRequest",
        f"{CLAIM}roles": [TEACHER],
        f"{DEEP}deep_linking_settings": settings,
        **changes,
    }
    return system.launch(browser, **stated)


def test_staff_choose_the_assignment_of_a_new_link(door: Door, system: LearningSystem, browser: Client) -> None:
    answer = choose(system, browser)
    text = answer.content.decode()
    assert f'action="{ISSUER}/back"' in text
    assert f"form-action {ISSUER};" in answer["Content-Security-Policy"]
    signed = re.search(r'<button name="JWT" value="([^"]+)">Doubling</button>', text)
    assert signed is not None
    keys = jwt.PyJWKSet.from_dict(browser.get("/lti/keys/").json())
    claims = jwt.decode(signed[1], keys.keys[0].key, algorithms=["RS256"], audience=ISSUER, issuer=CLIENT_ID)
    (link,) = claims[f"{DEEP}content_items"]
    assert claims[f"{DEEP}data"] == "keep me"
    assert claims[f"{CLAIM}deployment_id"] == DEPLOYMENT
    assert link["custom"] == {"assignment": "hw"}
    assert link["url"] == "http://127.0.0.1/lti/launch/"
    assert link["lineItem"]["scoreMaximum"] == door.course.assignments["hw"].points


def test_a_student_chooses_nothing(system: LearningSystem, browser: Client) -> None:
    answer = choose(system, browser, **{f"{CLAIM}roles": [STUDENT]})
    assert answer.status_code == 401
    assert "JWT" not in answer.content.decode()


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://a.example; script-src *", "https://a.example'x/", 7, None]
)
def test_the_answer_to_a_choice_goes_to_a_web_server_alone(
    system: LearningSystem, browser: Client, address: Any
) -> None:
    settings = {f"{DEEP}deep_linking_settings": {"deep_link_return_url": address}}
    assert choose(system, browser, **settings).status_code == 401


def test_the_doors_key_is_kept_for_its_owner(door: Door) -> None:
    first = lti_key.public_keys(door.course)
    assert lti_key.public_keys(door.course) == first
    assert "d" not in first["keys"][0]
    path = door.course.state / "serve" / "lti.pem"
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"client_id": None}, "needs client_id"),
        ({"keys": "http://lms.example/keys"}, "no encrypted address"),
        ({"login": "ftp://lms.example"}, "no encrypted address"),
    ],
)
def test_a_learning_system_that_is_half_named_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    from autograder.extensions.serve.course_keys import LtiPlatform
    from autograder.extensions.serve.course_keys import door as settings_of

    course = tiny_course(tmp_path / "course", yaml=TINY + YAML)
    platform = replace(settings_of(load_course(course.root)).lti, **change)
    values = {name: getattr(platform, name) for name in LtiPlatform.__slots__}
    lines = ", ".join(f"{name}: '{value}'" for name, value in values.items() if value)
    (course.root / "course.yaml").write_text(f"{TINY}serve: {{lti: {{{lines}}}}}\n")
    with pytest.raises(CourseError, match=message):
        load_course(course.root)
