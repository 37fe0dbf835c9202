"""What installed packages register with the kit: entry points of the groups ``autograder.…``.

The kit's own extensions register in the same way. Names are read from the metadata of installed packages; an
extension's module is imported when its name is used.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from autograder._util.libraries import version, with_extra
from autograder.errors import HostError

DISTRIBUTION = "nbexaminer"
COMMANDS = "autograder.commands"
"""Subcommand → a ``click.Command``, in a module that imports nothing heavy: ``--help`` imports it."""
SANDBOXES = "autograder.sandboxes"
"""Name of a sandbox → what makes an :class:`~autograder.sandbox.Sandbox` for an interpreter's path, or for None."""
EXECUTORS = "autograder.executors"
"""Kind of ``engine`` in course.yaml → what makes a batch's :data:`~autograder.coordinator.batch.Execute`."""
GRADING_MODES = "autograder.grading_modes"
"""Option of ``autograder grade`` → the function that runs in place of a batch: ``watch``."""
FORMATS = "autograder.formats"
"""Name of a format of source notebooks → a :class:`~autograder.release.formats.SourceFormat`."""
MODELS = "autograder.models"
"""Name by which a library is imported → its :class:`~autograder._util.model_families.ModelFamily`."""
SYSTEMS = "autograder.systems"
"""Name of a learning system → an :class:`~autograder.extensions.lms.systems.SystemKind`."""
SOURCES = "autograder.sources"
"""Name of a layout of `autograder collect` → a :data:`~autograder.submissions.registered_sources.FindItems`."""
SECTIONS = "autograder.sections"
"""Name of a section of the class report → a :data:`~autograder.results.report.sections.WriteSection`."""
CHECKS = "autograder.checks"
"""Word of ``check`` → the function, see :mod:`autograder._util.kernel_side` for what it brings along."""
PROPERTIES = "autograder.properties"
"""Name of a property that ``check.loss`` can ask for → what makes an :data:`~autograder.check.properties.Property`."""
DIAGNOSES = "autograder.diagnoses"
"""Name → an :data:`~autograder.check.diagnosis_requests.Answer` to a test that asks what holds a model back."""
NOTEBOOK_SECTIONS = "autograder.notebook_sections"
"""Name of a section of the feedback page → a :data:`~autograder.results.report.sections.WriteNotebookSection`."""
GRADEBOOKS = "autograder.gradebooks"
"""``nbgrader`` → a :class:`~autograder.results.gradebook.Gradebook`."""
OLD_NAMES = "autograder.old_names"
"""Old name of a library → a package that puts its folder, where such a library lies, at the end of the path."""
TEST_FILES = "autograder.test_files"
"""``pytest`` → the function that puts the tests of test files into exams, see :mod:`autograder.release.build`."""
STAFF_PAGES = "autograder.staff_pages"
"""Name of pages at a door for its staff → a class of :class:`~autograder.results.staff_pages.StaffPages`."""
COURSE_KEYS, ASSIGNMENT_KEYS = "autograder.course_keys", "autograder.assignment_keys"
"""Key of course.yaml, at its top or of an assignment → an :class:`~autograder.course.extension_keys.ExtensionKey`."""

_EXTRAS: Mapping[str, Mapping[str, str]] = {
    COMMANDS: {
        "attempts": "serve",
        "audit": "trust",
        "bundle": "trust",
        "calibrate": "trust",
        "export": "export",
        "artemis": "platforms",
        "gradescope": "platforms",
        "import": "authoring",
        "import-otter": "otter",
        "init": "authoring",
        "lint": "authoring",
        "new": "authoring",
        "people": "people",
        "post": "lms",
        "prairielearn": "platforms",
        "questions": "insight",
        "replay": "trust",
        "review": "review",
        "schema": "authoring",
        "similar": "insight",
        "serve": "serve",
        "why": "diagnosis",
    },
    SANDBOXES: {"gvisor": "walls", "user": "walls"},
    EXECUTORS: {"dask": "cluster"},
    GRADING_MODES: {"watch": "watch"},
    FORMATS: {"otter": "otter"},
    MODELS: {"keras": "keras", "sklearn": "sklearn", "torch": "pytorch"},
    SYSTEMS: {"blackboard": "lms", "brightspace": "lms", "canvas": "lms", "lti": "serve", "moodle": "lms"},
    SOURCES: {"git": "sources", "gradescope": "sources"},
    SECTIONS: {"diagnosis": "diagnosis", "questions": "insight"},
    CHECKS: {
        "accuracy": "networks",
        "any_of": "networks",
        "architecture": "networks",
        "at_least": "networks",
        "at_most": "networks",
        "backends": "backends",
        "between": "networks",
        "causal": "sequences",
        "compiled": "networks",
        "computes": "computes",
        "curve": "training_steps",
        "dense": "networks",
        "diagnose": "networks",
        "events": "tensorboard",
        "layer": "networks",
        "loss": "networks",
        "on_backend": "backends",
        "optimizer": "training_steps",
        "optional": "networks",
        "parameters": "networks",
        "repeat": "networks",
        "retrained": "networks",
        "training_step": "training_steps",
    },
    PROPERTIES: {"causal": "sequences"},
    DIAGNOSES: {"counterfactuals": "diagnosis"},
    NOTEBOOK_SECTIONS: {"diagnosis": "diagnosis", "mistakes": "diagnosis"},
    STAFF_PAGES: {"review": "review"},
    COURSE_KEYS: {
        "audit": "trust",
        "diagnosis": "diagnosis",
        "diagnosis_links": "diagnosis",
        "diagnosis_seconds": "diagnosis",
        "learning_system": "lms",
        "serve": "serve",
    },
    ASSIGNMENT_KEYS: {
        "audit": "trust",
        "diagnosis": "diagnosis",
        "diagnosis_links": "diagnosis",
        "diagnosis_seconds": "diagnosis",
        "posted_to": "lms",
    },
    GRADEBOOKS: {"nbgrader": "gradebook"},
    OLD_NAMES: {"nose": "old_names", "theano": "old_names"},
    TEST_FILES: {"pytest": "pytest_files"},
}
"""Group → name that one of the kit's own extensions registers → the extra that installs the extension."""


def names(group: str) -> list[str]:
    """List the registered names of a group in alphabetical order; nothing is imported."""
    return sorted(_registered(group))


def is_own(group: str, name: str) -> bool:
    """Tell whether one of the kit's own extensions registers a name."""
    return name in _EXTRAS.get(group, {})


def own_extensions(group: str) -> list[str]:
    """List the kit's own extensions that register in a group and are installed."""
    return sorted({extension for name, extension in _EXTRAS[group].items() if name in _registered(group)})


def location(group: str, name: str) -> tuple[str, str]:
    """Return the module and the attribute of what is registered under a name; nothing is imported."""
    entry = _registered(group)[name]
    return entry.module, entry.attr


def package(group: str, name: str) -> str:
    """Return the package of the module in which something is registered; empty for a module in none."""
    return location(group, name)[0].rpartition(".")[0]


def source(group: str, name: str) -> Path | None:
    """Return the file of the module in which something is registered, without importing it; None if there is none."""
    try:
        spec = importlib.util.find_spec(location(group, name)[0])
    except Exception:  # the package that holds the module is imported, and may raise anything
        return None
    path = Path(spec.origin or "") if spec is not None else Path()
    return path if path.suffix == ".py" else None


def load(group: str, name: str) -> Any:
    """Import what is registered under a name.

    Raises:
        HostError: nothing is, or it cannot be imported; the message names the package that registers it.
    """
    entry = _registered(group).get(name)
    if entry is None:
        absent = absence(name, group)
        raise HostError(f"{name!r} {absent}" if absent else f"no installed package registers {name!r} in {group}")
    try:
        return entry.load()
    except Exception as error:  # an extension's module may raise anything
        package = entry.dist.name if entry.dist else entry.value
        raise HostError(
            f"{name!r} of the package {package} cannot be loaded: {type(error).__name__}: {error}"
        ) from error


def absence(name: str, *groups: str) -> str:
    """Say what to install for a name that one of the kit's own extensions registers in one of the groups.

    Returns:
        What follows the name in a message; empty where the name is registered, or belongs to no extension of the kit.
    """
    extras = {extra for group in groups if (extra := _EXTRAS.get(group, {}).get(name))}
    if not extras or any(name in _registered(group) for group in groups):
        return ""
    (extra,) = extras
    return f"needs the extension {extra}, which is not installed: {with_extra(extra)}"


def forget() -> None:
    """Read the metadata again at the next question: packages were installed."""
    _registered.cache_clear()
    _installed.cache_clear()


@functools.cache
def _registered(group: str) -> Mapping[str, EntryPoint]:
    """Read a group; where two packages register one name, the kit's own wins, then the first by module."""
    entries = [*_installed().select(group=group), *_without_metadata(group)]
    entries.sort(key=lambda entry: (not entry.value.startswith("autograder."), entry.value))
    return {entry.name: entry for entry in reversed(entries)}


@functools.cache
def _installed() -> Any:
    """Read the metadata of all packages once; they take some hundredths of a second."""
    return entry_points()


def _without_metadata(group: str) -> list[EntryPoint]:
    """List the kit's own checks, families and old names if it lies beside a notebook, without metadata."""
    if group not in _BESIDE_NOTEBOOKS or version(DISTRIBUTION) is not None:
        return []
    return [
        EntryPoint(word, f"autograder.extensions.{extension}.{_beside_notebook(group, word, extension)}", group)
        for word, extension in _EXTRAS[group].items()
    ]


def _beside_notebook(group: str, word: str, extension: str) -> str:
    return _BESIDE_NOTEBOOKS[group].format(word=word, extension=extension, module=_MODULES.get(word, word))


_BESIDE_NOTEBOOKS = {CHECKS: "{module}:{word}", MODELS: "{extension}_family:FAMILY", OLD_NAMES: "aliases"}
"""Group that a student's notebook uses → where an extension has what it registers there under a name."""
_MODULES = {
    "accuracy": "holdout",
    "compiled": "compile_settings",
    "diagnose": "diagnosing",
    "loss": "holdout",
    "retrained": "retraining",
    **dict.fromkeys(("any_of", "at_least", "at_most", "between", "dense", "layer", "optional", "repeat"), "pattern"),
}
"""Word of ``check`` → the module that defines it, if the module has another name."""
