"""Markers of solutions, hidden tests, mark schemes and generated tests in source notebooks: where they are, where they
are misspelt, and what students will see between them.

nbgrader takes a line for a marker where it contains the marker's exact text. A line that was meant to be one and is
not is released with all that it should have hidden. So a line that says the same as a marker, but for one slip, is an
error. Everything else is prose:

- *anywhere:* the line, or its comment, consists of "begin" or "end" and the words of a marker, whatever their case,
  number and separators: ``# begin hidden_test``, ``## END SOLUTIONS``; one wrong letter is no other word;
- *written as a marker* (all in capitals, or in code behind ``###``): also without BEGIN (``### HIDDEN TESTS``), the
  other way round (``# HIDDEN TESTS END``), with START or STOP, and with one more wrong letter.
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
"""The letters of what is marked."""
_VERBS = ("begin", "end")
_OTHER_VERBS = (("begin", "begins", "start", "starts"), ("end", "ends", "stop", "stops"))
"""What says the same, where it is written as a marker."""
_FILLERS = frozenset({"of", "the"})
_HASHED, _AUTOTEST = "hashed", "autotest"
_MAX_LETTERS, _MAX_LINE = 40, 400
"""What is longer is prose, or data."""
_WORD = re.compile(r"[^\W\d_]+")
_WORDS = re.compile(rf"{_WORD.pattern}(?:[\s_-]+{_WORD.pattern})*")


@dataclass(frozen=True, slots=True)
class Pair:
    """The texts that begin and end a hidden part."""

    kind: str
    begin: str
    end: str


@dataclass(frozen=True, slots=True)
class Markers:
    """The markers of a course."""

    pairs: tuple[Pair, ...] = (
        Pair(SOLUTION, "BEGIN SOLUTION", "END SOLUTION"),
        Pair(HIDDEN_TESTS, "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"),
        Pair(MARK_SCHEME, "BEGIN MARK SCHEME", "END MARK SCHEME"),
    )
    """In the order in which nbgrader takes them out."""
    autotest: str = "AUTOTEST"
    hashed: str = "HASHED"


_DEFAULTS = {pair.kind: pair for pair in Markers().pairs}


def course_markers(config: NbgraderConfig) -> Markers:
    """The markers as nbgrader_config.py has them; its options are spelled as nbgrader spells them.

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
    """Its lines; those that nbgrader takes out are empty."""
    faults: list[tuple[int, str]] = field(default_factory=list)
    """Line, counted from 1, and what is wrong with it."""
    kinds: set[str] = field(default_factory=set)
    """What is marked in it."""


def read_cell(cell: Mapping[str, Any], markers: Markers) -> MarkedCell:
    """What students see of a cell, and which of its markers are wrong."""
    found = _regions(str(cell["source"]).split("\n"), markers)
    meta = cell.get("metadata", {}).get("nbgrader", {})
    flags = meta if isinstance(meta, dict) else {}
    is_code = cell.get("cell_type") == "code"
    is_replaced = bool(flags.get("solution")) and SOLUTION not in found.kinds
    for number, line in enumerate(found.visible, 1):
        slip = misspelt(line, markers, is_code=is_code)
        if slip is not None and not (slip.is_bare and (is_replaced or slip.kind in found.kinds)):
            found.faults.append((number, _not_a_marker(line, slip.right)))
        elif is_code and flags.get("grade") and (right := _misspelt_autotest(line, markers)):
            found.faults.append((number, _not_a_marker(line, right)))
    if is_replaced:  # by nbgrader's stub
        found.visible = [""] * len(found.visible)
    found.faults.sort()
    return found


def _regions(lines: Sequence[str], markers: Markers) -> MarkedCell:
    """Follow the markers through a cell as nbgrader does; what it takes without a word is a fault, too."""
    found = MarkedCell([])
    begun: tuple[int, Pair] | None = None
    for number, line in enumerate(lines, 1):
        pair, is_begin = _exact(line, markers)
        found.visible.append("" if pair or begun else line)
        if pair is None:
            continue
        found.kinds.add(pair.kind)
        if is_begin and begun is None:
            begun = number, pair
        elif is_begin and begun is not None:
            where = f"inside the part that begins in line {begun[0]}"
            found.faults.append((number, f"{_quoted(line)} {where}; end that first, with '### {begun[1].end}'"))
        elif begun is not None and begun[1] is pair:
            begun = None
        else:
            todo = f"put '### {pair.begin}' where it begins"
            found.faults.append((number, f"{_quoted(line)} ends nothing: what is above it would be released; {todo}"))
    if begun is not None:
        found.faults.append((begun[0], f"{_quoted(lines[begun[0] - 1])} has no '### {begun[1].end}' after it"))
    return found


def _exact(line: str, markers: Markers) -> tuple[Pair | None, bool]:
    """The pair whose marker is in the line, and whether it is the one that begins."""
    for pair in markers.pairs:
        if pair.begin in line or pair.end in line:
            return pair, pair.begin in line
    return None, False


def _quoted(line: str) -> str:
    return repr(line.strip()[:80])


def _not_a_marker(line: str, right: str) -> str:
    reword = "(or, if it is not meant as a marker, reword it)"
    return f"{_quoted(line)} is no marker, and hides nothing: write {right!r} {reword}"


# --- near misses -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slip:
    """A line that says the same as a marker and is none."""

    right: str
    """As it should be written."""
    kind: str
    is_bare: bool = False
    """Whether it has the words without BEGIN or END."""


def misspelt(line: str, markers: Markers, *, is_code: bool) -> Slip | None:
    """The marker that a line without one was meant to be; None: it is code or prose."""
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
                return Slip(_written(pair.end if side else pair.begin), pair.kind)
            # A heading "SOLUTION" in a text is none, nor is a constant in code.
            is_place = line.lstrip().startswith("#") if is_code else pair.kind == MARK_SCHEME
            if is_marked and is_place and any(_near(letters, noun, 1) for noun in _NOUNS[pair.kind]):
                return Slip(_written(pair.begin), pair.kind, is_bare=True)
    return None


def _texts(line: str, is_code: bool) -> Iterator[str]:
    """What a line consists of, and its comment, as far as they are words and nothing else."""
    comment = line.lstrip().startswith("#")
    for text in dict.fromkeys([line, line.rpartition("#")[2]]):
        inner = text.strip(string.punctuation + string.digits + string.whitespace)
        is_name = is_code and not comment and text is line and " " not in inner  # "end_solution" is Python
        if _WORDS.fullmatch(inner) and not is_name:
            yield inner


def _side(words: Sequence[str], letters: str, pair: Pair, is_marked: bool) -> int | None:
    """0: meant to begin such a part; 1: to end it."""
    for side, text in enumerate((pair.begin, pair.end)):
        own = [word.casefold() for word in _WORD.findall(text)]
        is_default = text in (_DEFAULTS[pair.kind].begin, _DEFAULTS[pair.kind].end)
        if len(own) > 1 and _near(letters, "".join(own), 1 if is_marked and not is_default else 0):
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
    """Whether it is BEGIN or END with one wrong letter; of a word as short as END only where it is marked."""
    verb = _VERBS[side]
    return word[0] == verb[0] and (side == 0 or is_marked) and _near(word, verb, 1)


def _written(marker: str) -> str:
    return marker if marker.lstrip().startswith("#") else f"### {marker}"


def _near(word: str, other: str, most: int) -> bool:
    """Whether no more than ``most`` letters are missing, too many, wrong, or changed places with their neighbor
    (optimal string alignment)."""
    if abs(len(word) - len(other)) > most:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and word[i - 2] == wanted:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1] <= most


def _misspelt_autotest(line: str, markers: Markers) -> str | None:
    """The right beginning of a comment that was meant to generate a test: a slip of AUTOTEST before what is code, or
    one of HASHED before AUTOTEST."""
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
        known = {_AUTOTEST, "".join(_WORD.findall(markers.autotest.casefold()))} - {""}
        is_near = any(_near(name.casefold(), one, 1) for one in known)
        if is_near and _is_code(code, or_name=name.isupper()):
            return f"### {markers.autotest} {code}"
    return None


def _is_code(text: str, *, or_name: bool) -> bool:
    """Whether it is Python: "squares(3)", not "run later"; of a single word one cannot tell."""
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
