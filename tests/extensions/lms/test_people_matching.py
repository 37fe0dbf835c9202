"""Students and a learning system's people: one to one, the surest name first, and doubt is said."""

from __future__ import annotations

import pytest

from autograder.extensions.lms.matching import PersonNames, match, spellings


def test_numbers_decide_before_names():
    students = {"doejane": PersonNames(ids=("7",), names=("Jane Doe",))}
    people = [PersonNames(ids=("9",), names=("Jane Doe",)), PersonNames(ids=("7",), names=("J. D.",))]
    assert match(students, people).pairs == {"doejane": 1}


def test_login_names_and_addresses_fit_whatever_their_case():
    students = {"jd": PersonNames(logins=("JD",)), "max": PersonNames(logins=("max@Example.org",))}
    people = [PersonNames(logins=("jd", "jd@example.org")), PersonNames(logins=("m", "max@example.org"))]
    assert match(students, people).pairs == {"jd": 0, "max": 1}


@pytest.mark.parametrize("name", ["Jane Doe", "doejane", "Doe, Jane", "jane_doe"])
def test_a_full_name_fits_in_the_order_of_speech_and_of_lists(name):
    matched = match({name: PersonNames(names=(name,))}, [PersonNames(names=("Doe, Jane",))])
    assert matched.pairs == {name: 0}
    assert matched.by_name == (name,)


def test_two_people_of_one_name_are_told_to_a_person():
    matched = match({"doejane": PersonNames(names=("doejane",))}, [PersonNames(names=("Doe, Jane",))] * 2)
    assert matched.pairs == {}
    assert matched.unclear == {"doejane": "more than one person fits"}


def test_one_person_is_not_given_to_two_students():
    students = {"jane": PersonNames(names=("Jane Doe",)), "doejane": PersonNames(names=("Doe, Jane",))}
    assert match(students, [PersonNames(names=("Jane Doe",))]).pairs == {}


def test_who_has_a_number_is_not_taken_by_a_name():
    students = {"a": PersonNames(ids=("1",), names=("Jane Doe",)), "b": PersonNames(names=("Jane Doe",))}
    matched = match(students, [PersonNames(ids=("1",), names=("Jane Doe",))])
    assert matched.pairs == {"a": 0}
    assert matched.unclear == {"b": "nobody there fits"}


def test_names_of_other_scripts_are_names():
    assert spellings("Łukasz Żak") == {"łukaszżak", "żakłukasz"}
    assert spellings("王小明") == {"王小明"}
    assert spellings("") == {""}


@pytest.mark.parametrize(
    ("person", "outcome"),
    [
        (PersonNames(ids=("canvas:7",), logins=("jd",)), {"jane": 0}),
        (PersonNames(ids=("canvas:8",), logins=("jd",)), "it came under number 7, and the person who fits has 8"),
        (PersonNames(ids=("canvas:7",), names=("Jane Doe",)), "nothing but the name says whose number 7 is"),
        (PersonNames(ids=("registry:7",), logins=("jd",)), {"jane": 0}),
    ],
)
def test_a_number_that_came_with_a_name_alone_needs_a_second_source(person, outcome):
    matched = match({"jane": PersonNames(logins=("jd",), names=("Jane Doe",), claimed=("canvas:7",))}, [person])
    if isinstance(outcome, str):
        assert (matched.pairs, matched.by_name) == ({}, ())
        assert outcome in matched.unclear["jane"]
    else:
        assert (matched.pairs, matched.unclear) == (outcome, {})


def test_who_is_found_by_an_address_without_a_number_to_compare_is_named():
    matched = match({"jane": PersonNames(logins=("jd",), claimed=("canvas:7",))}, [PersonNames(logins=("jd",))])
    assert (matched.pairs, matched.unsure) == ({"jane": 0}, ("jane",))


def test_who_waits_gets_nothing_and_takes_nobodys_place():
    students = {"jane": PersonNames(ids=("1",), waits="two of one name"), "max": PersonNames(ids=("2",))}
    matched = match(students, [PersonNames(ids=("1",)), PersonNames(ids=("2",))])
    assert (matched.pairs, matched.unclear) == ({"max": 1}, {"jane": "two of one name"})
