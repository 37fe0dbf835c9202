"""Text of students, made safe to show."""

import io
import time

import pytest

from autograder._util.text import bounded, credit_percent, inert_markdown, is_same_text, one_line, printable, visible

SHOWN = [
    ("plain\ttext\n", "plain\ttext\n"),
    ("\x1b[31mred\x1b[0m", "red"),
    ("\x1b[38;5;196mred\x1b[m", "red"),
    ("\x9b31mred", "red"),
    ("\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07", "link"),
    ("\x1b]0;title\x1b\\text", "text"),
    ("\x1b(B", ""),
    ("\x1b", "⟨U+001B⟩"),
    ("10%\r50%\r100%\n", "100%\n"),
    ("a\r\nb", "a\nb"),
    ("\x00\x08\x7f", "⟨U+0000⟩⟨U+0008⟩⟨U+007F⟩"),
    ("user\u202eexe.txt", "user⟨U+202E⟩exe.txt"),
    ("\u2066\u2069\u200e\u200b\ufeff", "⟨U+2066⟩⟨U+2069⟩⟨U+200E⟩⟨U+200B⟩⟨U+FEFF⟩"),
    ("\u2028\ud800\U000e0041", "⟨U+2028⟩⟨U+D800⟩⟨U+E0041⟩"),
    ("naïve 模型 עברית 👩\u200d🔬", "naïve 模型 עברית 👩\u200d🔬"),
]


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_nothing_invisible_is_left(text, shown):
    """Escape sequences go, other controls and direction marks are spelled out, languages stay."""
    assert visible(text) == shown


def test_long_text_keeps_its_head_and_its_tail():
    """What was left out is named."""
    text = bounded("a" * 1000 + "z" * 1000, 90)
    assert text.startswith("a" * 60 + "\n")
    assert text.endswith("\n" + "z" * 30)
    assert "1,910 characters left out" in text


@pytest.mark.parametrize(("share", "shown"), [(0, "0"), (0.5, "50"), (0.994, "99"), (0.99954, "99"), (1, "100")])
def test_only_full_credit_is_100_percent(share, shown):
    assert credit_percent(share) == shown


@pytest.mark.parametrize("piece", ["x", "\x1b[", "\x1b]", "\r", "\u202e", "<script>", "&#x", "j\\", "javascript"])
def test_ten_megabytes_take_no_time(piece):
    """No pattern backtracks over what a student can make long."""
    text = piece * (10_000_000 // len(piece))
    began = time.process_time()
    assert len(visible(text)) < 200_000
    assert len(one_line(text)) <= 200
    inert_markdown(text[:1_000_000])
    assert time.process_time() - began < 4


def test_one_line_is_one_line():
    """Line breaks become spaces; a cut is marked."""
    assert one_line(" a\n\tb ") == "a b"
    assert one_line("x" * 300, 10) == "x" * 9 + "…"


def test_markdown_keeps_its_text():
    """Comparisons, ampersands and emphasis read as they did."""
    assert inert_markdown("a < b and c & d, **bold**, [x](https://example.org)") == (
        "a < b and c & d, **bold**, [x](https://example.org)"
    )


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "✓ “Łucja” → 3 ≤ 4 é 𝄞"),
        ("cp1252", "ok “\\u0141ucja” -> 3 <= 4 é \\U0001d11e"),
        ("cp437", 'ok "\\u0141ucja" -> 3 ≤ 4 é \\U0001d11e'),
        ("ascii", 'ok "\\u0141ucja" -> 3 <= 4 \\xe9 \\U0001d11e'),
        ("no such encoding", "✓ “Łucja” → 3 ≤ 4 é 𝄞"),
        (None, "✓ “Łucja” → 3 ≤ 4 é 𝄞"),
    ],
)
def test_what_a_stream_can_not_encode_is_written_in_plain_characters(encoding, shown):
    class Stream(io.StringIO):
        pass

    Stream.encoding = encoding
    assert printable("✓ “Łucja” → 3 ≤ 4 é 𝄞", Stream()) == shown
    assert printable("✓", None) == "✓"


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (b"a = 1\n", b"a = 1\r\n", True),
        (b"a = 1  \n\n", b"a = 1", True),
        (b"if a:\n    b\nc\n", b"if a:\n    b\n    c\n", False),
        (b"a\n\nb\n", b"a\nb\n", False),
        (b"\0 \n", b"\0\n", False),
    ],
)
def test_a_text_is_the_same_whatever_ends_its_lines(first, second, same):
    """Editors change line endings; a block that was moved in or out is work, and so is each byte of data."""
    assert is_same_text(first, second) is same
