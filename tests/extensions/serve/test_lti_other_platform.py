"""LTI 1.3 with a learning system's side that others wrote, where the package ``lti1p3platform`` is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from helpers.doors import Door
from helpers.lti_platform import CLIENT_ID, COURSE, DEPLOYMENT, ISSUER, STUDENT, TEACHER, YAML, LearningSystem
from helpers.tiny import YAML as TINY
from helpers.tiny import tiny_course

from autograder.extensions.serve import lti_key

message_launch = pytest.importorskip("lti1p3platform.message_launch")
from lti1p3platform.ltiplatform import LTI1P3PlatformConfAbstract  # noqa: E402
from lti1p3platform.oidc_login import OIDCLoginAbstract  # noqa: E402
from lti1p3platform.registration import Registration  # noqa: E402

LAUNCH = "http://127.0.0.1/lti/launch/"


class Platform(LTI1P3PlatformConfAbstract):  # type: ignore[misc]
    def init_platform_config(self, **_: Any) -> None:
        key = rsa.generate_private_key(65537, 2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.registered = (
            Registration()
            .set_iss(ISSUER)
            .set_client_id(CLIENT_ID)
            .set_deployment_id(DEPLOYMENT)
            .set_launch_url(LAUNCH)
            .set_deeplink_launch_url(LAUNCH)
            .set_oidc_login_url("http://127.0.0.1/lti/login/")
            .set_platform_private_key(private.decode())
            .set_platform_public_key(public.decode())
        )

    def get_registration_by_params(self, **_: Any) -> Any:
        return self.registered


class Login(OIDCLoginAbstract):  # type: ignore[misc]
    def set_lti_message_hint(self, **hint: Any) -> None:
        self._lti_message_hint = str(hint)

    def get_redirect(self, url: str) -> str:
        return url


class Launch(message_launch.LTIAdvantageMessageLaunchAbstract):  # type: ignore[misc, name-defined]
    def render_launch_form(self, launch_data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return launch_data


class Asked:
    """The browser's request to the learning system."""

    def __init__(self, query: dict[str, str]) -> None:
        self.get_data, self.form_data = query, {}


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    other = Platform()
    other.get_registration()
    monkeypatch.setattr(LearningSystem, "keys", other.get_jwks())
    return other


@pytest.fixture
def door(tmp_path: Path, platform: Platform) -> Iterator[Door]:
    course = tiny_course(tmp_path / "course", yaml=TINY + YAML)
    (course.root / "people.csv").write_text("id,name,lti_id\nada,Ada A.,s-1\n")
    with LearningSystem().answering(), Door.opened(course.root) as opened:
        yield opened


def launched(platform: Platform, browser: Any, role: str, deep_linking: bool) -> Any:
    login = Login(None, platform)
    login.set_lti_message_hint(link=1)
    begun = browser.get(login.initiate_login("user-1").removeprefix("http://127.0.0.1"))
    launch = Launch(Asked(dict(parse_qsl(urlsplit(begun["Location"]).query))), platform)
    launch.set_user_data("s-1", [role], full_name="Ada A.")
    launch.set_launch_context_claim(COURSE)
    launch.set_custom_parameters_claim({"assignment": "hw"})
    launch.set_resource_link_claim("link-1")
    if deep_linking:
        launch.set_dl(f"{ISSUER}/back")
    form = launch.lti_launch()
    assert form.pop("launch_url") == LAUNCH
    return browser.post("/lti/launch/", form)


def test_its_launch_opens_the_assignment(platform: Platform, door: Door) -> None:
    answer = launched(platform, door.visitor(), STUDENT, deep_linking=False)
    assert answer["Location"] == "/assignments/hw/"


def test_it_takes_the_choice_of_an_assignment(platform: Platform, door: Door) -> None:
    browser = door.visitor()
    page = launched(platform, browser, TEACHER, deep_linking=True).content.decode()
    (signed,) = re.findall(r'name="JWT" value="([^"]+)"', page)
    platform.registered.set_tool_key_set(lti_key.public_keys(door.course))
    (link,) = platform.validate_deeplinking_resp({"JWT": signed})
    assert link["custom"] == {"assignment": "hw"}


def test_it_gives_a_token_for_the_doors_assertion(platform: Platform, door: Door) -> None:
    platform.registered.set_tool_key_set(lti_key.public_keys(door.course))
    claims = {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": f"{ISSUER}/token"}
    wanted = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": lti_key.sign(door.course, claims),
        "scope": "https://purl.imsglobal.org/spec/lti-ags/scope/score",
    }
    assert platform.get_access_token(wanted)["scope"] == wanted["scope"]
