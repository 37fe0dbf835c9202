"""Dynamic registration: a learning system opens the door's link, and course.yaml's lines are shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from helpers.doors import Door
from helpers.learning_systems import Fake, served
from helpers.tiny import YAML, tiny_course

from autograder.course.configuration import load_course
from autograder.errors import HostError, UsageError
from autograder.extensions.serve import lti_registration, lti_strangers, lti_views, serve_command
from autograder.extensions.serve.course_keys import door as settings_of

HERE, ELSEWHERE = "http://127.0.0.1:8000", "https://door.example"
TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"


class Platform(Fake):
    """A learning system that registers tools, for whoever has its token."""

    def __init__(self) -> None:
        super().__init__()
        self.tools: list[dict[str, Any]] = []
        self.changes: dict[str, Any] = {}
        self.reply: Any = {"client_id": "c-1", TOOL: {"deployment_id": "7"}}

    def answer(self, method: str, path: str, query: dict, form: dict, files: dict) -> tuple[int, dict, object]:
        if path == "/openid":
            names = {"issuer": "", "authorization_endpoint": "/auth", "jwks_uri": "/keys", "token_endpoint": "/token"}
            texts = {name: f"{self.url}{path}" for name, path in {**names, "registration_endpoint": "/tools"}.items()}
            return 200, {}, texts | self.changes
        if (method, path) == ("POST", "/tools"):
            self.tools.append(form)
            return 201, {}, self.reply
        return 404, {}, {}


@pytest.fixture
def platform() -> Iterator[Platform]:
    fake = Platform()
    with served(fake):
        yield fake


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with Door.opened(tiny_course(tmp_path / "course", yaml=YAML).root) as opened:
        yield opened


def opened(door: Door, configuration: str, token: str = "", link: str = "") -> Any:
    query = {"openid_configuration": configuration, **({"registration_token": token} if token else {})}
    return door.visitor().get(f"/lti/register/{link or lti_registration.link_token(HERE)}/?{urlencode(query)}")


def text_of(answer: Any) -> str:
    return unescape(re.sub("<[^>]+>", "", answer.content.decode()))


def test_its_lines_make_course_yaml_name_the_learning_system(door: Door, platform: Platform) -> None:
    answer = opened(door, f"{platform.url}/openid", "once")
    assert answer.status_code == 200
    lines = text_of(answer).partition("serve:\n")[2].partition("\n\n")[0]
    file = door.root / "course.yaml"
    file.write_text(f"{file.read_text()}\nserve:\n{lines}\n")
    stated = settings_of(load_course(door.root)).lti
    assert (stated.issuer, stated.client_id, stated.deployment) == (platform.url, "c-1", "7")
    assert [stated.login, stated.keys, stated.token] == [f"{platform.url}/{end}" for end in ("auth", "keys", "token")]


def test_it_names_its_own_addresses_and_what_it_is_for(door: Door, platform: Platform) -> None:
    opened(door, f"{platform.url}/openid", "once")
    (tool,) = platform.tools
    ours = "http://127.0.0.1/lti"
    assert tool["redirect_uris"] == [f"{ours}/launch/"]
    assert (tool["initiate_login_uri"], tool["jwks_uri"]) == (f"{ours}/login/", f"{ours}/keys/")
    kinds = [message["type"] for message in tool[TOOL]["messages"]]
    assert kinds == ["LtiResourceLinkRequest", "LtiDeepLinkingRequest"]
    assert {name for _, name in platform.tokens} == {"Bearer once"}


def test_a_learning_system_without_a_token_gets_none(door: Door, platform: Platform) -> None:
    assert opened(door, f"{platform.url}/openid").status_code == 200
    assert not any(platform.tokens[0][1:])


def test_a_deployment_that_is_named_later_is_said_to_be(door: Door, platform: Platform) -> None:
    platform.reply = {"client_id": "c-1"}
    assert "gives the deployment's number later" in text_of(opened(door, f"{platform.url}/openid"))


def test_the_page_may_stand_in_the_learning_systems_frame(door: Door, platform: Platform) -> None:
    policy = opened(door, f"{platform.url}/openid").headers["Content-Security-Policy"]
    assert "frame-ancestors *" in policy


def test_what_a_learning_system_says_is_text(door: Door, platform: Platform) -> None:
    platform.changes = {"issuer": "<script>alert(1)</script>"}
    assert "<script>alert" not in opened(door, f"{platform.url}/openid").content.decode()


def test_who_has_no_valid_link_makes_the_door_ask_nobody(door: Door, platform: Platform) -> None:
    link = lti_registration.link_token(HERE)
    answers = [opened(door, f"{platform.url}/openid", link=text) for text in ("door:x:y", link[:-1], f"x{link}")]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert platform.asked == []


def test_a_link_ends(door: Door, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lti_registration, "LINK_SECONDS", -1)
    assert opened(door, f"{platform.url}/openid").status_code == 401
    assert platform.asked == []


def test_a_link_registers_once(door: Door, platform: Platform) -> None:
    link = lti_registration.link_token(HERE)
    platform.reply = {}
    statuses = [opened(door, f"{platform.url}/openid", link=link).status_code]
    platform.reply = {"client_id": "c-1"}
    statuses += [opened(door, f"{platform.url}/openid", link=link).status_code for _ in range(2)]
    assert statuses == [502, 200, 401]
    assert len(platform.tools) == 2


def test_a_used_link_is_remembered_for_as_long_as_it_is_valid() -> None:
    assert lti_views.REMEMBERED_SECONDS > lti_registration.LINK_SECONDS


PRIVATE = ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "[fe80::1]", "[::ffff:10.0.0.1]", "0"]


@pytest.mark.parametrize("host", [*PRIVATE, "no-such-host.invalid", f"{'x' * 70}.example", r"10.0.0.1\@public.example"])
def test_a_door_that_others_reach_asks_no_host_of_its_own_network(
    door: Door, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr("requests.Session.send", lambda *words, **_: sent.append(words))
    link = lti_registration.link_token(ELSEWHERE)
    answer = opened(door, f"https://{host}/openid", link=link)
    assert (answer.status_code, sent) == (502, [])
    assert "by hand" in text_of(answer) or "no address" in text_of(answer)


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["224.0.0.1"]])
def test_a_name_that_leads_into_a_network_of_its_own_is_refused(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: [(2, 1, 6, "", (address, 0)) for address in addresses])
    with pytest.raises(UsageError, match="no host of the public internet"):
        lti_strangers.ask("https://moodle.example/openid", "")


def test_a_public_host_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: [(2, 1, 6, "", ("93.184.215.14", 0))])
    monkeypatch.setattr("requests.Session.send", unreachable)
    with pytest.raises(HostError, match=r"^moodle\.example did not answer$"):
        lti_strangers.ask("https://moodle.example/openid", "")


def unreachable(*_: object, **__: object) -> None:
    raise requests.ConnectionError("[Errno 111] 93.184.215.14:443")


@pytest.mark.parametrize("status", [302, 429, 500, 503])
def test_a_refusal_is_not_asked_again_and_shown_as_its_status_alone(
    door: Door, platform: Platform, status: int
) -> None:
    platform.fail_next = [(status, {"Retry-After": "60", "Location": f"{platform.url}/secret"})]
    platform.failure = {"secret": "of the network"}
    answer = opened(door, f"{platform.url}/openid")
    assert [path for _, path, _ in platform.asked] == ["/openid"]
    assert f"answered with status {status}" in text_of(answer)
    assert "of the network" not in text_of(answer)


def test_of_an_answer_a_mebibyte_is_read(door: Door, platform: Platform) -> None:
    platform.changes = {"padding": "x" * lti_strangers.MAX_BYTES}
    answer = opened(door, f"{platform.url}/openid")
    assert answer.status_code == 502
    assert "did not answer with JSON" in text_of(answer)


@pytest.mark.parametrize(
    "address", ["", "file:///etc/passwd", "http://10.0.0.1/openid", "gopher://x", "no address", "https://[x"]
)
def test_an_address_that_is_not_encrypted_is_refused(door: Door, address: str) -> None:
    answer = opened(door, address)
    assert answer.status_code == 502
    assert "http" in text_of(answer)


@pytest.mark.parametrize(
    ("changes", "reply", "words"),
    [
        ({"jwks_uri": None}, {}, "does not say its jwks_uri"),
        ({"registration_endpoint": ["x"]}, {}, "does not say its registration_endpoint"),
        ({"registration_endpoint": "http://10.0.0.1/tools"}, {}, "is not encrypted"),
        ({}, {"error": "no"}, "does not say its client_id"),
        ({}, ["c-1"], "does not say its client_id"),
    ],
)
def test_an_answer_that_lacks_something_is_a_sentence(
    door: Door, platform: Platform, changes: dict[str, Any], reply: Any, words: str
) -> None:
    platform.changes, platform.reply = changes, reply
    answer = opened(door, f"{platform.url}/openid")
    assert answer.status_code == 502
    assert words in text_of(answer)


def test_the_command_prints_the_link(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    serve_command._register(door.course, "https://door.example", "")
    link = capsys.readouterr().out
    assert re.fullmatch(r"https://door\.example/lti/register/[\w%-]+/\n", link)
