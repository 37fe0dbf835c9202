"""Code that extensions bring into the student's process: the folder ``kernel_side`` beside their checks and models.

The sandbox shows it to the agent, in a folder ``extensions``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder._util import registry

FOLDER = "kernel_side"


def name_in_kernel(module: str) -> str:
    """Return the name of an extension's module below the agent's ``extensions``, whatever package it comes in."""
    return module.removeprefix("autograder.extensions.")


def question_in_kernel(function: Callable[..., Any]) -> str:
    """Return the question that a function of a folder ``kernel_side`` answers in the student's process."""
    return f"{name_in_kernel(function.__module__)}:{function.__name__}"


def folders() -> dict[str, Path]:
    """List what the agent shows of extensions, as path below its ``extensions`` → folder on this machine."""
    folders_by_path = {}
    registered = [(group, name) for group in (registry.CHECKS, registry.MODELS) for name in registry.names(group)]
    for group, name in registered:
        package, file = registry.package(group, name), registry.source(group, name)
        if package and file is not None and (folder := file.parent / FOLDER).is_dir():
            folders_by_path[f"{name_in_kernel(package).replace('.', '/')}/{FOLDER}"] = folder
    return folders_by_path


def claim_of(library: str) -> Callable[..., Any] | None:
    """Return what describes a library's model in the student's process; None if no extension registers the library.

    Raises:
        ImportError: the extension has no such folder.
        AttributeError: the folder has no function ``claim``.
    """
    if library not in registry.names(registry.MODELS):
        return None
    claim: Callable[..., Any] = importlib.import_module(f"{registry.package(registry.MODELS, library)}.{FOLDER}").claim
    return claim
