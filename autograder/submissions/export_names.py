"""Names that learning systems give to submissions: the patterns of each system, and how they are read.

A name begins with what the learning system put there; what follows may be the student's own choice. So every
pattern reads the student from the front.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from autograder.errors import UsageError

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
_STAMP = r"\d{4}(?:-\d\d){5}"
_DATE = r"[A-Z][a-z]{2,8} \d{1,2}, \d{4} \d{1,4} ?[AP]M"
_MOODLES = r"_assignsubmission_(?:file|onlinetext)(?:_(?P<rest>.*))?"


@dataclass(frozen=True, slots=True)
class ExportSystem:
    """The way in which one learning system names submissions."""

    title: str
    pattern: re.Pattern[str]
    """Pattern of a file's name without its suffix, or of a folder's. What the student chose can only be in ``rest``."""
    folders: bool = False
    """Whether it makes a folder for each submission."""
    files: bool = True
    """Whether it puts files side by side."""
    own_folder: str = ""
    """Folder in a submission's folder that holds the student's files."""
    is_asked_for: bool = False
    """Whether its names look like other people's, so that it is read only if the instructor names it."""


SYSTEMS: dict[str, ExportSystem] = {
    "moodle-blind": ExportSystem(
        "Moodle (blind marking)", re.compile(rf"(?:[^_]*-)?(?P<student>Participant[ _]\d+){_MOODLES}"), folders=True
    ),
    "moodle-groups": ExportSystem(
        "Moodle (groups)",
        re.compile(rf"[^_]*?-(?P<student>[^_]+)_(?P<key>\d+){_MOODLES}"),
        folders=True,
        is_asked_for=True,
    ),
    "moodle": ExportSystem("Moodle", re.compile(rf"(?P<student>.+?)_(?P<key>\d+){_MOODLES}"), folders=True),
    "canvas": ExportSystem("Canvas", re.compile(r"(?P<student>[^_]+)_(?P<late>LATE_)?(?P<key>\d+)_\d+_(?P<rest>.+)")),
    "brightspace": ExportSystem(
        "Brightspace",
        re.compile(rf"(?P<key>\d+)-\d+ ?- (?P<student>.+?) ?- (?P<time>{_DATE})(?: ?- (?P<rest>.*))?"),
        folders=True,
    ),
    "sakai": ExportSystem(
        "Sakai",
        re.compile(r"[^()/]+, [^()/]*\((?P<student>[^()/]+)\)"),
        folders=True,
        files=False,
        own_folder="Submission attachment(s)",
    ),
    "ilias": ExportSystem(
        "ILIAS",
        re.compile(r"[^_]+_[^_]+_(?P<student>.+)_(?P<key>\d+)"),
        folders=True,
        files=False,
        is_asked_for=True,
    ),
    "blackboard": ExportSystem(
        "Blackboard",
        re.compile(rf"(?P<title_and_student>.+?)_attempt_(?P<time>{_STAMP})(?:_(?P<rest>.*))?", re.DOTALL),
    ),
    "classroom": ExportSystem("Google Classroom", re.compile(r"(?P<student>.+?) - (?P<rest>.+)"), is_asked_for=True),
}
"""Name of a layout → its system, in the order in which names are tried."""
_OWN_FILES = re.compile(r"index\.html?|grades\.(?:csv|xls)|.+_attempt_" + _STAMP + r"\.txt", re.DOTALL)
"""What Brightspace, Sakai and Blackboard put beside the submissions: a list, and each attempt's form."""
_FEEDBACK_OF_ILIAS = re.compile(r"multi_feedback_.*")
"""Folder in which ILIAS hands out a class for feedback."""
PACKED = r"{}-(?P<student>.+)-\d{{8}}T\d{{6}}Z{}"
COPY_SUFFIX = r"(?:-\d{1,3}| ?\(\d{1,3}\))?"
"""What learning systems and browsers append to a file that comes a second time."""


@dataclass(frozen=True, slots=True)
class NameReading:
    """What a name says."""

    student: str | None = None
    key: str = ""
    """The learning system's number of the student."""
    time: datetime | None = None
    """The learning system's time."""
    rest: str = ""
    """What follows in the name: the student's choice."""
    note: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ExportLayout:
    """The instructor's word on how the names are to be read."""

    system: str = ""
    """A key of :data:`SYSTEMS`; empty: each name is tried with all that are told apart by their names."""
    pattern: re.Pattern[str] | None = None
    """A pattern of the instructor's, for names that no system gives."""
    time_format: str = ""
    """Format of the pattern's ``time``."""
    zone: tzinfo = UTC
    """Time zone of the times in names."""


def parse_pattern(text: str) -> tuple[re.Pattern[str], str]:
    r"""Compile an instructor's pattern of names, and return it with its format of times.

    It is a format such as ``{student}_{time:%Y-%m-%d}_{any}``, or a regular expression with a group
    ``(?P<student>…)``. A format may have ``student``, ``key``, ``time`` and ``any``, each of which takes as little as
    it can. nbgrader's names ``student_id`` and ``timestamp`` are taken, too.

    Raises:
        UsageError: it is none of both.

    >>> parse_pattern("{student}_{any}")[0].fullmatch("jane_ps1")["student"]
    'jane'
    """
    time_format = ""
    if "(?P<" not in text:
        parts, end = [], 0
        for match in _FIELD.finditer(text):
            name = match["name"]
            time_format = time_format or match["format"] or ""
            parts.append(re.escape(text[end : match.start()]))
            parts.append(".*?" if name == "any" else f"(?P<{name}>.+?)")
            end = match.end()
        text = "".join([*parts, re.escape(text[end:])])
    try:
        pattern = re.compile(text.replace("(?P<student_id>", "(?P<student>").replace("(?P<timestamp>", "(?P<time>"))
    except re.error as error:
        raise UsageError(f"{text!r} is no pattern: {error}.") from None
    if "student" not in pattern.groupindex:
        raise UsageError(
            f"{text!r} has no place for the student: write a format like {{student}}_{{any}}, or a regular expression "
            "with (?P<student>…)"
        )
    return pattern, time_format


_FIELD = re.compile(r"\{(?P<name>student|key|time|any)(?::(?P<format>[^{}]+))?\}")


def is_notebook(name: str) -> bool:
    """Tell whether it is a notebook's name."""
    return name.lower().endswith(".ipynb")


def is_archive(name: str) -> bool:
    """Tell whether it is an archive's name."""
    return name.lower().endswith(ARCHIVES)


def stem_of(name: str) -> str:
    """Cut the suffix of a notebook or an archive."""
    suffix = next((s for s in (".ipynb", *ARCHIVES) if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)]


def time_in_name(text: str, zone: tzinfo = UTC, time_format: str = "") -> datetime | None:
    """Read a time of a learning system's, which names no zone."""
    for form in filter(None, (time_format, "%Y-%m-%d-%H-%M-%S", "%Y%m%d%H%M%S")):
        with contextlib.suppress(ValueError, OverflowError):
            parsed = datetime.strptime(text, form)
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)).astimezone(UTC)
    match = re.fullmatch(r"(\w{3})\w* (\d{1,2}), (\d{4}) (\d{1,2}?)(\d\d)? ?([AP]M)", text)
    if match is None:
        return None
    month, on, year, hour, minute, half = match.groups()
    with contextlib.suppress(ValueError, OverflowError):
        normalized = f"{month} {on} {year} {hour} {minute or '00'} {half}"
        return datetime.strptime(normalized, "%b %d %Y %I %M %p").replace(tzinfo=zone).astimezone(UTC)
    return None


_EXPORT = re.compile(r"\d{4}_\d\d_\d\dT\d\d_\d\d_\d\d_\d+", re.ASCII)
"""The time in the name of an archive that ``grader.export()`` of otter-grader makes: ``<notebook>_<time>.zip``."""
_EXPORTED = "__zip_filename__"


def is_bare_export(name: str, assignment: str) -> bool:
    """Tell whether an archive has the name that otter's export gave it, without a student's name in front."""
    match = re.fullmatch(rf"(.+?)_{_EXPORT.pattern}", stem_of(name)) if is_archive(name) else None
    return match is not None and ("_" not in match[1] or match[1] == assignment)


def without_export_files(archive: str, names: Iterable[str]) -> list[str]:
    """Leave out what otter-grader adds to an export: its files, and the notebook as a PDF.

    No such file is opened.

    Args:
        archive: the archive's name.
        names: the paths of the files in it.
    """
    names = list(names)
    if not _EXPORT.search(archive) and _EXPORTED not in names:
        return names
    pages = {f"{stem_of(name)}.pdf" for name in names if is_notebook(name)}
    return [name for name in names if name != _EXPORTED and name not in pages and not name.endswith(".otter")]


class Names:
    """Names of all files of a source: only together they tell the title in Blackboard's names.

    Args:
        assignment: its name in the course.
        title: its title there; empty if unknown.
        files: the files at the top.
        folders: the folders at the top → the names in them.
        parent: the folder that all of them lay in.
        layout: the instructor's word on how to read them.
    """

    def __init__(
        self,
        assignment: str,
        title: str,
        files: list[str],
        folders: dict[str, list[str]],
        parent: str = "",
        layout: ExportLayout | None = None,
    ) -> None:
        self.assignment = assignment
        self.layout = layout or ExportLayout()
        self.titles = sorted({assignment, *filter(None, [title])}, key=len, reverse=True)
        submissions = [stem_of(name) for name in files if is_notebook(name) or is_archive(name)]
        matches = [SYSTEMS["blackboard"].pattern.fullmatch(stem) for stem in submissions]
        self.attempts = {match["title_and_student"] for match in matches if match}
        self.all_attempts = bool(matches) and all(matches)
        self.all_of_moodle = len(submissions) > 1 and all(map(SYSTEMS["moodle"].pattern.fullmatch, submissions))
        of_ilias = bool(folders) and all(map(SYSTEMS["ilias"].pattern.fullmatch, folders))
        self.is_for_feedback = of_ilias and _FEEDBACK_OF_ILIAS.fullmatch(parent) is not None
        self.is_of_ilias = self.is_for_feedback or (of_ilias and len(folders) > 1)
        self.inside = folders

    def is_of_system(self, name: str) -> bool:
        """Tell whether the learning system itself put the file beside the submissions."""
        match = re.fullmatch(rf"(.+)_attempt_{_STAMP}\.txt", name, re.DOTALL)
        return bool(_OWN_FILES.fullmatch(name)) and (match is None or match[1] in self.attempts)

    def system(self, name: str, *, folder: bool) -> tuple[ExportSystem, NameReading] | None:
        """Read the name of a folder, or of a file without its suffix; None if no learning system gave it."""
        for key, system in SYSTEMS.items():
            is_chosen = self.layout.system == key or (key == "moodle-blind" and self.layout.system.startswith("moodle"))
            if not (is_chosen or (not self.layout.system and self._tells_itself(key, system, name))):
                continue
            match = system.pattern.fullmatch(name) if (system.folders if folder else system.files) else None
            if match is None:
                continue
            if key == "moodle" and not folder and "_" in match["student"] and not (is_chosen or self.all_of_moodle):
                if self._is_anothers(name):
                    continue
                return system, NameReading(problem=_PERHAPS_MOODLES)
            reading = self._reading(key, system, match)
            if reading is not None:
                return system, reading
        return None

    def by_pattern(self, name: str) -> NameReading | None:
        """Read a name with the instructor's pattern; None if it does not fit."""
        assert self.layout.pattern is not None
        match = self.layout.pattern.fullmatch(name)
        return None if match is None else _plain_reading(match, self.layout)

    def unread(self) -> str:
        """Say that a name is not one of those that the instructor announced."""
        if self.layout.pattern is not None:
            return "its name does not fit the pattern"
        return f"its name is none that {SYSTEMS[self.layout.system].title} gives"

    @property
    def is_told(self) -> bool:
        """Whether the instructor said how the names are to be read."""
        return bool(self.layout.system or self.layout.pattern)

    def _is_anothers(self, name: str) -> bool:
        """Tell whether another system named a file: what looks like Moodle's in it is then the student's choice."""
        systems = (SYSTEMS[key] for key in ("canvas", "brightspace", "blackboard"))
        return any(system.pattern.fullmatch(name) for system in systems)

    def _tells_itself(self, key: str, system: ExportSystem, name: str) -> bool:
        if key == "ilias":
            return self.is_of_ilias
        return not system.is_asked_for and (not system.own_folder or system.own_folder in self.inside.get(name, ()))

    def _reading(self, key: str, system: ExportSystem, match: re.Match[str]) -> NameReading | None:
        if key == "blackboard":
            student = self.student(match["title_and_student"])
            if student is None and not (self.all_attempts or self.layout.system):
                return None  # a file of a student's whose name only looks like it
            reading = _plain_reading(match, self.layout)
            return replace(reading, student=student, problem="" if student else _UNKNOWN_TITLE)
        reading = _plain_reading(match, self.layout)
        student = reading.student or ""
        if key == "moodle-blind":
            student = student.replace("_", " ")
        elif key == "moodle":
            student = student.rpartition("_")[2] or student  # Moodle's names have no “_”: a group stands before it
        elif key == "classroom":
            copied = re.fullmatch(rf"(.+?) - (?:{'|'.join(map(re.escape, self.titles))}){COPY_SUFFIX}", match[0])
            student = copied[1] if copied else student
        late = match.groupdict().get("late")
        return replace(reading, student=student, note=f"{system.title} marks it as late" if late else "")

    def student(self, title_and_student: str) -> str | None:
        """Return the student in a name of Blackboard's; None if the title cannot be told."""
        for title in self.titles:
            if title_and_student.casefold().startswith(f"{title}_".casefold()):
                return title_and_student[len(title) + 1 :]
        if self.all_attempts and len(self.attempts) > 1:
            # The title is what all have in common; students choose neither it nor their name.
            first, last = min(self.attempts), max(self.attempts)
            same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
            end = first.rfind("_", 0, same) + 1
            return title_and_student[end:] or None if end else None
        return None


def _plain_reading(match: re.Match[str], layout: ExportLayout) -> NameReading:
    groups = match.groupdict()
    time = time_in_name(groups.get("time") or "", layout.zone, layout.time_format)
    return NameReading(groups.get("student"), groups.get("key") or "", time, groups.get("rest") or "")


_PERHAPS_MOODLES = (
    "it is either Moodle's name for a member of a group, or begins with the student and ends as the student likes: "
    "say by --layout moodle or by --pattern which one it is"
)
_UNKNOWN_TITLE = (
    "it has a name of Blackboard's, in which the assignment's title cannot be told from the student's name: give the "
    "assignment that title in course.yaml, or name the file after the student"
)
