"""nbgrader's exchange by way of a door: seven classes for ``c.ExchangeFactory``, in place of a shared folder.

They run in the servers of students and staff, and need nbgrader and the kit without an extra.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from nbgrader.exchange import abc
from nbgrader.utils import ignore_patterns
from traitlets import Bool, Dict, Float, Unicode

from autograder._util.files import replace_folder, write_atomically
from autograder._util.text import one_line, visible
from autograder.extensions.serve import exchange_client
from autograder.records.limits import FILE_MIB, MAX_NOTEBOOK_BYTES
from autograder.submissions.folder import pack_folder, walk
from autograder.submissions.manifest import format_timestamp, read_timestamp
from autograder.submissions.members import SUBMISSION, ArchiveLimits, submission_limits
from autograder.submissions.notebook_inspection import file_mib_of

TOKEN_VARIABLE = "JUPYTERHUB_API_TOKEN"
ROLES = (
    "list", "fetch_assignment", "fetch_feedback", "submit", "release_assignment", "release_feedback", "collect",
)  # fmt: skip


def use_doors(config: Any, **doors: str) -> None:
    """Configure nbgrader: ``use_doors(get_config(), dl101="http://door.example:8000")``, an address for each course."""
    config.Exchange.doors = doors
    for role in ROLES:
        setattr(config.ExchangeFactory, role, f"{__name__}.Door{role.title().replace('_', '')}")


class DoorExchange(abc.Exchange):
    """What the seven classes have in common: the door of a course, and folders of this user."""

    doors = Dict(Unicode(), help="Course → address of its door, http://door.example:8000").tag(config=True)
    path_includes_course = Bool(False, help="Whether assignments lie in a folder of their course.").tag(config=True)

    def init_src(self) -> None:
        """Do nothing: the door knows what there is."""

    init_dest = init_src

    def copy_files(self) -> None:
        """Do what the class is for, or say in one sentence why it cannot be done."""
        try:
            self.act(self.coursedir.course_id, self.coursedir.assignment_id)
        except exchange_client.FAULTS as error:
            self.fail(one_line(str(error), 1000))

    def act(self, course: str, assignment: str) -> None:
        """Do what the class is for."""

    def door(self, course: str) -> exchange_client.CourseDoor:
        """Look up the address of a course's door, and this user's token.

        Raises:
            ExchangeError: the course has none here, or there is no token.
        """
        address, token = self.doors.get(course, ""), os.environ.get(TOKEN_VARIABLE, "")
        if not address.startswith(("http://", "https://")):
            self.fail(f"c.Exchange.doors has no address of the course {course!r}: name it with --course")
        if not token:
            self.fail(f"there is no {TOKEN_VARIABLE}: the exchange works where JupyterHub has started the server")
        return exchange_client.CourseDoor(address, token)

    def hand_ins(self, listing: exchange_client.Listing) -> list[exchange_client.ListedHandIn]:
        """List the hand-ins that the command line asks for."""
        student, assignment = self.coursedir.student_id or "*", self.coursedir.assignment_id or "*"
        selection = [
            hand_in
            for hand_in in listing.hand_ins
            if student in ("*", hand_in.student) and assignment in ("*", hand_in.assignment)
        ]
        return sorted(selection, key=lambda hand_in: (hand_in.student, hand_in.assignment, hand_in.time))

    def folder(self, course: str, assignment: str) -> Path:
        """Return the path of an assignment's folder of this user."""
        home = Path(self.assignment_dir).absolute()
        exchange_client.check_names(assignment)
        return (home / course if self.path_includes_course else home) / assignment

    def page(self, course: str, hand_in: exchange_client.ListedHandIn) -> Path:
        """Return the path of a feedback page, where nbgrader looks for it."""
        return self.folder(course, hand_in.assignment) / "feedback" / format_timestamp(hand_in.time) / hand_in.page


class DoorList(DoorExchange, abc.ExchangeList):
    """Lists released assignments and hand-ins: one's own, or for staff those that count."""

    def remove_files(self) -> None:
        """Refuse: a receipt stays, and what students may fetch is in course.yaml."""
        self.fail("the door keeps what it has; a later `release` in course.yaml hides an assignment")

    def list_files(self) -> list[dict[str, Any]]:
        """List what nbgrader's own list has, in its form."""
        self.log.info("%s assignments:", "Submitted" if self.inbound or self.cached else "Released")
        wanted = self.coursedir.course_id
        courses = [wanted] if wanted else sorted(self.doors)
        entries: list[dict[str, Any]] = []
        for course in courses:
            try:
                listing = self.door(course).listing()
            except exchange_client.FAULTS as error:
                if len(courses) == 1:
                    self.fail(one_line(str(error), 1000))
                self.log.warning("%s: %s", course, one_line(str(error), 1000))  # perhaps a course of other students
            else:
                list_course = self._submitted if self.inbound or self.cached else self._released
                entries += list_course(course, listing)
        return entries

    def _released(self, course: str, listing: exchange_client.Listing) -> Iterator[dict[str, Any]]:
        for name, files in listing.released.items():
            folder = self.folder(course, name)
            is_here = folder.is_dir()
            if self.coursedir.assignment_id in ("", "*", name):
                self.log.info("%s %s%s", course, name, " (already downloaded)" if is_here else "")
                books = sorted(path.name for path in folder.glob("*.ipynb")) if is_here else files
                yield {
                    "course_id": course,
                    "assignment_id": name,
                    "status": "fetched" if is_here else "released",
                    "path": str(folder),
                    "notebooks": [{"notebook_id": Path(book).stem, "path": str(folder / book)} for book in books],
                }

    def _submitted(self, course: str, listing: exchange_client.Listing) -> list[dict[str, Any]]:
        groups: dict[tuple[str, str], dict[str, Any]] = {}
        for hand_in in self.hand_ins(listing):
            names = {"course_id": course, "student_id": hand_in.student, "assignment_id": hand_in.assignment}
            head = {**names, "status": "submitted"}
            group = groups.setdefault((hand_in.student, hand_in.assignment), {**head, "submissions": []})
            group["submissions"].append({**head, **self._hand_in(course, hand_in)})
        return list(groups.values())

    def _hand_in(self, course: str, hand_in: exchange_client.ListedHandIn) -> dict[str, Any]:
        """Describe a hand-in, and say a line of it."""
        page, timestamp = self.page(course, hand_in), format_timestamp(hand_in.time)
        is_here = page.is_file()
        is_old = is_here and hashlib.sha256(page.read_bytes()).hexdigest() != hand_in.sha256
        facts = {
            "has_local_feedback": is_here,
            "has_exchange_feedback": bool(hand_in.page),
            "feedback_updated": is_old,
            "local_feedback_path": str(page.parent) if is_here else None,
        }
        ready = "feedback ready to be fetched" if hand_in.page else "no feedback available"
        standing = "feedback already fetched" if is_here and not is_old else ready
        remark = one_line(f"({hand_in.state}, {standing}) {hand_in.note}")
        self.log.info("%s %s %s %s %s", course, hand_in.student, hand_in.assignment, timestamp, remark)
        books = [{"notebook_id": page.stem, **facts}] if hand_in.page else []
        return {"timestamp": timestamp, "path": "", "notebooks": books, **facts}


class DoorFetchAssignment(DoorExchange, abc.ExchangeFetchAssignment):
    """Fetches a released assignment into a new folder; with ``--replace``, only files that are missing."""

    def act(self, course: str, assignment: str) -> None:
        """Fetch it."""
        folder = self.folder(course, assignment)
        if folder.exists() and not self.replace_missing_files:
            self.fail(f"You already have a copy of the assignment in this directory: {folder.name}")
        with self.door(course).unpacked(folder, "exchange", "release", assignment) as (new, names):
            if not folder.exists():
                new.rename(folder)
            for name in [name for name in names if not os.path.lexists(folder / name)]:
                self.log.warning("Replacing missing file %r", name)
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).rename(folder / name)
        self.log.info("Fetched as: %s %s", course, assignment)


class DoorSubmit(DoorExchange, abc.ExchangeSubmit):
    """Hands an assignment's folder in, and says the receipt."""

    def act(self, course: str, assignment: str) -> None:
        """Pack the folder and hand it in."""
        folder = self.folder(course, Path(assignment).name)  # nbgrader takes a path, too
        if not folder.is_dir():
            self.fail(f"Assignment not found at: {folder}")
        limits = _limits(folder)
        names = list(self._names(folder, limits))
        if missing := set(self.door(course).listing().released.get(folder.name, ())) - set(names):
            say = self.fail if self.strict else self.log.warning
            say(f"Possible missing notebooks: {', '.join(sorted(missing))}")
        with tempfile.TemporaryFile() as archive:
            pack_folder(folder, names, archive, limits)
            digest = hashlib.file_digest(archive, "sha256").hexdigest()
            archive.seek(0)
            news = self.door(course).record(
                exchange_client.JobNews, "exchange", "submit", folder.name, method="POST", upload=archive
            )
        if news.sha256 != digest:
            self.fail("the door has other bytes than were sent: please hand in again")
        self.log.info("Submitted as: %s %s %s", course, folder.name, format_timestamp(news.received))
        self.log.info("Receipt %s, number %s in line, sha256 %s", one_line(news.receipt, 40), news.position, digest)

    def _names(self, folder: Path, limits: ArchiveLimits) -> Iterator[str]:
        """Yield paths of the files to hand in, by nbgrader's own settings."""
        settings = self.coursedir
        ignored = ignore_patterns(settings.ignore, settings.include, settings.max_file_size, self.log)
        for member in walk(folder, limits):
            path = folder / member.name
            if any(ignored(str(part.parent), [part.name]) for part in (path, *path.parents) if folder in part.parents):
                continue
            if member.problem:
                self.log.warning("%s is left out: it is %s", one_line(member.name), member.problem)
            else:
                yield member.name


def _limits(folder: Path) -> ArchiveLimits:
    """Return the limits that the notebooks in a folder tell."""
    books = [path for path in folder.glob("*.ipynb") if path.is_file() and path.stat().st_size <= MAX_NOTEBOOK_BYTES]
    return submission_limits(max((file_mib_of(path.read_bytes()) for path in books), default=FILE_MIB))


class DoorFetchFeedback(DoorExchange, abc.ExchangeFetchFeedback):
    """Fetches the feedback page, the one that the student's page shows."""

    def act(self, course: str, assignment: str) -> None:
        """Fetch it into ``feedback/<time of the hand-in>/``."""
        listed = [hand_in for hand_in in self.hand_ins(self.door(course).listing()) if hand_in.page]
        for hand_in in listed:
            body, path = BytesIO(), self.page(course, hand_in)
            address = ("assignments", hand_in.assignment, "feedback", "page")
            self.door(course).send(*address, into=body, most=SUBMISSION.member_bytes)
            if hashlib.sha256(body.getvalue()).hexdigest() != hand_in.sha256:
                self.fail("the feedback has just changed: please fetch it again")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, body.getvalue())
            self.log.info("Fetched feedback: %s", path)
        if not listed:
            self.log.warning("There is no feedback on %s yet", assignment)


class DoorCollect(DoorExchange, abc.ExchangeCollect):
    """Fetches the submissions that count, for staff to read: grades are the door's."""

    def act(self, course: str, assignment: str) -> None:
        """Fetch those that are missing; with ``--update``, also those that are newer."""
        pattern = self.coursedir.submitted_directory
        for hand_in in self.hand_ins(self.door(course).listing()):
            folder = Path(self.coursedir.format_path(pattern, hand_in.student, hand_in.assignment)).absolute()
            before = read_timestamp(folder) if folder.is_dir() else None
            if folder.is_dir() and not (self.update and (before is None or hand_in.time > before)):
                self.log.info("Submission already exists: %s %s", hand_in.student, hand_in.assignment)
                continue
            path = ("exchange", "submissions", hand_in.assignment, hand_in.student)
            with self.door(course).unpacked(folder, *path) as (new, _):
                replace_folder(new, folder)
            self.log.info("Collecting submission: %s %s", hand_in.student, hand_in.assignment)


class DoorCommand(DoorExchange):
    """A command of the kit that the door's worker runs for staff."""

    patience_seconds = Float(900.0, help="How long to wait for a command at the door.").tag(config=True)
    command = ""

    def act(self, course: str, assignment: str) -> None:
        """Put it into the queue, wait for its end and show its words."""
        door, path = self.door(course), ("exchange", "commands", self.command, assignment)
        news = door.record(exchange_client.JobNews, *path, method="POST")
        deadline = time.monotonic() + self.patience_seconds
        while news.state in ("waiting", "begun") and time.monotonic() < deadline:
            time.sleep(1)
            news = door.record(exchange_client.JobNews, *path)
        words = visible(news.detail, 4000)
        if news.state != "done":
            self.fail(f"`autograder {self.command} {assignment}` at the door is {one_line(news.state, 20)}: {words}")
        self.log.info("%s", words)


class DoorReleaseAssignment(DoorCommand, abc.ExchangeReleaseAssignment):
    """Releases an assignment from the door's own source/, as ``autograder release`` does."""

    command = "release"


class DoorReleaseFeedback(DoorCommand, abc.ExchangeReleaseFeedback):
    """Writes the feedback pages again, as ``autograder feedback`` does."""

    command = "feedback"
