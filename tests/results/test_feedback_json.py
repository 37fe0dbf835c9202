"""feedback.json says what the feedback page says, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from helpers.pages import inert
from helpers.samples import a_class, assignment, course, grade

from autograder.records.diagnosis import Diagnosis, HelpfulChange, LossCurve, TriedChange
from autograder.records.grade import Grade, HeldBack
from autograder.records.mistakes import ClassResult, ConfusedPair, ModelMistakes
from autograder.results.report import render_feedback
from autograder.results.report.feedback_json import feedback_json

TRIAL = TriedChange("rate", "a learning rate of 0.001", 0.9, None)
TOLD = HelpfulChange(TRIAL, "With it, your network reaches 0.50.", LossCurve((1,), (0.5,)))
DIAGNOSIS = Diagnosis("mean_squared_error", 90, 0.05, (TOLD,), (TRIAL,), LossCurve((1,), (0.9,)), "Few rows.", "loss")
MISTAKES = ModelMistakes("loss", "loss", 3, (ClassResult(3, 2, 0.5),), ((3,),), (ConfusedPair(0, 0, 1),))
NOT_SHOWN_AS_TEXT = {"kind", "outcome"}
"""Keys of words for programs: the page has a sentence or a sign of its own for them."""


def told(made: Grade) -> Grade:
    """A grade with all that a page can show, and secrets where the page shows nothing."""
    book = made.notebooks[0]
    questions = tuple(
        replace(
            question,
            detail="SECRET assert",
            checks=tuple(replace(check, detail="SECRET", evidence={"SECRET": 1.0}) for check in question.checks),
        )
        for question in book.questions
    )
    held = HeldBack("network", "private", 4.0, "2 of 4 points", datetime(2099, 1, 1, tzinfo=UTC))
    comments = {"answer": "Well *done*, `keras`"}
    book = replace(book, questions=questions, diagnoses=(DIAGNOSIS,), mistakes=(MISTAKES,), comments=comments)
    return replace(made, notebooks=(book,), held_back=(held,), name="Ada <b>", versions={"SECRET": "1"})


def data_of(folder: Path, made: Grade) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(feedback_json(course(folder), assignment(), made))
    return data


def texts(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, key)
    elif isinstance(value, str) and key not in NOT_SHOWN_AS_TEXT:
        yield value


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


@pytest.mark.parametrize("made", [told(grade("ada")), *map(told, a_class())])
def test_each_text_stands_on_the_page(made: Grade, tmp_path: Path) -> None:
    page = render_feedback(course(tmp_path), assignment(), made, {})
    shown = " ".join(words(inert(page).text))
    for text in texts(data_of(tmp_path, made)):
        if not re.match(r"\d{4}-\d\d-\d\dT|mean_squared_error$", text):  # the page writes moments and losses in words
            assert " ".join(words(text)) in shown, text


def test_nothing_that_the_page_hides_is_in_it(tmp_path: Path) -> None:
    text = feedback_json(course(tmp_path), assignment(), told(grade("ada")))
    assert "SECRET" not in text
    assert "Ada" not in text  # a program that reads it needs no name


KEYS = {
    "": "version course assignment score max_score late_penalty submitted_at due graded_at held_back notebooks",
    "held_back": "notebook id max_score message until",
    "notebooks": "notebook status message questions comments curve diagnoses mistakes",
    "questions": "id outcome score max_score message comment by_hand in_kernel checks",
    "checks": "name outcome credit message",
    "diagnoses": "loss rows least findings tried curve note question",
    "findings": "trial message curve",
    "tried": "kind change before after",
    "mistakes": "question check rows classes confusion pairs calibration residuals",
    "classes": "rows right loss",
    "pairs": "actual predicted rows",
}


def test_its_keys_are_those_that_are_documented(tmp_path: Path) -> None:
    seen: dict[str, set[str]] = {"": set(data := data_of(tmp_path, told(grade("ada"))))}

    def walk(value: Any) -> None:
        for key, inner in value.items() if isinstance(value, dict) else ():
            for each in inner if isinstance(inner, list) else [inner]:
                if isinstance(each, dict) and key in KEYS:
                    seen.setdefault(key, set()).update(each)
                walk(each)

    walk(data)
    assert seen == {key: set(names.split()) for key, names in KEYS.items()}
    documented = (Path(__file__).parents[2] / "docs/reference/feedback-json.md").read_text("utf-8")
    shared = {"diagnoses", "findings", "tried", "mistakes", "classes", "pairs"}  # described with result.json
    for key in KEYS.keys() - shared:
        assert all(f"`{name}`" in documented for name in KEYS[key].split()), key


def test_a_curve_that_diverged_is_strict_json(tmp_path: Path) -> None:
    made = grade("ada")
    book = replace(made.notebooks[0], history={"loss": (1.0, float("nan")), "lr": (0.1,)})
    (notebook,) = data_of(tmp_path, replace(made, notebooks=(book,)))["notebooks"]
    assert notebook["curve"] == {"loss": [1.0, None]}


def test_a_list_of_checks_is_cut_where_the_page_cuts_it(tmp_path: Path) -> None:
    made = grade("ada")
    book = made.notebooks[0]
    question = next(question for question in book.questions if question.checks)
    many = tuple(replace(question.checks[0], name=f"check-{number}") for number in range(120))
    made = replace(made, notebooks=(replace(book, questions=(replace(question, checks=many),)),))
    page = render_feedback(course(tmp_path), assignment(), made, {})
    names = [each["name"] for each in data_of(tmp_path, made)["notebooks"][0]["questions"][0]["checks"]]
    assert names == re.findall(r"check-\d+", inert(page).text)
