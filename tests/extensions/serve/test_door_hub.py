"""Users of a Hub at the door: a token counts for whom the Hub says, if it is for this door."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.core.cache.backends import locmem
from django.test import Client
from helpers.doors import Door
from helpers.hubs import SCOPE, Hub, answering, user

from autograder.extensions.serve import hub_users

LOGIN = "id,name,status,sis_login\nada,Ada A.,,a.lovelace\nbob,Bob B.,,\ncarl,Carl C.,left,\n"


@pytest.fixture
def hub(door: Door) -> Iterator[Hub]:
    """A Hub whose address the course has."""
    cache.clear()
    hub = Hub()
    with answering(hub) as address:
        settings_file = door.root / "course.yaml"
        settings_file.write_text(settings_file.read_text().replace("staff:", f"hub: {address}/hub/api, staff:"))
        yield hub


def ask(token: str, path: str = "/exchange/") -> Any:
    client = Client(HTTP_HOST="127.0.0.1", raise_request_exception=False)
    return client.get(path, HTTP_AUTHORIZATION=f"token {token}")


def test_a_user_of_the_hub_is_the_person_of_the_course_with_this_id(hub: Hub) -> None:
    assert ask("t-ada", "/exchange/").status_code == 200
    assert ask("t-ada", "/staff/").status_code == 403
    assert "Ada A." in ask("t-ada", "/assignments/").content.decode()


def test_a_login_of_the_roster_goes_before_an_id(door: Door, hub: Hub) -> None:
    (door.root / "people.csv").write_text(LOGIN)
    hub.users["t-ada2"] = user("a.lovelace")
    assert "Ada A." in ask("t-ada2", "/assignments/").content.decode()
    assert ask("t-ada").status_code == 401  # whoever is called ada on the Hub is somebody else


def test_the_hubs_group_of_the_course_is_staff(hub: Hub) -> None:
    assert ask("t-meier", "/staff/").status_code == 200
    hub.users["t-other"] = user("prof", "formgrade-other", "nbgrader-tiny", "formgrade-tiny2")
    assert ask("t-other", "/staff/").status_code == 401


STRANGERS = {
    "unknown": None,
    "of another course": user("eve"),
    "left the course": user("carl"),
    "for another service": user("ada", scopes=("access:services!service=other", "access:servers!server=eve/")),
    "for no service": user("ada", scopes=()),
    "of a service": user("ada", kind="service"),
    "of a service with a group": user("prof", "formgrade-tiny", kind="service"),
    "without a name": user("", "formgrade-tiny"),
}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_token_that_is_not_for_this_door_or_of_nobody_here_opens_nothing(hub: Hub, stranger: str) -> None:
    if STRANGERS[stranger] is not None:
        hub.users["t-strange"] = STRANGERS[stranger]
    answer = ask("t-strange")
    assert answer.status_code == 401
    assert "knows nobody with this token" in answer.content.decode()


def test_a_token_for_every_service_is_for_this_one(hub: Hub) -> None:
    hub.users["t-all"] = user("bob", scopes=("access:services",))
    assert ask("t-all").status_code == 200


@pytest.mark.parametrize("token", ["", "two words", "ä", "a\tb", "x" * 501])
def test_what_is_no_token_is_not_sent_to_the_hub(hub: Hub, token: str) -> None:
    assert ask(token).status_code == 401
    assert hub.asked == []


def test_an_answer_counts_for_a_short_time(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [ask("t-ada").status_code for _ in range(3)] == [200] * 3
    assert hub.asked == ["t-ada"]
    del hub.users["t-ada"]
    later = time.time() + hub_users.CACHE_SECONDS
    monkeypatch.setattr(locmem, "time", SimpleNamespace(time=lambda: later))
    assert ask("t-ada").status_code == 401


def test_many_tokens_fill_no_memory(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert caches["default"]._max_entries == 10_000
    monkeypatch.setattr(caches["default"], "_max_entries", 5)
    for number in range(12):
        hub.users[f"t-{number}"] = user("ada")
        assert ask(f"t-{number}").status_code == 200
    assert len(caches["default"]._cache) <= 5


WRONG = {
    "an error": (500, {}, b""),
    "a redirect": (302, {"Location": "http://127.0.0.1:9/"}, b""),
    "no JSON": (200, {}, b"<html>"),
    "other JSON": (200, {}, b"[1]"),
    "deep JSON": (200, {}, b"[" * 100_000),
    "no scopes": (200, {}, b'{"kind": "user", "name": "ada", "groups": []}'),
    "too much": (200, {}, b" " * (2 << 20)),
    "packed": (200, {"Content-Encoding": "gzip"}, b"x"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_hub_that_says_nothing_of_use_lets_nobody_in_and_costs_no_hand_in(hub: Hub, fault: str) -> None:
    hub.answer = WRONG[fault]
    answer = ask("t-ada")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    hub.answer = None
    assert ask("t-ada").status_code == 200


def test_no_token_is_logged(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hub.answer = (500, {}, b"t-ada")
    ask("t-ada")
    assert "No Hub" not in caplog.text
    assert "500" in caplog.text
    assert "t-ada" not in caplog.text


def test_without_the_setting_no_token_of_a_hub_counts(door: Door) -> None:
    assert ask("t-ada").status_code == 401


def test_a_token_does_not_mix_with_a_session(door: Door, hub: Hub) -> None:
    client = door.visitor("meier", raise_request_exception=False)
    assert client.get("/staff/", HTTP_AUTHORIZATION="token t-ada").status_code == 403
    assert client.get("/staff/", HTTP_AUTHORIZATION="token wrong").status_code == 401
    assert SCOPE in hub.users["t-ada"]["scopes"]


def test_a_large_hand_in_of_nobody_is_refused_before_it_is_read(hub: Hub) -> None:
    unread = {
        "wsgi.input": io.BytesIO(),
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
        "CONTENT_LENGTH": str(2 << 20),
    }
    client = Client(HTTP_HOST="127.0.0.1", raise_request_exception=False)
    sent = {"HTTP_AUTHORIZATION": "token wrong", **unread}
    assert client.generic("POST", "/exchange/submit/hw/", **sent).status_code == 413
    hub.answer = (500, {}, b"")
    assert (
        client.generic("POST", "/exchange/submit/hw/", **sent | {"HTTP_AUTHORIZATION": "token t-ada"}).status_code
        == 503
    )
