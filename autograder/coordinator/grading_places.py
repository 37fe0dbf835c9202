"""Places for grading that the services of one process share."""

from __future__ import annotations

import threading
from collections.abc import Callable


class GradingPlaces:
    """Places of services, given in the order in which they were asked for. It is thread-safe.

    A service without a place gets one even where all are taken, so that an endless answer to one assignment holds up no
    other. Only where one submission runs at a time, because no limits hold for several, it waits.
    """

    def __init__(self) -> None:
        self._taken = 0
        self._waiting: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def take(self, wake_up: Callable[[], None], places_had: int, places: int, *, one_at_a_time: bool) -> bool:
        """Take a place; tell whether there was one.

        Args:
            wake_up: the service's, called when it may be its turn.
            places_had: places that the service has.
            places: submissions that may run at a time, of all services.
            one_at_a_time: whether never more than one may.
        """
        with self._lock:
            is_turn = self._waiting[:1] in ([], [wake_up])
            is_free = self._taken < (1 if one_at_a_time else places)
            is_taken = (is_turn and is_free) or (places_had == 0 and not one_at_a_time)
            if not is_taken and wake_up not in self._waiting:
                self._waiting.append(wake_up)
            self._taken += is_taken
        if is_taken:
            self.withdraw(wake_up)
        return is_taken

    def give_back(self, number: int = 1) -> None:
        """Give places back."""
        with self._lock:
            self._taken -= number
        self._wake_all()

    def withdraw(self, wake_up: Callable[[], None]) -> None:
        """Wait for no place any longer."""
        with self._lock:
            if wake_up not in self._waiting:
                return
            self._waiting.remove(wake_up)
        self._wake_all()

    def _wake_all(self) -> None:
        with self._lock:
            waiting = list(self._waiting)
        for wake_up in waiting:
            wake_up()
