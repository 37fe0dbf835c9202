"""Text that students wrote, made safe to show: in a terminal, on a page, in a table, in nbgrader's pages."""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import TextIO

# Escape sequences of terminals: CSI (colors, cursor), OSC (titles, links; ended by BEL or ST), short ones.
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]{0,4}[0-~]"
)
_UNUSUAL = re.compile(r"[^\n\t\x20-\x7e]")
# Cf: bidirectional controls and zero-width characters; Zl, Zp: line separators; Cs: lone surrogates.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Joiners that emoji and several scripts need; alone they neither hide nor reorder anything.
_JOINERS = frozenset("\u200c\u200d")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=#|[A-Za-z])")
_GAP = r"[\s\\\x00-\x20]{0,8}"
_SCRIPT = re.compile("|".join(_GAP.join(scheme) for scheme in ("javascript:", "vbscript:")), re.IGNORECASE)


def bounded(text: str, limit: int) -> str:
    """Shorten ``text`` to about ``limit`` characters: head, number of characters left out, tail."""
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    tail = limit - head
    return f"{text[:head]}\n… {len(text) - limit:,} characters left out …\n{text[-tail:]}"


def visible(text: str, limit: int = 20_000) -> str:
    """Remove terminal escapes from ``text`` and shorten it to about ``limit`` characters.

    Every other control, bidirectional or zero-width character is written as ``⟨U+202E⟩``. Newlines and tabs
    stay; a lone carriage return overwrites its line, as a terminal shows it (progress bars end as one line).
    """
    text = bounded(text, limit)
    text = _ANSI.sub("", text).replace("\r\n", "\n")
    lines = (line.rsplit("\r", 1)[-1] if "\r" in line.rstrip("\r") else line.rstrip("\r") for line in text.split("\n"))
    text = "\n".join(lines)
    if _UNUSUAL.search(text) is None:
        return text
    escapes = {character: _visible_form(character) for character in set(text) - {"\n", "\t"}}
    return text.translate({ord(character): named for character, named in escapes.items() if named != character})


def is_encodable(text: str) -> bool:
    """Tell whether a text can be written as UTF-8: it has no half of a surrogate pair."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def one_line(text: str, limit: int = 200) -> str:
    """Put :func:`visible` text on one line, for tables and terminals."""
    line = " ".join(visible(text, 4 * limit).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def is_same_text(first: bytes, second: bytes) -> bool:
    """Tell whether two files say the same but for line endings and spaces before them, which editors change.

    Files that are no texts, which have zero bytes, say the same only if they are equal.
    """
    return first == second or (b"\0" not in first and _lines(first) == _lines(second))


def _lines(content: bytes) -> list[bytes]:
    return [line.rstrip() for line in content.rstrip().split(b"\n")]


def credit_percent(share: float) -> str:
    """Write a share of the credit in whole percent; only full credit is 100."""
    return f"{100 * share if share >= 1 else min(99, 100 * share):.0f}"


def inert_markdown(text: str) -> str:
    """Make Markdown safe that renders as before: its HTML shown as text, its script links dead.

    nbconvert, and with it nbgrader's feedback and formgrader, puts a cell's HTML on the page as it stands.
    """
    text = _TAG.sub("&lt;", _ENTITY.sub("&amp;", text))
    return _SCRIPT.sub(lambda match: match.group().replace(":", "\u2236"), text)


PLAIN = "autograder.plain"
r"""Name of a handler of encoding errors: ``✓`` as ``ok``, ``→`` as ``->``, others as ``\\u2713``."""
_PLAIN = {
    "✓": "ok", "◐": "partly:", "✗": "wrong:", "→": "->", "−": "-", "×": "x", "±": "+-", "·": "*", "…": "...",
    "“": '"', "”": '"', "≤": "<=", "≥": ">=",
}  # fmt: skip


def printable(text: str, stream: TextIO | None) -> str:
    """Replace characters that ``stream`` cannot encode: consoles and redirected output on Windows know few."""
    encoding = getattr(stream, "encoding", None)
    if text.isascii() or not isinstance(encoding, str):
        return text
    try:
        return text.encode(encoding, PLAIN).decode(encoding)
    except LookupError:  # the stream is a stand-in with an encoding of its own
        return text


def _in_plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    if character in _PLAIN:
        return _PLAIN[character], error.start + 1
    error.end = error.start + 1
    return codecs.backslashreplace_errors(error)


codecs.register_error(PLAIN, _in_plain)


def _visible_form(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _INVISIBLE:
        return character
    return f"⟨U+{ord(character):04X}⟩"
