"""Words of ``check`` that extensions register: where they are defined, and what they need beside the student's code."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from autograder._util import registry

KERNEL_SIDE = "kernel_side"
"""Folder beside a check's module that the sandbox shows to the student's process."""


def source(word: str) -> tuple[Path, str] | None:
    """Return the file and the function of a registered word without importing them; None if there is no such file."""
    module, function = registry.location(registry.CHECKS, word)
    try:
        spec = importlib.util.find_spec(module)
    except Exception:  # the package that holds the module is imported, and may raise anything
        return None
    path = Path(spec.origin or "") if spec is not None else Path()
    return (path, function) if path.suffix == ".py" else None


def name_in_kernel(module: str) -> str:
    """Return the name of an extension's module below the agent's ``extensions``, whatever package it comes in."""
    return module.removeprefix("autograder.extensions.")


def kernel_folders() -> dict[str, Path]:
    """List what the agent shows of extensions, as path below its ``extensions`` → folder on this machine."""
    folders = {}
    for word in registry.names(registry.CHECKS):
        package, _, _ = registry.location(registry.CHECKS, word)[0].rpartition(".")
        file = source(word) if package else None
        if file is not None and (folder := file[0].parent / KERNEL_SIDE).is_dir():
            folders[f"{name_in_kernel(package).replace('.', '/')}/{KERNEL_SIDE}"] = folder
    return folders
