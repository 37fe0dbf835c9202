"""A student's browser at the door, as far as plain forms go."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import requests

SECONDS = 60


@dataclass
class DoorClient:
    """One visitor of a running door, who comes by a link."""

    link: str
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def base(self) -> str:
        return self.link.partition("/enter/")[0]

    def enter(self) -> None:
        self.session.get(self.link, timeout=SECONDS).raise_for_status()

    def get(self, path: str) -> requests.Response:
        return self.session.get(f"{self.base}{path}", timeout=SECONDS)

    def hand_in(self, assignment: str, name: str, content: bytes) -> requests.Response:
        """Load the page with the form, and send it; the answer is the receipt's page."""
        path = f"/assignments/{assignment}/"
        form = self.get(path)
        form.raise_for_status()
        data = {"csrfmiddlewaretoken": token(form.text)}
        return self.session.post(f"{self.base}{path}", data=data, files={"file": (name, content)}, timeout=SECONDS)

    def post(self, path: str, page: str, **data: str) -> requests.Response:
        """Send a form of ``page`` to ``path``."""
        data["csrfmiddlewaretoken"] = token(self.get(page).text)
        return self.session.post(f"{self.base}{path}", data=data, timeout=SECONDS)


def token(page: str) -> str:
    return re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[-1]


def receipt_of(answer: requests.Response) -> str:
    """The number of a receipt in the address of its page."""
    match = re.search(r"/receipts/([0-9a-f]{16})/$", answer.url)
    assert match is not None, answer.url
    return match[1]
