"""Compiles nbformat's schemas as it is imported: once in the server that grading processes are forked from, and not in
each of them."""

from __future__ import annotations

import autograder.nbformats  # noqa: F401 - before anything else imports nbformat


def _compile() -> None:
    from nbformat.validator import get_validator

    for minor in (4, 5):  # as today's tools write notebooks
        get_validator(4, minor, relax_add_props=True)


_compile()
