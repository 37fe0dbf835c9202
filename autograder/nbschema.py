"""Compiles nbformat's schemas as it is imported: once in the server that grading processes are forked from, and not in
each of them."""

from __future__ import annotations

import autograder.nbformats  # noqa: F401 - before anything else imports nbformat


def _compile() -> None:
    from nbformat import v4, validate

    validate(v4.new_notebook(cells=[v4.new_code_cell(), v4.new_markdown_cell()]))


_compile()
