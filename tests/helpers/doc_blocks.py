"""The fenced blocks of the documentation's pages: commands, files and examples."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    file: str
    """The name after ``file=``: a file that the reader is to make."""
    text: str


def blocks(page: Path, language: str = "") -> list[Block]:
    found: list[Block] = []
    fence = re.compile(r"^( *)```(\w*)(?: file=(\S+))?\n(.*?)^\1```$", re.M | re.S)
    content = page.read_text(encoding="utf-8")
    for match in fence.finditer(content):
        indent, kind, file, text = match.groups()
        line = content.count("\n", 0, match.start()) + 1
        text = re.sub(f"^{indent}", "", text, flags=re.M)
        found.append(Block(page, line, kind, file or "", text))
    return [b for b in found if not language or b.language == language]


def commands(block: Block) -> list[list[str]]:
    """The words of each line that starts with ``$``; a line that ends in a backslash goes on."""
    lines = [line for line in block.text.replace("\\\n", " ").splitlines() if line.startswith("$ ")]
    return [shlex.split(line[2:], comments=True) for line in lines]
