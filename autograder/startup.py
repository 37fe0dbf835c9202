"""The beginning of a command: what takes long to import is imported once, lightly, and side by side."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.beside import Helper
    from autograder.records import Assignment, Course
    from autograder.release import Release


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Nothing that is imported is garbage, and so none is looked for meanwhile, nor among it later: a tenth of the
    time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def import_lightly() -> None:
    """Before anything else imports them."""
    import autograder.nbformats
    import autograder.nbgraders  # noqa: F401


def nbgraders_clerk() -> Helper:
    """The process that does what nbgrader is needed for: it imports that while this one imports the rest."""
    from autograder.beside import Helper

    return Helper(_import_nbgrader)


def _import_nbgrader() -> None:
    with importing():
        import_lightly()
        from autograder.nbgraders import import_gradebook, import_preprocessors

        import_gradebook()
        import_preprocessors()


def begin_release(course: Course, assignment: Assignment, clerk: Helper) -> Callable[[], Release]:
    """Begin to make the release; what is returned waits for it."""
    from functools import partial

    from autograder.prepare import check_prepared
    from autograder.stripping import strip_all

    check_prepared(course, assignment)
    stripping = clerk.begin(strip_all, course, assignment)
    from autograder.release import build

    return partial(build, course, assignment, stripping.result)
