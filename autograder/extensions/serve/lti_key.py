"""The door's own key, by which learning systems know its answers and requests."""

from __future__ import annotations

import json
import time
import uuid
from functools import lru_cache
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from autograder.extensions.serve import state_folder
from autograder.extensions.serve.lti_launch import ALGORITHM
from autograder.records.course import Course

SIZE_BITS = 2048
VALID_SECONDS = 300


def sign(course: Course, claims: dict[str, Any], seconds: int = VALID_SECONDS) -> str:
    """Sign claims as a JSON Web Token that is valid for five minutes, or for so many seconds."""
    now = int(time.time())
    times = {"iat": now, "exp": now + seconds, "jti": uuid.uuid4().hex}
    key = _private_key(course)
    return jwt.encode({**claims, **times}, key, ALGORITHM, headers={"kid": _public(key)["kid"]})


def public_keys(course: Course) -> dict[str, Any]:
    """Return the public key as a JSON Web Key Set."""
    return {"keys": [_public(_private_key(course))]}


def _public(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    numbers: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    # The key's thumbprint, RFC 7638.
    members = json.dumps({name: numbers[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
    return {**numbers, "alg": ALGORITHM, "use": "sig", "kid": sha256(members.encode()).hexdigest()}


def _private_key(course: Course) -> rsa.RSAPrivateKey:
    path = state_folder.folder(course) / "lti.pem"
    if not path.exists():
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        state_folder.keep(path, rsa.generate_private_key(65537, SIZE_BITS).private_bytes(*form).decode())
    return _parsed(path.read_bytes())


@lru_cache(maxsize=1)
def _parsed(pem: bytes) -> rsa.RSAPrivateKey:
    """Read a key: its primes are tested, which takes a tenth of a second."""
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key
