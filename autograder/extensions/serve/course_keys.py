"""The key ``serve`` of course.yaml: who is staff at the door, and how people come in."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from autograder._util.yaml_record import suggest
from autograder.course.extension_keys import ExtensionKey, Refusal
from autograder.records.course import Course

UNIX = "unix"
FRONT_VARIABLE = "AUTOGRADER_SERVE_FRONT"
"""Environment variable of a course's processes behind a front over several courses: the front's address."""
ACT_NAMES = (
    *("again", "use", "extend", "override", "answer", "review"),
    *("preview", "regrade", "publish", "hold", "release", "feedback", "post"),
)
"""Acts of staff at a door."""
_ADDRESS = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?(?:/[A-Za-z0-9._~-]+)*/?")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class LtiPlatform:
    """A learning system that opens the door by LTI 1.3, as it names itself where the tool is registered there."""

    issuer: str = ""
    """Its name for itself, an address; empty: there is no such learning system."""
    client_id: str = ""
    """Name of this door there."""
    deployment: str = ""
    """Number of the door's deployment there."""
    course: str = ""
    """Number of the course there (LTI's context). A launch of another course opens nothing."""
    login: str = ""
    """Address where a launch is confirmed: OpenID Connect's authorization."""
    keys: str = ""
    """Address of its public keys."""
    token: str = ""
    """Address of access tokens, for lists of people and grades."""


@dataclass(frozen=True, slots=True)
class Door:
    """Settings of ``autograder serve``."""

    staff: tuple[str, ...] = ()
    """Names of the people who see everybody's work; they need not be in people.csv."""
    assistants: tuple[str, ...] = ()
    """Names of those who see the same, and may do what ``assistants_may`` says."""
    assistants_may: tuple[str, ...] = ("again", "answer", "preview", "review")
    """Names of acts."""
    auditors: tuple[str, ...] = ()
    """Names of those who see the same, and change nothing."""
    url: str = ""
    """Address by which browsers reach the door, ``https://door.example:8443/dl101``; empty: by ``hosts``."""
    hosts: tuple[str, ...] = ()
    """Other names by which browsers reach the server, besides this machine's own; with the port where it is not 443."""
    header: str = ""
    """Request header with the login that a campus login sets; empty: people come by their links."""
    proxies: tuple[str, ...] = ()
    """Addresses from which that header counts; :data:`UNIX` is a Unix socket. Each local user can be 127.0.0.1."""
    hub: str = ""
    """Address of a JupyterHub's API, "http://hub:8081/hub/api", whose tokens count."""
    hub_service: str = "door"
    """Name of the door among the Hub's services: a token that may not access it opens nothing."""
    link_days: int = 200
    """Days for which people's links, and sessions that began with them, open the door."""
    lti: LtiPlatform = LtiPlatform()
    """The learning system that opens the door."""
    review: bool = True
    """Whether staff give points at the door, too."""
    most_waiting: int = 3
    """Most hand-ins of one student and assignment in line."""
    daily_mib: int = 500
    """Most MiB of one student's hand-ins in 24 hours; what was refused does not count."""
    daily_hand_ins: int = 200
    """Most hand-ins, choices or requests of one student in 24 hours, with those that were refused."""

    @property
    def is_encrypted(self) -> bool:
        """Whether browsers come by https alone: their cookies are never sent otherwise."""
        return self.url.startswith("https:")

    @property
    def origin(self) -> str:
        """Beginning of the door's address, up to the port: where its forms come from."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}" if self.url else ""

    @property
    def prefix(self) -> str:
        """Path below which all pages are, ``/dl101``; empty: they are at the top."""
        return urlsplit(self.url).path.rstrip("/")


def _check(settings: Door, refusal: Refusal) -> Door:
    """Refuse unclear roles, a header from anywhere, and a learning system that is half named or not encrypted."""
    if settings.url and not _ADDRESS.fullmatch(settings.url):
        raise refusal(f"'url' of 'serve' is no address like https://door.example:8443/dl101: {settings.url!r}")
    names = (*settings.staff, *settings.assistants, *settings.auditors)
    if several := next((name for name in names if names.count(name) > 1), ""):
        raise refusal(f"{several!r} has several places in 'staff', 'assistants' and 'auditors' of 'serve'; keep one")
    if unknown := next((name for name in settings.assistants_may if name not in ACT_NAMES), ""):
        near = suggest(unknown, ACT_NAMES) or f"; it is one of {', '.join(ACT_NAMES)}"
        raise refusal(f"'assistants_may' of 'serve' has no act {unknown!r}{near}")
    if settings.header and not settings.proxies:
        raise refusal(
            f"'header' of 'serve' needs 'proxies': from where {settings.header} counts: [unix], with `--bind "
            "unix:PATH` in a folder that the web server alone may enter, or the web server's addresses"
        )
    platform = settings.lti
    if platform == LtiPlatform():
        return settings
    needed = ("issuer", "client_id", "deployment", "login", "keys")
    missing = [key for key in needed if not getattr(platform, key)]
    if missing:
        raise refusal(f"'lti' of 'serve' needs {', '.join(missing)}, as the learning system shows them")
    for address in filter(None, (platform.login, platform.keys, platform.token)):
        if not is_encrypted(address):
            raise refusal(f"{address!r} in 'lti' of 'serve' is no encrypted address; write https://…")
    return settings


def is_encrypted(address: str) -> bool:
    """Tell whether nobody on the way reads what is sent to an address: by https, or on this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS)


DOOR = ExtensionKey(
    Door(),
    check=_check,
    ranges={
        "most_waiting": (1, 1000),
        "daily_mib": (100, 1_000_000),
        "daily_hand_ins": (10, 100_000),
        "link_days": (1, 3660),
    },
)


def door(course: Course) -> Door:
    """Return the course's settings of its door."""
    settings: Door = course.settings.get("serve", DOOR.default)
    return settings


def header_fault(course: Course, front: str | None = None) -> str:
    """Say why nobody may come by the header of a campus login; empty if they may.

    A front hands all requests on by a Unix socket, whoever sent them, so it must listen at one itself. A header that is
    written while it is open is found at the next request.

    Args:
        course: the course.
        front: address of the front over several courses; None: that of this process.
    """
    address = os.environ.get(FRONT_VARIABLE, "") if front is None else front
    is_open = bool(address) and not address.startswith(f"{UNIX}:")
    needs = f"{course.root}: of several courses, 'header' needs --bind unix:PATH; nobody comes by {door(course).header}"
    return needs if is_open and door(course).header else ""
