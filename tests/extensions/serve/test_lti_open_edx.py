"""LTI 1.3 with Open edX's own side of it, where the package ``lti-consumer-xblock`` is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from django.test import override_settings
from helpers.doors import Door
from helpers.lti_platform import CLIENT_ID, COURSE, DEPLOYMENT, ISSUER, YAML, LearningSystem
from helpers.tiny import YAML as TINY
from helpers.tiny import tiny_course

from autograder.extensions.serve import lti_key

pytest.importorskip("lti_consumer")
from lti_consumer.data import Lti1p3LaunchData
from lti_consumer.lti_1p3.consumer import LtiAdvantageConsumer

LAUNCH, LOGIN = "http://127.0.0.1/lti/launch/", "http://127.0.0.1/lti/login/"


@pytest.fixture
def platform(door: Door, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    system = LearningSystem()
    pem = system.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (door_key,) = lti_key.public_keys(door.course)["keys"]
    public = jwt.PyJWK(door_key).key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    other = LtiAdvantageConsumer(
        ISSUER, LOGIN, LAUNCH, CLIENT_ID, DEPLOYMENT, pem.decode(), "k1", [LAUNCH], tool_key=public.decode()
    )
    other.enable_deep_linking(LAUNCH, f"{ISSUER}/back")
    other.set_context_claim(COURSE)
    other.set_resource_link_claim("link-1")
    other.set_custom_parameters({"assignment": "hw"})
    other.enable_ags(f"{ISSUER}/items", f"{ISSUER}/items/1")
    monkeypatch.setattr(LearningSystem, "keys", other.get_public_keyset())
    with system.answering(), override_settings(PLATFORM_NAME="Open edX"):
        yield other


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    course = tiny_course(tmp_path / "course", yaml=TINY + YAML)
    (course.root / "people.csv").write_text("id,name,lti_id\nada,Ada A.,s-1\n")
    with Door.opened(course.root) as opened:
        yield opened


def launched(platform: Any, browser: Any, role: str, kind: str = "LtiResourceLinkRequest") -> Any:
    begun = platform.prepare_preflight_url(Lti1p3LaunchData("s-1", role, "1", "link-1", message_type=kind))
    asked = dict(parse_qsl(urlsplit(browser.get(begun.removeprefix("http://127.0.0.1"))["Location"]).query))
    platform.set_user_data("s-1", role, full_name="Ada A.")
    return browser.post("/lti/launch/", platform.generate_launch_request(asked))


def test_its_launch_opens_the_assignment(platform: Any, door: Door) -> None:
    assert launched(platform, door.visitor(), "student")["Location"] == "/assignments/hw/"


@pytest.mark.parametrize("role", ["instructor", "staff"])
def test_its_teachers_are_staff(platform: Any, door: Door, role: str) -> None:
    assert launched(platform, door.visitor(), role)["Location"] == "/staff/submissions/"


def test_it_takes_the_choice_of_an_assignment(platform: Any, door: Door) -> None:
    browser = door.visitor()
    page = launched(platform, browser, "instructor", "LtiDeepLinkingRequest").content.decode()
    (signed,) = re.findall(r'name="JWT" value="([^"]+)"', page)
    (link,) = platform.check_and_decode_deep_linking_token(signed)
    assert link["custom"] == {"assignment": "hw"}


def test_it_gives_a_token_for_the_doors_assertion(platform: Any, door: Door) -> None:
    wanted = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": lti_key.sign(door.course, {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": f"{ISSUER}/token"}),
        "scope": "https://purl.imsglobal.org/spec/lti-ags/scope/score",
    }
    assert platform.access_token(wanted)["scope"] == wanted["scope"]
