"""Compiles nbformat's schemas as it is imported, in the template that examiners are forked from."""

from __future__ import annotations

from autograder.nbformats import compile_schemas

compile_schemas()
