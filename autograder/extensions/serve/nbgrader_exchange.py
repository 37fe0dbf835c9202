"""nbgrader's exchange by way of a door: seven classes for ``c.ExchangeFactory``, in place of a shared folder.

It runs in the servers of students and staff, and needs nbgrader and the kit without an extra. The token is the one that
JupyterHub gave the server. What the door answers is a stranger's: names, sizes and archives are checked as `collect`
checks those of students.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

from nbgrader.exchange import abc
from nbgrader.utils import ignore_patterns
from traitlets import Bool, Dict, Float, Unicode

from autograder._util.files import replace_folder, write_atomically
from autograder._util.plain_records import from_plain, loads
from autograder._util.student_names import student_name
from autograder._util.text import one_line, visible
from autograder.errors import AutograderError, SubmissionError
from autograder.extensions.serve.exchange_records import MAX_LISTING_BYTES, RELEASE, JobNews, ListedHandIn, Listing
from autograder.extensions.serve.token_requests import AnswerFault, send
from autograder.submissions.archive import extract
from autograder.submissions.folder import read_chunks, walk
from autograder.submissions.manifest import format_timestamp, read_timestamp
from autograder.submissions.members import SUBMISSION, Member, is_junk, name_problem

TOKEN_VARIABLE = "JUPYTERHUB_API_TOKEN"
_Record = TypeVar("_Record")


def use_doors(config: Any, **doors: str) -> None:
    """Configure nbgrader: ``use_doors(get_config(), dl101="http://door:8000")``, an address for each course."""
    config.Exchange.doors = doors
    for kind in (
        DoorList,
        DoorFetchAssignment,
        DoorFetchFeedback,
        DoorSubmit,
        DoorReleaseAssignment,
        DoorReleaseFeedback,
        DoorCollect,
    ):
        setattr(config.ExchangeFactory, kind.plugin, f"{__name__}.{kind.__name__}")


class DoorExchange(abc.Exchange):
    """What the seven classes have in common: the door of a course, and folders of this user."""

    doors = Dict(Unicode(), help="Course → address of its door, http://door:8000").tag(config=True)
    path_includes_course = Bool(False, help="Whether assignments lie in a folder of their course.").tag(config=True)
    patience_seconds = Float(900.0, help="How long to wait for a command at the door.").tag(config=True)
    plugin = ""
    """Name of the class among nbgrader's."""

    def init_src(self) -> None:
        """Do nothing: the door knows what there is."""

    def init_dest(self) -> None:
        """Do nothing: paths depend on what the door has."""

    def copy_files(self) -> None:
        """Do what the class is for, and say in one sentence why it cannot be done."""
        try:
            self.act(self.coursedir.course_id, self.coursedir.assignment_id)
        except (AnswerFault, AutograderError, OSError, ValueError) as error:
            self.fail(one_line(str(error), 1000))

    def act(self, course: str, assignment: str) -> None:
        """Do what the class is for."""
        raise NotImplementedError

    def send(self, course: str, path: str, into: BinaryIO, most: int, method: str = "GET", **options: Any) -> None:
        """Send a request to a course's door.

        Raises:
            ExchangeError: the course has no door here, or there is no token.
            AnswerFault: there is no usable answer.
        """
        address, token = self.doors.get(course, ""), os.environ.get(TOKEN_VARIABLE, "")
        if not address.startswith(("http://", "https://")):
            self.fail(f"c.Exchange.doors has no address of the course {course!r}: name it with --course")
        if not token:
            self.fail(f"there is no {TOKEN_VARIABLE}: the exchange works where JupyterHub has started the server")
        send(method, f"{address.rstrip('/')}/{path}", token, into, most, **options)

    def record(self, kind: type[_Record], course: str, path: str, method: str = "GET", **options: Any) -> _Record:
        """Send a request whose answer is a record."""
        body = BytesIO()
        self.send(course, path, body, MAX_LISTING_BYTES, method, **options)
        try:
            return from_plain(kind, loads(body.getvalue()))
        except RecursionError:
            raise ValueError("the answer is nested too deeply") from None

    def listing(self, course: str) -> Listing:
        """Ask what there is; every name in it is fit for a folder.

        Raises:
            SubmissionError: a name is not.
        """
        listing = self.record(Listing, course, "exchange/")
        for name in [each.name for each in listing.released] + [each.assignment for each in listing.hand_ins]:
            student_name(name)
        files = [name for each in listing.released for name in each.notebooks]
        for name in files + [each.page for each in listing.hand_ins if each.page]:
            if "/" in name or is_junk(name) or name_problem(name):
                raise SubmissionError(f"the door names a file {one_line(name, 80)!r}, which is refused")
        for each in listing.hand_ins:
            student_name(each.student)
        return listing

    def folder(self, course: str, assignment: str) -> Path:
        """Return the path of an assignment's folder of this user."""
        return (
            Path(self.assignment_dir).absolute()
            / (course if self.path_includes_course else "")
            / student_name(assignment)
        )

    @contextlib.contextmanager
    def unpacked(self, course: str, path: str, beside: Path) -> Iterator[tuple[Path, tuple[Member, ...]]]:
        """Fetch an archive and unpack it into a new folder beside a path; what stays in it is removed."""
        beside.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryFile() as archive,
            tempfile.TemporaryDirectory(prefix=".door-", dir=beside.parent) as folder,
        ):
            self.send(course, path, archive, RELEASE.archive_bytes)
            new = Path(folder) / "new"
            new.mkdir()
            yield new, extract(archive, new, RELEASE, strict=True)


class DoorList(DoorExchange, abc.ExchangeList):
    """Lists released assignments and hand-ins: one's own, or for staff those that count."""

    plugin = "list"

    def copy_files(self) -> None:
        """Do nothing: there are no files."""

    def remove_files(self) -> None:
        """Refuse: a receipt stays."""
        self.fail("the door keeps what it has")

    def list_files(self) -> list[dict[str, Any]]:
        """List what nbgrader's own list has, in its form."""
        wanted = self.coursedir.course_id
        entries: list[dict[str, Any]] = []
        for course in [wanted] if wanted else sorted(self.doors):
            try:
                listing = self.listing(course)
            except (AnswerFault, AutograderError, ValueError) as error:
                if len(self.doors) < 2 or wanted:
                    self.fail(one_line(str(error), 1000))
                self.log.warning("%s: %s", course, one_line(str(error), 1000))  # perhaps another course's student
                continue
            entries += (
                self._submitted(course, listing) if self.inbound or self.cached else self._released(course, listing)
            )
        return entries

    def _is_wanted(self, assignment: str) -> bool:
        return self.coursedir.assignment_id in ("", "*", assignment)

    def _released(self, course: str, listing: Listing) -> list[dict[str, Any]]:
        self.log.info("Released assignments:")
        entries = []
        for each in filter(lambda each: self._is_wanted(each.name), listing.released):
            folder = self.folder(course, each.name)
            is_here = folder.is_dir()
            self.log.info("%s %s%s", course, each.name, " (already downloaded)" if is_here else "")
            names = sorted(path.name for path in folder.glob("*.ipynb")) if is_here else each.notebooks
            entries.append(
                {
                    "course_id": course,
                    "assignment_id": each.name,
                    "status": "fetched" if is_here else "released",
                    "path": str(folder),
                    "notebooks": [{"notebook_id": Path(name).stem, "path": str(folder / name)} for name in names],
                }
            )
        return entries

    def _submitted(self, course: str, listing: Listing) -> list[dict[str, Any]]:
        self.log.info("Submitted assignments:")
        groups: dict[tuple[str, str], dict[str, Any]] = {}
        for each in sorted(listing.hand_ins, key=lambda each: (each.student, each.assignment, each.time)):
            if self._is_wanted(each.assignment) and self.coursedir.student_id in ("", "*", each.student):
                entry = self._hand_in(course, each)
                head = {key: entry[key] for key in ("course_id", "student_id", "assignment_id", "status")}
                group = groups.setdefault((each.student, each.assignment), {**head, "submissions": []})
                group["submissions"].append(entry)
        return list(groups.values())

    def _hand_in(self, course: str, each: ListedHandIn) -> dict[str, Any]:
        timestamp = format_timestamp(each.time)
        folder = self.folder(course, each.assignment) / "feedback" / timestamp
        is_here = bool(each.page) and (folder / each.page).is_file()
        facts = {
            "has_local_feedback": is_here,
            "has_exchange_feedback": bool(each.page),
            "feedback_updated": is_here
            and hashlib.sha256((folder / each.page).read_bytes()).hexdigest() != each.sha256,
            "local_feedback_path": str(folder) if is_here else None,
        }
        feedback = "feedback ready to be fetched" if each.page else "no feedback available"
        remark = "feedback already fetched" if is_here and not facts["feedback_updated"] else feedback
        note = f": {one_line(each.note, 500)}" if each.note else ""
        state = one_line(each.state, 20)
        self.log.info("%s %s %s %s (%s, %s)%s", course, each.student, each.assignment, timestamp, state, remark, note)
        return {
            "course_id": course,
            "student_id": each.student,
            "assignment_id": each.assignment,
            "timestamp": timestamp,
            "status": "submitted",
            "path": "",
            "notebooks": [{"notebook_id": Path(each.page).stem, **facts}] if each.page else [],
            **facts,
        }


class DoorFetchAssignment(DoorExchange, abc.ExchangeFetchAssignment):
    """Fetches a released assignment into a new folder."""

    plugin = "fetch_assignment"

    def act(self, course: str, assignment: str) -> None:
        """Fetch it; with ``--replace``, only files that are missing."""
        folder = self.folder(course, assignment)
        if folder.exists() and not self.replace_missing_files:
            self.fail(f"You already have a copy of the assignment in this directory: {folder.name}")
        with self.unpacked(course, f"exchange/release/{quote(assignment, safe='')}/", folder) as (new, members):
            if not folder.exists():
                new.rename(folder)
            for name in [member.name for member in members if not os.path.lexists(folder / member.name)]:
                self.log.warning("Replacing missing file %r", name)
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).rename(folder / name)
        self.log.info("Fetched as: %s %s", course, assignment)


class DoorSubmit(DoorExchange, abc.ExchangeSubmit):
    """Hands an assignment's folder in, and says the receipt."""

    plugin = "submit"

    def act(self, course: str, assignment: str) -> None:
        """Pack the folder and hand it in."""
        assignment = Path(assignment).name  # nbgrader takes a path, too
        folder = self.folder(course, assignment)
        if not folder.is_dir():
            self.fail(f"Assignment not found at: {folder}")
        names = list(self._names(folder))
        released = {each.name: each.notebooks for each in self.listing(course).released}.get(assignment, ())
        if missing := sorted(set(released) - set(names)):
            say = self.fail if self.strict else self.log.warning
            say(f"Possible missing notebooks: {', '.join(missing)}")
        with tempfile.TemporaryFile() as archive:
            with zipfile.ZipFile(archive, "w") as packed:
                for name in names:
                    with packed.open(name, "w") as file:
                        for chunk in read_chunks(folder, name, SUBMISSION):
                            file.write(chunk)
            archive.seek(0)
            digest = hashlib.file_digest(archive, "sha256").hexdigest()
            archive.seek(0)
            path = f"exchange/submit/{quote(assignment, safe='')}/"
            receipt = self.record(JobNews, course, path, "POST", upload=archive)
        if receipt.sha256 != digest:
            self.fail("the door has other bytes than were sent: please hand in again")
        self.log.info("Submitted as: %s %s %s", course, assignment, format_timestamp(receipt.received))
        self.log.info(
            "Receipt %s, number %s in line, sha256 %s", one_line(receipt.receipt, 40), receipt.position, digest
        )

    def _names(self, folder: Path) -> Iterator[str]:
        """Yield paths of the files to hand in, by nbgrader's own settings."""
        settings = self.coursedir
        ignored = ignore_patterns(settings.ignore, settings.include, settings.max_file_size, self.log)
        for member in walk(folder, SUBMISSION):
            path = folder / member.name
            if any(ignored(str(part.parent), [part.name]) for part in (path, *path.parents) if folder in part.parents):
                continue
            if member.problem:
                self.log.warning("%s is left out: it is %s", one_line(member.name), member.problem)
            else:
                yield member.name


class DoorFetchFeedback(DoorExchange, abc.ExchangeFetchFeedback):
    """Fetches the feedback page, the one that the student's page shows."""

    plugin = "fetch_feedback"

    def act(self, course: str, assignment: str) -> None:
        """Fetch it into ``feedback/<time of the hand-in>/``."""
        pages = [each for each in self.listing(course).hand_ins if each.assignment == assignment and each.page]
        if not pages:
            self.log.warning("There is no feedback on %s yet", assignment)
        for each in pages:
            body = BytesIO()
            self.send(course, f"assignments/{quote(assignment, safe='')}/feedback/page/", body, SUBMISSION.member_bytes)
            if hashlib.sha256(body.getvalue()).hexdigest() != each.sha256:
                self.fail("the feedback has just changed: please fetch it again")
            path = self.folder(course, assignment) / "feedback" / format_timestamp(each.time) / each.page
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, body.getvalue())
            self.log.info("Fetched feedback: %s", path)


class DoorCommand(DoorExchange):
    """A command of the kit that the door's worker runs for staff."""

    command = ""

    def act(self, course: str, assignment: str) -> None:
        """Put it into the queue, wait for its end and show its words."""
        news = self.record(JobNews, course, f"exchange/commands/{self.command}/{quote(assignment, safe='')}/", "POST")
        deadline = time.monotonic() + self.patience_seconds
        while news.state in ("waiting", "begun") and time.monotonic() < deadline:
            time.sleep(1)
            news = self.record(JobNews, course, f"exchange/news/{quote(news.receipt, safe='')}/")
        words = visible(news.detail, 4000)
        if news.state != "done":
            self.fail(f"`autograder {self.command} {assignment}` at the door is {one_line(news.state, 20)}: {words}")
        self.log.info("%s", words)


class DoorReleaseAssignment(DoorCommand, abc.ExchangeReleaseAssignment):
    """Releases an assignment from the door's own source/, as ``autograder release`` does."""

    plugin, command = "release_assignment", "release"


class DoorReleaseFeedback(DoorCommand, abc.ExchangeReleaseFeedback):
    """Writes the feedback pages again, as ``autograder feedback`` does."""

    plugin, command = "release_feedback", "feedback"


class DoorCollect(DoorExchange, abc.ExchangeCollect):
    """Fetches the submissions that count, for staff to read: grades are the door's."""

    plugin = "collect"

    def act(self, course: str, assignment: str) -> None:
        """Fetch those that are missing; with ``--update``, also those that are newer."""
        for each in self.listing(course).hand_ins:
            if each.assignment != assignment or self.coursedir.student_id not in ("", "*", each.student):
                continue
            pattern = self.coursedir.submitted_directory
            folder = Path(self.coursedir.format_path(pattern, each.student, assignment)).absolute()
            here = read_timestamp(folder) if folder.is_dir() else None
            if folder.is_dir() and not (self.update and (here is None or each.time > here)):
                self.log.info("Submission already exists: %s %s", each.student, assignment)
                continue
            path = f"exchange/submissions/{quote(assignment, safe='')}/{quote(each.student, safe='')}/"
            with self.unpacked(course, path, folder) as (new, _):
                replace_folder(new, folder)
            self.log.info("Collecting submission: %s %s", each.student, assignment)
