"""Messages of nbgrader's preprocessors in the words of somebody who writes a notebook."""

from __future__ import annotations

from typing import Any

from autograder.release.cell_metadata import TOOLBAR
from autograder.release.markers import HIDDEN_TESTS, MARK_SCHEME, SOLUTION, Pair


def message(step: Any, error: Exception) -> str:
    """Say what is wrong with the cell on which a preprocessor of nbgrader stopped, and what to do.

    Args:
        step: the preprocessor.
        error: what it raised; one of a type that is not nbgrader's, if an AUTOTEST runs the author's code.
    """
    if name := getattr(error, "ename", None):
        return f"the code of an AUTOTEST raised {name}: {' '.join(str(getattr(error, 'evalue', '')).split())}"
    text = " ".join(str(error).split())
    for words, plain in _OWN_WORDS.items():
        if words in text.casefold():
            return plain.format(begin=_marker(step, "begin"), end=_marker(step, "end"))
    return text or "an AUTOTEST belongs into a cell that is an autograded test"


def misplaced(pair: Pair) -> str:
    """Say that a hidden part stands in a cell of a kind that has none, and what to do."""
    return _MISPLACED[pair.kind].format(begin=_as_comment(pair.begin))


def _marker(step: Any, side: str) -> str:
    """Return the text with which a hidden part begins or ends, as nbgrader_config.py sets it."""
    names = [name for name in step.trait_names() if name.startswith(side) and name.endswith("_delimeter")]
    return _as_comment(str(getattr(step, names[0])) if names else side.upper())


def _as_comment(text: str) -> str:
    return text if text.startswith("#") else f"### {text}"


_MISPLACED = {
    SOLUTION: (
        "{begin} stands in a cell that is no answer, so nothing would be graded; choose “Autograded answer” or "
        f"“Manually graded answer” {TOOLBAR}"
    ),
    HIDDEN_TESTS: (
        f"{{begin}} stands in a cell that is no test, so nothing would be graded; choose “Autograder tests” {TOOLBAR}"
    ),
    MARK_SCHEME: (
        f"{{begin}} stands in a cell that is no task; choose “Manually graded task” {TOOLBAR}, or put it between the "
        "markers of the solution if it is an answer"
    ),
}
_OWN_WORDS = {
    # a part of nbgrader's message, in small letters: the kit's
    "nested begin": "a second {begin} stands before {end}; write {end} before it, or delete one of them",
    "no end ": "{begin} has no {end} after it in this cell; add the line",
    "solution region detected": _MISPLACED[SOLUTION],
    "hidden test region detected": _MISPLACED[HIDDEN_TESTS],
    "mark scheme region detected": _MISPLACED[MARK_SCHEME],
    "attachment in a marking scheme": (
        "it has a mark scheme and an attached picture, which would reach students; put the picture into the text, as "
        "data:image/png;base64,…"
    ),
    "has not been specified in clearsolutions.code_stub": (
        "nbgrader_config.py has no stub for the notebook's language; add it to c.ClearSolutions.code_stub"
    ),
}
