"""Students and a learning system's people: one to one, the surest name first, and doubt is said."""

from __future__ import annotations

import pytest

from autograder.lms.matching import Known, match, spellings


def test_numbers_decide_before_names():
    students = {"doejane": Known(ids=("7",), names=("Jane Doe",))}
    people = [Known(ids=("9",), names=("Jane Doe",)), Known(ids=("7",), names=("J. D.",))]
    assert match(students, people).pairs == {"doejane": 1}


def test_login_names_and_addresses_fit_whatever_their_case():
    students = {"jd": Known(logins=("JD",)), "max": Known(logins=("max@Example.org",))}
    people = [Known(logins=("jd", "jd@example.org")), Known(logins=("m", "max@example.org"))]
    assert match(students, people).pairs == {"jd": 0, "max": 1}


@pytest.mark.parametrize("name", ["Jane Doe", "doejane", "Doe, Jane", "jane_doe"])
def test_a_full_name_fits_in_the_order_of_speech_and_of_lists(name):
    matched = match({name: Known(names=(name,))}, [Known(names=("Doe, Jane",))])
    assert matched.pairs == {name: 0}
    assert matched.by_name == (name,)


def test_two_people_of_one_name_are_told_to_a_person():
    matched = match({"doejane": Known(names=("doejane",))}, [Known(names=("Doe, Jane",))] * 2)
    assert matched.pairs == {}
    assert matched.unclear == {"doejane": "more than one person fits"}


def test_one_person_is_not_given_to_two_students():
    students = {"jane": Known(names=("Jane Doe",)), "doejane": Known(names=("Doe, Jane",))}
    assert match(students, [Known(names=("Jane Doe",))]).pairs == {}


def test_who_has_a_number_is_not_taken_by_a_name():
    students = {"a": Known(ids=("1",), names=("Jane Doe",)), "b": Known(names=("Jane Doe",))}
    matched = match(students, [Known(ids=("1",), names=("Jane Doe",))])
    assert matched.pairs == {"a": 0}
    assert matched.unclear == {"b": "nobody there fits"}


def test_names_of_other_scripts_are_names():
    assert spellings("Łukasz Żak") == {"łukaszżak", "żakłukasz"}
    assert spellings("王小明") == {"王小明"}
    assert spellings("") == {""}
