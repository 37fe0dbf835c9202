"""A learning system for tests of launches: it has a key, and states whatever a test wants."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from jwt.algorithms import RSAAlgorithm

ISSUER, CLIENT_ID, DEPLOYMENT, COURSE = "https://lms.example", "door-1", "7", "course-42"
YAML = (
    f"serve: {{staff: [meier], lti: {{issuer: '{ISSUER}', client_id: {CLIENT_ID}, deployment: '{DEPLOYMENT}', "
    f"course: {COURSE}, login: '{ISSUER}/auth', keys: '{ISSUER}/keys', token: '{ISSUER}/token'}}}}\n"
)
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
MEMBER = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
STUDENT, TEACHER = f"{MEMBER}Learner", f"{MEMBER}Instructor"


class LearningSystem:
    """Signs statements with its own key."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)

    @property
    def keys(self) -> dict[str, Any]:
        public: dict[str, Any] = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": "k1", "alg": "RS256", "use": "sig"}]}

    def claims(self, nonce: str, /, **changes: Any) -> dict[str, Any]:
        """What is stated of ada's launch of the assignment hw; a change to None leaves a claim out."""
        now = int(time.time())
        stated = {
            "iss": ISSUER,
            "aud": CLIENT_ID,
            "sub": "s-1",
            "nonce": nonce,
            "iat": now,
            "exp": now + 300,
            "name": "Ada A.",
            "email": "ada@example.org",
            f"{CLAIM}version": "1.3.0",
            f"{CLAIM}deployment_id": DEPLOYMENT,
            f"{CLAIM}message_type": "LtiResourceLinkRequest",
            f"{CLAIM}roles": [STUDENT],
            f"{CLAIM}context": {"id": COURSE},
            f"{CLAIM}custom": {"assignment": "hw"},
            **changes,
        }
        return {name: value for name, value in stated.items() if value is not None}

    def sign(self, claims: dict[str, Any], key: Any = None, algorithm: str = "RS256", kid: str = "k1") -> str:
        return jwt.encode(claims, key if key is not None else self.key, algorithm, headers={"kid": kid})

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Let requests for its keys reach it."""
        from autograder.extensions.serve import lti_launch

        lti_launch._keys.cache_clear()
        with mock.patch.object(jwt.PyJWKClient, "fetch_data", return_value=self.keys):
            yield
        lti_launch._keys.cache_clear()

    def begin(self, browser: Client) -> dict[str, str]:
        """Begin a launch; returns what the door asks of the learning system."""
        answer = browser.post("/lti/login/", {"iss": ISSUER, "client_id": CLIENT_ID, "login_hint": "x"})
        assert answer.status_code == 302, answer.content.decode()
        return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}

    def launch(self, browser: Client, **changes: Any) -> Any:
        """Launch as a browser does it; returns the door's answer to the statement."""
        asked = self.begin(browser)
        return browser.post(
            "/lti/launch/", {"state": asked["state"], "id_token": self.sign(self.claims(asked["nonce"], **changes))}
        )


def unsigned(claims: dict[str, Any]) -> str:
    """A statement that nobody signed (``alg: none``)."""
    from base64 import urlsafe_b64encode

    parts = ({"alg": "none", "kid": "k1", "typ": "JWT"}, claims)
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."
