"""The outputs of a cell: merged, counted, cut off, and shown as a screen would show them."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.execution.outputs import MAX_OUTPUTS, Outputs, settled, texts


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def shown(text: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}}


def collected(*outputs: dict[str, Any]) -> Outputs:
    made = Outputs(10_000)
    made.begin_cell()
    for output in outputs:
        made.add(output)
    return made


def test_text_of_one_stream_is_one_output_until_another_comes_between() -> None:
    made = collected(stream("a"), stream("b"), stream("!", "stderr"), stream("c"), shown("x"), stream("d"))
    assert [o.get("text", "x") for o in made.of_cell()] == ["ab", "!", "c", "x", "d"]


@pytest.mark.parametrize(
    ("text", "screen"),
    [
        ("plain\n", "plain\n"),
        ("10%\r50%\r100%", "100%"),
        ("10%\r50%\r100%\n", "100%\n"),
        ("1\r2\nnext", "2\nnext"),
        ("line\r\nline\r\n", "line\nline\n"),
        ("done\r", "done"),
        ("abc\b\bX", "aX"),
        ("\b\bX", "X"),
        ("a\n\bX", "a\nX"),
        ("", ""),
    ],
)
def test_carriage_returns_and_backspaces_have_done_their_work(text: str, screen: str) -> None:
    assert settled(text) == screen


def test_a_progress_bar_in_many_pieces_is_one_line() -> None:
    made = collected(*[stream(f"\r{i}") for i in range(50)])
    assert [o["text"] for o in made.of_cell()] == ["49"]


def test_outputs_past_the_limit_are_dropped_and_said_so() -> None:
    made = collected(*[shown(str(i)) for i in range(MAX_OUTPUTS + 5)]).of_cell()
    assert len(made) == MAX_OUTPUTS + 1
    assert "the rest was dropped" in made[-1]["text"]


def test_a_new_cell_starts_without_outputs_and_without_the_last_ones_displays() -> None:
    made = collected()
    made.add(shown("old"), "d")
    made.begin_cell()
    made.update("d", shown("new"))
    assert made.of_cell() == ()


def test_an_update_changes_every_display_of_its_id_and_no_other() -> None:
    made = collected()
    for display in ("d", "e", "d"):
        made.add(shown("old"), display)
    made.update("d", shown("new"))
    assert [o["data"]["text/plain"] for o in made.of_cell()] == ["new", "old", "new"]


@pytest.mark.parametrize(("wait", "left"), [(False, []), (True, ["old"])])
def test_clearing_is_now_or_when_the_next_output_comes(wait: bool, left: list[str]) -> None:
    made = collected(stream("old"))
    made.clear(wait)
    assert [o["text"] for o in made.of_cell()] == left
    made.add(stream("new"))
    assert [o["text"] for o in made.of_cell()] == ["new"]


@pytest.mark.parametrize(
    ("value", "characters"),
    [("four", 4), ({"key": ["ab", "c"]}, 6), ([1, None, 2.5], 24), ({"a": {"b": {"c": "d"}}}, 4), (None, 8)],
)
def test_all_texts_of_a_message_are_counted(value: Any, characters: int) -> None:
    assert texts(value) == characters


def test_every_message_and_every_buffer_counts_against_the_limit_of_the_run() -> None:
    made = Outputs(1000)
    made.count({"content": {"text": "x" * 300}, "buffers": [b"y" * 300]})
    assert not made.full
    made.begin_cell()
    made.count({"content": {}})
    assert made.full
