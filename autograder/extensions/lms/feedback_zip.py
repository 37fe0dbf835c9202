"""The zip for Moodle's “Upload multiple feedback files in a zip”.

Moodle reads the person from the name of each file, ``<full name>_<participant>_assignfeedback_file_<file name>``, split
at the underscores (mod/assign/feedback/file/importziplib.php).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.extensions.lms.entries import ResultEntry
from autograder.extensions.lms.systems import Layout


def write_feedback_zip(
    path: Path, assignment: str, layout: Layout, entries: Sequence[ResultEntry], rows: Mapping[str, int]
) -> list[str]:
    """Pack the feedback pages of the students that have a row in Moodle's grading worksheet.

    Returns:
        The students without a page.
    """
    people = dict(zip(layout.people, layout.known, strict=True))
    missing = []
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for entry in entries:
            if entry.student not in rows:
                continue
            if entry.page is None:
                missing.append(entry.student)
                continue
            identity = people[rows[entry.student]]
            name = re.sub(r"[_/\\\x00-\x1f]+", " ", identity.names[0] if identity.names else "Participant").strip()
            packed.write(
                entry.page, f"{name}_{identity.ids[0].partition(':')[2]}_assignfeedback_file_{assignment}.html"
            )
    return missing
