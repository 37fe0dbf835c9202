"""The review pages at a door: one site for each assignment, as its grades were when somebody opened it."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict

from autograder._util.digests import digest
from autograder.extensions.review.site import Site, open_site
from autograder.records.course import Assignment, Course
from autograder.results.staff_pages import Reply

ANONYMOUS = "anonymous"
"""Address at which names are hidden."""
HOME = "/staff/"
"""Address of a door's overview."""
MAX_SITES = 16
"""Most sites that are kept: those that were asked for last."""
_OLDER_RUN = b'{"error": "this page is of an older run: open the assignment again"}'


class DoorPages:
    """Sites by address. A page counts students by position, so a new list of students gets a new address."""

    def __init__(self) -> None:
        self._salt = secrets.token_hex(8)
        self._sites: OrderedDict[str, Site] = OrderedDict()
        self._lock = threading.Lock()

    def reply(self, course: Course, assignment: Assignment, person: str, method: str, path: str, body: bytes) -> Reply:
        """Answer a request: a new site's address, or what a site says."""
        name, _, page = path.partition("/")
        if path in ("", ANONYMOUS):
            return Reply(302, b"", location=f"{self._opened(course, assignment, anonymous=bool(name))}/")
        with self._lock:
            site = self._sites.get(name)
            if site is None or site.assignment.name != assignment.name:
                return Reply(404, _OLDER_RUN, "application/json")
            self._sites.move_to_end(name)
        return site.reply(method, page, body, person)

    def _opened(self, course: Course, assignment: Assignment, *, anonymous: bool) -> str:
        """Open the site of the current grades; people who come to the same grades share one, and see one another."""
        site = open_site(course, assignment, anonymous=anonymous, salt=self._salt)
        site.require_answers()
        site.home = HOME
        name = digest(assignment.name, anonymous, repr(site.exams), repr(site.grades), repr(site.names), self._salt)[
            :16
        ]
        with self._lock:
            self._sites.setdefault(name, site)
            self._sites.move_to_end(name)
            while len(self._sites) > MAX_SITES:
                self._sites.popitem(last=False)
        return name
