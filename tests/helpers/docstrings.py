"""Docstrings of the package that are hard to read: long sentences, long first lines, and "Return" with the name alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SENTENCE_WORDS = 28
FIRST_LINE_WORDS = 20
NAME_WORDS = 3

ARTICLES = {"the", "a", "an", "its", "all", "of", "each"}
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def faults(source: str) -> Iterator[tuple[int, str]]:
    """Line and fault of every docstring in a module's source."""
    for node in ast.walk(ast.parse(source)):
        text = ast.get_docstring(node) if isinstance(node, Documented) else None
        if not text:
            continue
        line = 1 if isinstance(node, ast.Module) else node.lineno
        first = " ".join(text.partition("\n\n")[0].split())
        if len(first.split()) > FIRST_LINE_WORDS:
            yield line, f"a first line of {len(first.split())} words: {first}"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and says_only_the_name(first, node.name):
            yield line, f"no more than the name: {first}"
        for sentence in sentences(text):
            if len(sentence.split()) > SENTENCE_WORDS:
                yield line, f"a sentence of {len(sentence.split())} words: {sentence}"


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every docstring in a module's source, those of fields and constants with them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value.strip()


def sentences(text: str) -> Iterator[str]:
    """The sentences of a docstring; examples, drawings and literal blocks are none."""
    prose = re.sub(r"::\n\n(?: {4,}.*\n?|\n)+", ":\n\n", text)
    prose = re.sub(r"^ *>>> .*(?:\n.+)*", "", prose, flags=re.M)
    prose = re.sub(r"^(?:Args|Attributes|Raises|Returns|Yields):$", "", prose, flags=re.M)
    for part in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\w+:) )", prose):
        if not re.search(r"[─│┊▶←→]|\S   +\S", part):
            yield from re.split(r"(?<=[.!?])\s+", " ".join(part.split()))


def says_only_the_name(first: str, name: str) -> bool:
    """Whether a first line is "Return" and at most three words, of which the function's name lacks one at most."""
    verb, *words = first.lower().rstrip(".").split()
    content = {stem(word) for word in words if word not in ARTICLES}
    named = content & {stem(word) for word in name.split("_")}
    return verb == "return" and len(content) <= NAME_WORDS and bool(named) and len(content - named) <= 1


def stem(word: str) -> str:
    return word.rstrip("s")


def modules(package: Path) -> Iterator[tuple[str, Path]]:
    """Room and path of every module of the package."""
    for path in sorted(package.rglob("*.py")):
        yield path.relative_to(package).parts[0].removesuffix(".py"), path
