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
    """No answer that can be used; its text is printable, and has no token. ``status`` 0: no answer at all."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(one_line(text, 500))
        self.status = status


def send(
    method: str, address: str, token: str, into: BinaryIO, most: int, seconds: float, upload: BinaryIO | None = None
) -> None:
    """Make a request, and write the answer's body ``into`` a file. An upload is the form's ``file``, a zip.

    No redirect is followed: another address would get the token.

    Raises:
        AnswerFault: the answer has another status than success, more than ``most`` bytes, or needs more ``seconds``.
    """

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"token {token}"  # and no password that a .netrc has
        return request

    deadline = time.monotonic() + seconds
    files = None if upload is None else {"file": ("hand-in.zip", upload, "application/zip")}
    headers = {"Accept": "text/plain", "Accept-Encoding": "identity"}
    timeout = (CONNECT_SECONDS, min(seconds, SILENT_SECONDS))
    try:
        with requests.request(
            method,
            address,
            auth=sign,
            headers=headers,
            files=files,
            allow_redirects=False,
            stream=True,
            timeout=timeout,
        ) as response:
            if not 200 <= response.status_code < 300 or "Content-Encoding" in response.headers:
                raise AnswerFault(response.status_code, _sentence(response))
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
        return f"an answer of no use, with status {response.status_code}"
    return next(response.iter_content(MAX_SENTENCE_BYTES), b"").decode("utf-8", "replace")
