"""Parts of a solved cell that are the answer, between nbgrader's markers."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from autograder._util.syntax import parsed

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
REGION = re.compile(f"([ \t]*){BEGIN}\n(.*?){END}", re.S)
_WISH = re.compile(r"\bTODO\b|\bYOUR[ _](?:CODE|ANSWER)\b|\bFILL[ _]IN\b|\bWRITE YOUR\b", re.I)
"""Words that ask students to write something."""
_START = re.compile(r"\b(?:START (?:OF )?(?:YOUR )?|BEGIN (?:OF )?YOUR )(?:CODE|ANSWER|SOLUTION)\b", re.I)
_STOP = re.compile(r"\bEND (?:OF )?(?:YOUR )?(?:CODE|ANSWER|SOLUTION)\b", re.I)
Span = tuple[int, int]
"""First line, counted from 0, and the line after the last one."""


def asks(text: str) -> bool:
    """Tell whether a text asks students to write something."""
    return _WISH.search(text) is not None


def tree_of(source: str) -> ast.Module | None:
    """Parse a cell; a line with a magic counts as ``pass``."""
    return parsed(source) or parsed(re.sub(r"^([ \t]*)[!%].*$", r"\1pass", source, flags=re.M))


def regions_of(answer: str) -> list[Span]:
    """Return the lines of a cell that stand between markers, the markers among them."""
    lines = [line.strip() for line in answer.split("\n")]
    starts, ends = ([n for n, line in enumerate(lines) if line == marker] for marker in (BEGIN, END))
    return [(start, end + 1) for start, end in zip(starts, ends, strict=False)]


def overlap(span: Span, region: Span) -> Span:
    """Return the lines that two spans share; its end is not above its start if there is none."""
    return max(span[0], region[0]), min(span[1], region[1])


@dataclass(frozen=True)
class _Block:
    """Lines of the solved cell, and the students' lines in their place."""

    is_equal: bool
    span: Span
    students: list[str]


def answer_from_pair(students: str, solved: str, *, is_code: bool = True) -> str:
    """Return the solved cell with markers around what the students' cell does not have.

    Outside of the markers stands the students' text. What an answer replaces stands above it, in code as a comment: it
    names what students are to bind.
    """
    theirs = students.split("\n")
    ours = [line for line in solved.split("\n") if line.strip() not in (BEGIN, END)]
    keys = [[line.strip() for line in lines] for lines in (theirs, ours)]
    blocks = [
        _Block(tag == "equal", (j, end_j), theirs[i:end_i])
        for tag, i, end_i, j, end_j in difflib.SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes()
    ]
    changed = {n for block in blocks if not block.is_equal for n in range(*block.span)}
    return _marked(ours, blocks, changed, is_code=is_code)


def answer_alone(solved: str) -> str:
    """Return a solved cell with markers around its blocks for students; unchanged if it has none, or markers.

    A block stands between lines such as ``*****START OF YOUR CODE*****`` and ``*****END OF YOUR CODE*****``. Without
    such lines it goes from a ``TODO`` or ``YOUR CODE HERE`` to the next empty line, or to the end of the block.
    """
    lines = solved.split("\n")
    changed: set[int] = set()
    is_open, is_wished, indent = False, False, 0
    for number, line in enumerate(lines):
        if is_open or _START.search(line):
            is_open = not _STOP.search(line)
            changed |= {number} if is_open and not _START.search(line) else set()
        elif asks(line):
            is_wished, indent = True, min(indent, _indent(line)) if is_wished else _indent(line)
            changed |= {number} - _comments(lines)
        elif is_wished:
            is_wished = bool(line.strip()) and _indent(line) >= indent
            changed |= {number} if is_wished else set()
    blocks = [_Block(n not in changed, (n, n + 1), [] if n in changed else [line]) for n, line in enumerate(lines)]
    is_unchanged = BEGIN in solved or not changed - _comments(lines)
    return solved if is_unchanged else _marked(lines, blocks, changed, is_code=True)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _comments(lines: Sequence[str]) -> set[int]:
    """Return the numbers of the lines that compute nothing: comments, empty lines, texts that stand alone."""
    tree = tree_of("\n".join(lines))
    texts = [
        node
        for node in (ast.walk(tree) if tree else ())
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    silent = {n for n, line in enumerate(lines) if not line.strip() or line.lstrip().startswith("#")}
    return silent.union(*(range(node.lineno - 1, node.end_lineno or node.lineno) for node in texts))


def _marked(ours: list[str], blocks: list[_Block], changed: set[int], *, is_code: bool) -> str:
    """Write the markers around whole statements; around the whole cell if what is left would be no Python."""
    text = ""
    for regions in (_regions(ours, changed, is_code=is_code), [(0, len(ours))]):
        result: list[str] = []
        position = 0
        for start, end in regions:
            indent = ours[start][: _indent(ours[start])]
            hints = list(_hints(blocks, (start, end), position))
            answer = ours[start:end]
            if is_code:
                hints = list(dict.fromkeys(filter(None, (_hint(line, indent) for line in hints))))
                answer = [
                    line for line in answer if not (line.strip().startswith("#") and _hint(line, indent) in hints)
                ]
            result += [
                *_between(blocks, (position, start), is_code=is_code),
                *hints,
                indent + BEGIN,
                *answer,
                indent + END,
            ]
            position = end
        text = "\n".join([*result, *_between(blocks, (position, len(ours)), is_code=is_code)])
        if not is_code or tree_of(REGION.sub(r"\1pass", text)) is not None:
            break
    return text


def _hint(line: str, indent: str) -> str:
    """Write a students' line as a comment; empty if it says nothing."""
    text = line.strip().strip("#").strip()
    for quotes in ("'''", '"""'):
        if text.startswith(quotes) or text.count(quotes) == 1:
            text = text.replace(quotes, "").strip()
    return f"{indent}# {text}" if text not in ("", "pass", "...", "raise NotImplementedError()") else ""


def _hints(blocks: Iterable[_Block], region: Span, position: int) -> Iterator[str]:
    """Yield the students' lines in the place of a region, but those that stood above an earlier one."""
    for block in blocks:
        start, end = overlap(block.span, region)
        if block.is_equal:
            yield from block.students[start - block.span[0] : max(start, end) - block.span[0]]
        elif start < end and position <= block.span[0]:
            yield from block.students


def _between(blocks: Iterable[_Block], gap: Span, *, is_code: bool) -> Iterator[str]:
    """Yield the students' lines between two regions: they do not get what the solution alone says there."""
    for block in blocks:
        start, end = overlap(block.span, gap)
        if block.is_equal:
            yield from block.students[start - block.span[0] : max(start, end) - block.span[0]]
        elif gap[0] <= block.span[0] and block.span[1] <= gap[1]:
            is_kept = not is_code or block.span[0] < block.span[1]  # what a solution removes is a stub
            yield from (line for line in block.students if is_kept or line.lstrip().startswith("#"))


def _regions(lines: list[str], changed: set[int], *, is_code: bool) -> list[Span]:
    """Return the spans of the answers: whole statements, joined where only changed or empty lines lie between."""
    tree = tree_of("\n".join(lines)) if is_code else None
    computing = changed - (_comments(lines) if is_code else {n for n, line in enumerate(lines) if not line.strip()})
    if is_code and tree is None:
        return [(0, len(lines))]
    spans = sorted({(_span(tree.body, n) if tree else None) or (n, n + 1) for n in computing})
    regions: list[Span] = []
    for start, end in spans:
        between = range(regions[-1][1], start) if regions else range(0)
        if regions and all(n in changed or not lines[n].strip() for n in between):
            regions[-1] = regions[-1][0], max(end, regions[-1][1])
        else:
            regions.append((start, end))
    return regions


def _span(body: Iterable[ast.stmt], number: int) -> Span | None:
    """Return the lines of the smallest statement around a line; None if the line lies between statements."""
    for statement in body:
        first = min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", []))]) - 1
        last = statement.end_lineno or statement.lineno
        if not first <= number < last:
            continue
        blocks = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
        blocks += [part.body for name in ("handlers", "cases") for part in getattr(statement, name, [])]
        for block in filter(None, blocks):
            if block[0].lineno - 1 <= number < (block[-1].end_lineno or 0):
                return _span(block, number) or (number, number + 1)
        return first, last
    return None
