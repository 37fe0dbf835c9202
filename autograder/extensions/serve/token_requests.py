"""Requests with a token of JupyterHub: bounded in size and time, and sent to one address alone."""

from __future__ import annotations

import time
from typing import BinaryIO

import requests

from autograder._util.text import one_line
from autograder.submissions.members import CHUNK

CONNECT_SECONDS, SILENT_SECONDS = 5.0, 60.0
"""Seconds until a connection is there, and between two pieces of an answer."""
MAX_SENTENCE_BYTES = 2_000


class AnswerFault(Exception):
    """No answer that can be used; its text has neither the token nor unprintable characters.

    Args:
        status: HTTP's status; 0 if there was no answer.
        text: what is wrong.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(one_line(text, 500))
        self.status = status


def send(
    method: str,
    address: str,
    token: str,
    into: BinaryIO,
    most: int,
    *,
    upload: BinaryIO | None = None,
    seconds: float = 600.0,
) -> None:
    """Make a request and write the answer's body.

    No redirect is followed: another address would get the token.

    Args:
        method: HTTP's method.
        address: where to.
        token: the token.
        into: where the body is written.
        most: largest number of bytes of the body.
        upload: a zip to send as the form's ``file``.
        seconds: time for the whole answer.

    Raises:
        AnswerFault: there is no answer, it is too large or too slow, or its status is none of success.
    """

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"token {token}"  # and no password that a .netrc has
        return request

    deadline = time.monotonic() + seconds
    try:
        with requests.request(
            method,
            address,
            auth=sign,
            headers={"Accept": "text/plain", "Accept-Encoding": "identity"},
            files=None if upload is None else {"file": ("hand-in.zip", upload, "application/zip")},
            allow_redirects=False,
            stream=True,
            timeout=(CONNECT_SECONDS, min(seconds, SILENT_SECONDS)),
        ) as response:
            if not 200 <= response.status_code < 300:
                raise AnswerFault(response.status_code, _sentence(response))
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise AnswerFault(response.status_code, "the answer is packed, which nobody asked for")
            for chunk in response.iter_content(CHUNK):
                most -= into.write(chunk)
                if most < 0 or time.monotonic() > deadline:
                    raise AnswerFault(response.status_code, "the answer is too large or too slow")
    except requests.RequestException as error:
        raise AnswerFault(0, f"no answer from {address}: {type(error).__name__}") from None


def _sentence(response: requests.Response) -> str:
    """Return what an answer says of its refusal: plain text is for people."""
    if response.is_redirect:
        return f"status {response.status_code}: it leads elsewhere, where no token is sent"
    if not response.headers.get("Content-Type", "").startswith("text/plain"):
        return f"status {response.status_code}"
    return next(response.iter_content(MAX_SENTENCE_BYTES), b"").decode("utf-8", "replace")
