"""The key ``serve`` of course.yaml: who is staff at the door, and how people come in."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.course.extension_keys import ExtensionKey
from autograder.records.course import Course

UNIX = "unix"


@dataclass(frozen=True, slots=True)
class Door:
    """Settings of ``autograder serve``."""

    staff: tuple[str, ...] = ()
    """Names of the people who see everybody's work; they need not be in people.csv."""
    hosts: tuple[str, ...] = ()
    """Names by which browsers reach the server, besides this machine's own."""
    header: str = ""
    """Request header with the login that a campus login sets; empty: people come by their links."""
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses from which that header counts; :data:`UNIX` is a Unix socket."""
    hub: str = ""
    """Address of a JupyterHub's API, "http://hub:8081/hub/api", whose tokens count."""
    hub_service: str = "door"
    """Name of the door among the Hub's services: a token that may not access it opens nothing."""
    secure: bool = False
    """Whether browsers come by https alone: their cookies are never sent otherwise."""
    most_waiting: int = 3
    """Most hand-ins of one student and assignment in line."""
    daily_mib: int = 500
    """Most MiB of one student's hand-ins in 24 hours; what was refused does not count."""


DOOR = ExtensionKey(Door(), ranges={"most_waiting": (1, 1000), "daily_mib": (100, 1_000_000)})


def door(course: Course) -> Door:
    """Return the course's settings of its door."""
    settings: Door = course.settings.get("serve", DOOR.default)
    return settings
