"""Markers of solutions, hidden tests, mark schemes and generated tests in source notebooks.

This module finds markers, misspelled markers, and the lines between them that students will see.

nbgrader takes a line for a marker if it contains the marker's exact text. If a line was meant as a marker but is
misspelled, everything that it should hide is released. So a line that equals a marker, but for one slip, is an
error. Everything else is prose:

- *anywhere:* the line, or its comment, consists of "begin" or "end" and the words of a marker: ``# begin hidden_test``,
  ``## END SOLUTIONS``. Case, number and separators are free. One wrong letter may make no other word.
- *written as a marker* (all in capitals, or in code behind ``###``): also without BEGIN (``### HIDDEN TESTS``) or in
  reverse order (``# HIDDEN TESTS END``). START and STOP count, too, and one more letter may be wrong.
"""

from __future__ import annotations

import ast
import re
import string
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.course.nbgrader_config import NbgraderConfig

SOLUTION, HIDDEN_TESTS, MARK_SCHEME = "solution", "hidden tests", "mark scheme"

_NOUNS = {
    SOLUTION: ("solution", "solutions"),
    HIDDEN_TESTS: ("hiddentests", "hiddentest"),
    MARK_SCHEME: ("markscheme", "markingscheme"),
}
"""Letters of the nouns in markers."""
_VERBS = ("begin", "end")
_OTHER_VERBS = (("begin", "begins", "start", "starts"), ("end", "ends", "stop", "stops"))
"""Verbs of the same meaning, for lines that are written as a marker."""
_FILLERS = frozenset({"of", "the"})
_HASHED, _AUTOTEST = "hashed", "autotest"
_REWORD = "(or, if it is not meant as a marker, reword it)"
_MAX_LETTERS, _MAX_LINE = 40, 400
"""Bounds of a marker: a longer line is prose, or data."""
_WORD = re.compile(r"[^\W\d_]+")
_WORDS = re.compile(rf"{_WORD.pattern}(?:[\s_-]+{_WORD.pattern})*")


@dataclass(frozen=True, slots=True)
class Pair:
    """Texts that begin and end a hidden part."""

    kind: str
    begin: str
    end: str


@dataclass(frozen=True, slots=True)
class Markers:
    """Markers of a course."""

    pairs: tuple[Pair, ...] = (
        Pair(SOLUTION, "BEGIN SOLUTION", "END SOLUTION"),
        Pair(HIDDEN_TESTS, "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"),
        Pair(MARK_SCHEME, "BEGIN MARK SCHEME", "END MARK SCHEME"),
    )
    """Pairs in the order in which nbgrader removes their parts."""
    autotest: str = "AUTOTEST"
    hashed: str = "HASHED"


_DEFAULTS = {pair.kind: pair for pair in Markers().pairs}


def unreleased(source: str, released: str, markers: Markers) -> str:
    """Return a cell's mark scheme or solution, which students do not see, without its markers."""
    begins, ends = {pair.begin for pair in markers.pairs}, {pair.end for pair in markers.pairs}
    if not any(mark in source for mark in begins):
        return "" if source == released else source.strip()
    lines, is_hidden = [], False
    for line in source.splitlines():
        begin, end = (any(mark in line for mark in marks) for marks in (begins, ends))
        if is_hidden and not end:
            lines.append(line)
        is_hidden = begin or (is_hidden and not end)
    return "\n".join(lines).strip()


def course_markers(config: NbgraderConfig) -> Markers:
    """Read the markers from nbgrader_config.py; its options are spelled as nbgrader spells them.

    Raises:
        CourseError: one is computed.
    """
    steps = ("ClearSolutions", "solution"), ("ClearHiddenTests", "test"), ("ClearMarkScheme", "mark_scheme")
    pairs = []
    for default, (step, name) in zip(Markers().pairs, steps, strict=True):
        begin = config.get(step, f"begin_{name}_delimeter", default.begin)
        end = config.get(step, f"end_{name}_delimeter", default.end)
        pairs.append(Pair(default.kind, str(begin), str(end)))
    autotest = config.get("InstantiateTests", "autotest_delimiter", Markers().autotest)
    return Markers(tuple(pairs), str(autotest), str(config.get("InstantiateTests", "hashed_delimiter", "HASHED")))


# --- a cell ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class MarkedCell:
    """One cell of a source notebook, read for markers."""

    visible: list[str]
    """Lines of the cell; those that nbgrader removes are empty."""
    faults: list[tuple[int, str]] = field(default_factory=list)
    """Line number, counted from 1, and its fault."""
    kinds: set[str] = field(default_factory=set)
    """Kinds of the parts that are marked in it."""
    is_replaced: bool = False
    """Whether nbgrader puts its stub in the place of all of it: of an answer without a marked solution."""


def read_cell(cell: Mapping[str, Any], markers: Markers) -> MarkedCell:
    """Return the part of a cell that students see, and the faults of its markers."""
    is_code = cell.get("cell_type") == "code"
    marked = _regions(str(cell["source"]).split("\n"), markers, is_code=is_code)
    meta = cell.get("metadata", {}).get("nbgrader", {})
    flags = meta if isinstance(meta, dict) else {}
    marked.is_replaced = bool(flags.get("solution")) and SOLUTION not in marked.kinds
    if marked.is_replaced:
        marked.faults.clear()  # of parts that no student sees, wherever they end
    for number, line in enumerate(marked.visible, 1):
        slip = find_slip(line, markers, is_code=is_code)
        if slip is not None and marked.is_replaced and slip.kind in (MARK_SCHEME, *((SOLUTION,) if is_code else ())):
            continue  # all of the cell is hidden
        if slip is not None and not (slip.is_bare and (marked.is_replaced or slip.kind in marked.kinds)):
            marked.faults.append((number, _not_a_marker(line, slip.right)))
        elif is_code and flags.get("grade") and (right := _find_autotest_slip(line, markers)):
            marked.faults.append((number, _not_a_marker(line, right)))
    if marked.is_replaced:
        marked.visible = [""] * len(marked.visible)
    marked.faults.sort()
    return marked


def _regions(lines: Sequence[str], markers: Markers, *, is_code: bool) -> MarkedCell:
    """Follow the markers through a cell as nbgrader does; errors that nbgrader ignores are faults, too."""
    marked = MarkedCell([])
    begun: tuple[int, Pair] | None = None
    ended: Pair | None = None  # the part that ended above, with nothing but empty lines since
    for number, line in enumerate(lines, 1):
        pair, is_begin = _exact(line, markers)
        if pair is not None and pair.kind == MARK_SCHEME and begun and begun[1].kind == SOLUTION:
            pair = None  # nbgrader removes it with the solution
        marked.visible.append("" if pair or begun else line)
        if pair is None:
            ended = ended if not line.strip() else None
            continue
        marked.kinds.add(pair.kind)
        slips = [] if begun is None else _slips_within(lines, begun, number, markers, is_code=is_code)
        if begun is None and is_begin:
            begun = number, pair
        elif begun is not None and is_begin:
            position = f"inside the part that begins in line {begun[0]}"
            fault = number, f"{_quoted(line)} {position}; end that first, with '### {begun[1].end}'"
            marked.faults.extend(slips or [fault])
            begun = (number, pair) if slips else begun
        elif begun is not None and begun[1] is pair:
            marked.faults.extend(slips)
            begun, ended = None, pair
        elif begun is not None or ended is not pair:  # a second end right after the first hides and shows nothing
            todo = f"put '### {pair.begin}' where it begins"
            marked.faults.append(
                (number, f"{_quoted(line)} ends nothing: the lines above it would be released; {todo}")
            )
    if begun is not None:
        slips = _slips_within(lines, begun, None, markers, is_code=is_code)
        unended = begun[0], f"{_quoted(lines[begun[0] - 1])} has no '### {begun[1].end}' after it"
        marked.faults.extend(slips or [unended])
    return marked


def _slips_within(
    lines: Sequence[str], begun: tuple[int, Pair], end: int | None, markers: Markers, *, is_code: bool
) -> list[tuple[int, str]]:
    """Name near misses of a part's own markers inside it, if it hides lines because of them.

    Its end is the line of the next right marker, or None where no right one follows. A comment such as "end of the
    solution" right above the end keeps nothing from students.
    """
    begin, pair = begun
    part = range(begin, len(lines) if end is None else end - 1)  # counted from 0
    near_misses = {at: slip for at in part if (slip := find_slip(lines[at], markers, is_code=is_code))}
    slips = {at: slip for at, slip in near_misses.items() if slip.kind == pair.kind and not slip.is_bare}
    texts = [at for at in part if at not in slips and lines[at].strip()]
    goes_on = f"is not a marker: the part that begins in line {begin} goes on below it"
    faults = []
    for at, slip in slips.items():
        if slip.right == _in_nbgrader_form(pair.end):
            if end is None or any(text > at for text in texts):
                hidden = f"{goes_on}, and students get nothing of that"
                faults.append((at + 1, f"{_quoted(lines[at])} {hidden}: write {slip.right!r} {_REWORD}"))
        elif any(text < at for text in texts):
            todo = f"end that above it, with '### {pair.end}', and write {slip.right!r} {_REWORD}"
            faults.append((at + 1, f"{_quoted(lines[at])} {goes_on}: {todo}"))
    return faults


def _exact(line: str, markers: Markers) -> tuple[Pair | None, bool]:
    """Return the pair whose marker is in the line, and whether it is the beginning."""
    for pair in markers.pairs:
        if pair.begin in line or pair.end in line:
            return pair, pair.begin in line
    return None, False


def _quoted(line: str) -> str:
    return repr(line.strip()[:80])


def _not_a_marker(line: str, right: str) -> str:
    return f"{_quoted(line)} is not a marker, and hides nothing: write {right!r} {_REWORD}"


# --- near misses -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slip:
    """A line that was meant as a marker and is misspelled."""

    right: str
    """Correct spelling."""
    kind: str
    is_bare: bool = False
    """Whether it lacks BEGIN or END."""


def find_slip(line: str, markers: Markers, *, is_code: bool) -> Slip | None:
    """Find the marker that a line was meant to be; None: the line is code, prose, or a correct marker."""
    if len(line) > _MAX_LINE:
        return None
    for text in _texts(line, is_code):
        words = [word for word in _WORD.findall(text.casefold()) if word not in _FILLERS]
        letters = "".join(words)
        if not words or len(letters) > _MAX_LETTERS:
            continue
        is_marked = text.isupper() or (is_code and line.lstrip().startswith("###"))
        for pair in markers.pairs:
            side = _side(words, letters, pair, is_marked)
            if side is not None:
                return Slip(_in_nbgrader_form(pair.end if side else pair.begin), pair.kind)
            # A heading "SOLUTION" in a text is no marker, nor is a constant in code.
            is_place = line.lstrip().startswith("#") if is_code else pair.kind == MARK_SCHEME
            if is_marked and is_place and any(_near(letters, noun, 1) for noun in _NOUNS[pair.kind]):
                return Slip(_in_nbgrader_form(pair.begin), pair.kind, is_bare=True)
    return None


def _texts(line: str, is_code: bool) -> Iterator[str]:
    """Yield the line's text and its comment's, if they consist of words and nothing else."""
    comment = line.lstrip().startswith("#")
    for text in dict.fromkeys([line, line.rpartition("#")[2]]):
        inner = text.strip(string.punctuation + string.digits + string.whitespace)
        is_name = is_code and not comment and text is line and " " not in inner  # "end_solution" is Python
        if _WORDS.fullmatch(inner) and not is_name:
            yield inner


def _side(words: Sequence[str], letters: str, pair: Pair, is_marked: bool) -> int | None:
    """Return 0 if the words were meant to begin such a part, 1 if to end it, else None."""
    for side, text in enumerate((pair.begin, pair.end)):
        marker_words = [word.casefold() for word in _WORD.findall(text)]
        is_default = text in (_DEFAULTS[pair.kind].begin, _DEFAULTS[pair.kind].end)
        if len(marker_words) > 1 and _near(letters, "".join(marker_words), 1 if is_marked and not is_default else 0):
            return side
        slips = 2 if is_marked else 1
        nouns = (*_NOUNS[pair.kind], "hidden") if pair.kind == HIDDEN_TESTS and is_marked else _NOUNS[pair.kind]
        for noun in nouns:
            most = 0 if noun == "hidden" else slips
            for verb in _OTHER_VERBS[side] if is_marked else _VERBS[side : side + 1]:
                if letters.startswith(verb) and _near(letters.removeprefix(verb), noun, most):
                    return side
                if is_marked and letters.endswith(verb) and _near(letters.removesuffix(verb), noun, most):
                    return side
            if _is_verb(words[0], side, is_marked) and _near("".join(words[1:]), noun, min(most, 1)):
                return side
    return None


def _is_verb(word: str, side: int, is_marked: bool) -> bool:
    """Tell whether it is BEGIN or END with one wrong letter.

    END is so short that the line must be written as a marker.
    """
    verb = _VERBS[side]
    return word[0] == verb[0] and (side == 0 or is_marked) and _near(word, verb, 1)


def _in_nbgrader_form(marker: str) -> str:
    return marker if marker.lstrip().startswith("#") else f"### {marker}"


def _near(word: str, marker: str, most: int) -> bool:
    """Tell whether two words differ by at most ``most`` letters.

    A letter may be missing, too many, wrong, or swapped with its neighbor (optimal string alignment).
    """
    if abs(len(word) - len(marker)) > most:
        return False
    before: list[int] = []
    row = list(range(len(marker) + 1))
    for i, letter in enumerate(word, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(marker, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == marker[j - 2] and word[i - 2] == wanted:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1] <= most


def _find_autotest_slip(line: str, markers: Markers) -> str | None:
    """Return the right beginning of a comment that was meant to generate a test.

    It has a slip of AUTOTEST before code, or one of HASHED before AUTOTEST.
    """
    comment = line.lstrip()
    if not comment.startswith("#"):
        return None
    before, marker, _ = comment.partition(markers.autotest)
    if marker:
        is_slip = any(_near(w.casefold(), _HASHED, 2) for w in _WORD.findall(before)) or "hash" in before.casefold()
        return f"### {markers.hashed} {markers.autotest}" if is_slip and markers.hashed not in before else None
    words = comment.lstrip("#").split()
    if words and _near(words[0].casefold(), _HASHED, 1):
        del words[0]
    for count in (1, 2):
        name, code = "".join(_WORD.findall("".join(words[:count]))), " ".join(words[count:])
        spellings = {_AUTOTEST, "".join(_WORD.findall(markers.autotest.casefold()))} - {""}
        is_near = any(_near(name.casefold(), one, 1) for one in spellings)
        if is_near and _is_code(code, or_name=name.isupper()):
            return f"### {markers.autotest} {code}"
    return None


def _is_code(text: str, *, or_name: bool) -> bool:
    """Tell whether the text is Python: "squares(3)", not "run later"; for a single word, ``or_name`` decides."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    match tree.body:
        case [] | [ast.Expr(ast.Constant())]:
            return False
        case [ast.Expr(ast.Name())]:
            return or_name
    return True
