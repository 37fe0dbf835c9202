"""Places that services share: each service has one at once, and all others go by turns."""

from __future__ import annotations

from functools import partial

from autograder.coordinator.grading_places import GradingPlaces


class Service:
    """A service that notes how often it was woken up."""

    def __init__(self, shared: GradingPlaces, *, one_at_a_time: bool = False) -> None:
        self.own = self.woken = 0
        self.shared = shared
        self._take = partial(shared.take, self.wake_up, places=2, one_at_a_time=one_at_a_time)

    def wake_up(self) -> None:
        self.woken += 1

    def take(self) -> bool:
        is_taken = self._take(places_had=self.own)
        self.own += is_taken
        return is_taken

    def give_back(self) -> None:
        self.own -= 1
        self.shared.give_back()


def test_a_service_alone_has_all_places_and_no_more() -> None:
    service = Service(GradingPlaces())
    assert [service.take() for _ in range(3)] == [True, True, False]


def test_a_service_without_a_place_gets_one_though_all_are_taken() -> None:
    places = GradingPlaces()
    busy, new = Service(places), Service(places)
    assert [busy.take(), busy.take(), new.take(), new.take()] == [True, True, True, False]


def test_a_free_place_is_for_the_service_that_waited_longest() -> None:
    places = GradingPlaces()
    first, second = Service(places), Service(places)
    assert [first.take(), second.take(), second.take(), first.take()] == [True, True, False, False]
    first.give_back()
    assert second.woken == 1
    assert second.take()


def test_a_service_that_waits_no_longer_lets_the_next_have_its_turn() -> None:
    places = GradingPlaces()
    first, second = Service(places), Service(places)
    assert [first.take(), second.take(), second.take(), first.take()] == [True, True, False, False]
    second.give_back()
    places.withdraw(second.wake_up)
    assert first.woken == 2
    assert first.take()


def test_where_one_runs_at_a_time_services_take_turns() -> None:
    places = GradingPlaces()
    first, second = (Service(places, one_at_a_time=True) for _ in range(2))
    assert [first.take(), second.take(), first.take()] == [True, False, False]
    first.give_back()
    assert [first.take(), second.take(), first.take()] == [False, True, False]
    second.give_back()
    assert first.take()
