"""Names that students may have: each is a folder in submitted/ and an id in the gradebook."""

from __future__ import annotations

import unicodedata

from autograder._util.text import one_line
from autograder.errors import SubmissionError

MAX_FOLDER_BYTES = 255
"""Largest name of a file that file systems have."""


def is_folder_name(name: str) -> bool:
    """Tell whether a name is that of one folder, which leads nowhere else: what any student here has at least."""
    in_bytes = name.encode("utf-8", "surrogatepass")
    return 0 < len(in_bytes) <= MAX_FOLDER_BYTES and name not in (".", "..") and not {"/", "\0"} & set(name)


def student_name(name: str) -> str:
    """Return the name in NFC, fit to be a folder in submitted/ and a student's id in the gradebook.

    Allowed are letters, marks and digits of any script, blanks within, and ``._-+@',()``. It has at most 100 characters
    and 200 bytes; the first is none of ``.-+@`` and no blank.

    Raises:
        SubmissionError: the name is not allowed.
    """
    name = unicodedata.normalize("NFC", name)
    wrong = next((c for c in name if unicodedata.category(c)[0] not in "LMN" and c not in " ._-+@',()"), None)
    if wrong is not None:
        problem = f"the character {wrong!a} is not allowed in it"
    elif not name or name != name.strip() or name[0] in ".-+@" or unicodedata.category(name[0])[0] == "M":
        problem = "it is empty, or begins with one of . - + @ or a blank, or ends with a blank"
    elif len(name) > 100 or len(name.encode()) > 200:
        problem = "it is longer than 100 characters (or 200 bytes)"
    else:
        return name
    raise SubmissionError(f"“{one_line(name)}” cannot be a student's name: {problem}.")
