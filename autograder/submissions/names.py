"""Names that learning systems give to submissions: the patterns of each system, and how they are read.

A name begins with what the learning system put there; what follows may be the student's own choice. So every
pattern reads the student from the front.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
_STAMP = r"\d{4}(?:-\d\d){5}"
_DATE = r"[A-Z][a-z]{2,8} \d{1,2}, \d{4} \d{1,4} ?[AP]M"
SYSTEMS: dict[str, re.Pattern[str]] = {
    # The name of a file without its suffix, or of a folder; what the student chose can only be in ``rest``.
    "Moodle": re.compile(r"(?P<student>.+?)_(?P<key>\d+)_assignsubmission_(?:file|onlinetext)(?:_(?P<rest>.*))?"),
    "Canvas": re.compile(r"(?P<student>[^_]+)_(?:LATE_)?(?P<key>\d+)_\d+_(?P<rest>.+)"),
    "Brightspace": re.compile(rf"(?P<key>\d+)-\d+ ?- (?P<student>.+?) ?- (?P<time>{_DATE})(?: ?- (?P<rest>.*))?"),
    "Blackboard": re.compile(rf"(?P<title_and_student>.+?)_attempt_(?P<time>{_STAMP})(?:_(?P<rest>.*))?", re.DOTALL),
}
"""The names that learning systems give, read from the front."""
FOLDER_SYSTEMS = ("Moodle", "Brightspace")
"""Systems that make a folder for each submission."""
_OWN_FILES = re.compile(r"index\.html?|.+_attempt_" + _STAMP + r"\.txt", re.DOTALL)
"""What Brightspace and Blackboard put beside the submissions: a list, and each attempt's form."""
PACKED = r"{}-(?P<student>.+)-\d{{8}}T\d{{6}}Z{}"
COPY_SUFFIX = r"(?:-\d{1,3}| ?\(\d{1,3}\))?"
"""What learning systems and browsers append to a file that comes a second time."""


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


def time_in_name(text: str) -> datetime | None:
    """Read a time of Blackboard's or Brightspace's, which name no zone; it is taken as UTC."""
    with contextlib.suppress(ValueError):
        return datetime.strptime(text, "%Y-%m-%d-%H-%M-%S").replace(tzinfo=UTC)
    found = re.fullmatch(r"(\w{3})\w* (\d{1,2}), (\d{4}) (\d{1,2}?)(\d\d)? ?([AP]M)", text)
    if found is None:
        return None
    month, on, year, hour, minute, half = found.groups()
    try:
        return datetime.strptime(f"{month} {on} {year} {hour} {minute or '00'} {half}", "%b %d %Y %I %M %p").replace(
            tzinfo=UTC
        )
    except ValueError:
        return None


_EXPORT = re.compile(r"\d{4}_\d\d_\d\dT\d\d_\d\d_\d\d_\d+", re.ASCII)
"""The time in the name of an archive that ``grader.export()`` of otter-grader makes: ``<notebook>_<time>.zip``."""
_EXPORTED = "__zip_filename__"


def is_bare_export(name: str, assignment: str) -> bool:
    """Tell whether an archive has the name that otter's export gave it, without a student's name in front."""
    found = re.fullmatch(rf"(.+?)_{_EXPORT.pattern}", stem_of(name)) if is_archive(name) else None
    return found is not None and ("_" not in found[1] or found[1] == assignment)


def without_export_files(archive: str, names: Iterable[str]) -> list[str]:
    """Leave out what otter-grader adds to an export: its own files, and the notebook as a PDF. No such file is opened.

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
    """

    def __init__(self, assignment: str, title: str, files: list[str]) -> None:
        self.assignment = assignment
        self.titles = sorted({assignment, *filter(None, [title])}, key=len, reverse=True)
        submissions = [stem_of(name) for name in files if is_notebook(name) or is_archive(name)]
        found = [SYSTEMS["Blackboard"].fullmatch(stem) for stem in submissions]
        self.attempts = {match["title_and_student"] for match in found if match}
        self.all_attempts = bool(found) and all(found)

    def is_of_system(self, name: str) -> bool:
        """Tell whether the learning system itself put the file beside the submissions."""
        found = re.fullmatch(rf"(.+)_attempt_{_STAMP}\.txt", name, re.DOTALL)
        return bool(_OWN_FILES.fullmatch(name)) and (found is None or found[1] in self.attempts)

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
