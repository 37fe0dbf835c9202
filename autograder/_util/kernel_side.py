"""Code that extensions bring into the student's process: the folder ``kernel_side`` beside their checks and models.

The sandbox shows it to the agent, in a folder ``extensions``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


def modules_of_families(modules: Iterable[str]) -> list[str]:
    """List what a kernel that has imported these modules needs of extensions, as names below ``extensions``."""
    libraries = {module.partition(".")[0] for module in modules}
    needed = []
    for library, module in family_modules().items():
        file = registry.source(registry.MODELS, library)
        if library in libraries and file is not None:
            watches = (file.parent / FOLDER / "watch.py").is_file()
            folder = name_in_kernel(module).rpartition(".")[0]
            needed += [name_in_kernel(module), *([f"{folder}.watch"] if watches else [])]
    return needed


def family_modules() -> dict[str, str]:
    """List the modules that describe models in the process that they live in, by the library's name.

    In the order that a kernel finds them in: of two libraries that an object is of, the first one describes it.
    """
    libraries = registry.names(registry.MODELS)
    modules = {name: f"{registry.package(registry.MODELS, name)}.{FOLDER}.family_{name}" for name in libraries}
    return dict(sorted(modules.items(), key=lambda entry: entry[1]))
