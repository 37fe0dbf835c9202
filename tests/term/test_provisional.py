"""Provisional numbers: what the roster keeps of them, which of them are contested, and what confirms them."""

from __future__ import annotations

import pytest

from autograder.errors import UsageError
from autograder.term.csv_tables import Faults
from autograder.term.people import Person, Roster, check_unique, is_system_id
from autograder.term.provisional import Provisional, confirm, demoted, settled, with_number

ANN = Person("ann", "Ann Lee", ids={"canvas_id?": "666; 777", "note": "?"})
BOB = Person("bob", "Bob", ids={"canvas_id?": "888", "moodle_participant/hw?": "1", "moodle_participant/other?": "2"})


def test_numbers_are_those_of_the_assignment() -> None:
    numbers = Provisional(Roster((ANN, BOB)))
    assert numbers.numbers("ann", "hw") == {"canvas_id": ("666", "777")}
    assert numbers.numbers("bob", "hw") == {"canvas_id": ("888",), "moodle_participant/hw": ("1",)}
    assert numbers.numbers("nobody") == {}


def test_a_confirmed_number_and_one_of_another_person_are_not_provisional() -> None:
    sure = Person("ann", ids={"canvas_id": "777", "canvas_id?": "666"})
    eve = Person("eve", ids={"canvas_id": "888"})
    numbers = Provisional(Roster((sure, eve, BOB)))
    assert (numbers.numbers("ann"), "canvas_id" in numbers.numbers("bob")) == ({}, False)


def test_somebody_on_no_list_owns_no_number_for_good() -> None:
    stranger = Person("lee", status="unlisted", ids={"canvas_id": "888"})
    assert Provisional(Roster((BOB, stranger))).numbers("bob")["canvas_id"] == ("888",)
    assert settled((Person("bob", ids={"canvas_id": "888"}), stranger))[1].ids == {}


@pytest.mark.parametrize(
    ("people", "contested"),
    [
        ((ANN, BOB), ["ann"]),
        ((BOB,), []),
        ((BOB, Person("eve", ids={"canvas_id?": "888"})), ["bob", "eve"]),
        ((BOB, Person("eve", ids={"ilias_id?": "888"})), []),
    ],
)
def test_two_numbers_of_a_name_and_two_names_of_a_number_are_contested(
    people: tuple[Person, ...], contested: list[str]
) -> None:
    assert sorted(Provisional(Roster(people)).contested("hw")) == contested


def test_a_column_of_provisional_numbers_is_no_column_of_ids() -> None:
    """Two people may have the same number there; that is what the command then tells."""
    assert not is_system_id("moodle_participant/hw?")
    faults = Faults("people.csv")
    check_unique(faults, (BOB, Person("eve", ids=BOB.ids)))
    faults.check()


def test_confirmed_is_the_number_that_was_meant_and_the_others_are_dropped() -> None:
    people, heading, number = confirm(Roster((ANN, BOB)), "ann", "777")
    assert (heading, number, people[0].ids) == ("canvas_id", "777", {"canvas_id": "777", "note": "?"})
    assert people[1] == BOB


def test_confirmed_for_one_it_is_nobody_elses() -> None:
    people, *_ = confirm(Roster((BOB, Person("eve", ids={"canvas_id?": "888; 999"}))), "eve", "888")
    assert "canvas_id?" not in people[0].ids


@pytest.mark.parametrize(
    ("student", "number", "message"),
    [
        ("anne", "", "no student “anne” in the roster; did you mean"),
        (
            "ann",
            "",
            r"several numbers wait; choose one by --number, or edit people.csv \(canvas_id 666, canvas_id 777\)",
        ),
        ("ann", "5", r"no such number .* \(numbers that wait: canvas_id 666, canvas_id 777\)"),
        ("cy", "", "numbers that wait: none"),
    ],
)
def test_what_cannot_be_confirmed_is_said(student: str, number: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        confirm(Roster((ANN, Person("cy"))), student, number)


def test_a_number_is_added_once() -> None:
    assert with_number(with_number(ANN, "canvas_id", "777"), "canvas_id", "9").ids["canvas_id?"] == "666; 777; 9"


def test_numbers_become_provisional_and_notes_stay() -> None:
    assert demoted(Person("x", ids={"canvas_id": "7", "note": "y"})).ids == {"canvas_id?": "7", "note": "y"}
