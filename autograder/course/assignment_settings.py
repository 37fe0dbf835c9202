"""One assignment of course.yaml, with the rules for what its settings may say together."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path, PurePosixPath
from typing import cast

import yaml

from autograder._util import registry
from autograder.course.assignment_files import check_files, check_prepare
from autograder.course.course_yaml import READER, check_known, check_name
from autograder.course.extension_keys import read_extension_keys
from autograder.course.late_policy import check_plugin
from autograder.course.paths import inside
from autograder.course.sandboxes import sandboxes
from autograder.records.course import REMOVED_SANDBOXES, TRAINING, Assignment
from autograder.records.policies import Curve
from autograder.records.weights import TrainedWeights

LATE_KINDS = ("none", "zero", "per_day", "plugin")
STUDENT_KITS = ("installed", "bundle")
PLACES = ("outside", "kernel")
SHOWN_BEFORE_DUE = ("nothing", "passed", "score", "all")
COUNTING = ("last", "last_before_due", "best")
CURVES = ("none", "add", "factor", "sqrt", "best")


def read_assignment(root: Path, key: yaml.Node, name: str, node: yaml.Node, general: Assignment) -> Assignment:
    """Read one assignment; ``general`` holds the settings of the course for all of them."""
    section = f"assignment {name!r}"
    source = _source(root, key, name, section)
    default = replace(general, name=name, title=name)
    registered, fixed = registry.names(registry.ASSIGNMENT_KEYS), ("name", "settings")
    result = cast(Assignment, READER.record(node, section, default, fixed, registered))
    keys = READER.fields(node, section, Assignment, fixed, registered)
    settings = read_extension_keys(keys, registry.ASSIGNMENT_KEYS, section, general.settings)
    result = replace(result, settings=settings)
    if "late" in keys and result.late.plugin is not None and result.late.kind == "none":
        result = replace(result, late=replace(result.late, kind="plugin"))
    _check_dates(keys, section, result)
    if "attempts" in keys:
        _check_attempts(keys["attempts"], section, result)
    if "shown" in keys:
        _check_shown(keys["shown"], section, result)
    if "curve" in keys:
        _check_curve(keys["curve"], section, result.curve)
    if "late" in keys:
        _check_late(root, keys["late"], section, result)
    if "weights" in keys:
        _check_weights(keys["weights"], section, result.weights)
    is_prepared = result.prepare is not None
    if "files" in keys:
        check_files(root, keys["files"], section, root, hidden=False, may_be_made=is_prepared)
    if "hidden" in keys:
        check_files(root, keys["hidden"], section, source / "hidden", hidden=True, may_be_made=is_prepared)
    check_general(keys, section, result)
    if is_prepared:
        check_prepare(root, keys["prepare"], section, result, source)
    return result


def check_general(keys: Mapping[str, yaml.Node], section: str, result: Assignment) -> None:
    """Check what the course may set for all assignments: sandbox, training, places of tests, students' package."""
    if "sandbox" in keys:
        if result.sandbox in REMOVED_SANDBOXES:
            message = f"the sandbox {result.sandbox!r} was removed; use bubblewrap, whose walls are the same, or gvisor"
            raise READER.error(keys["sandbox"], message)
        if absent := registry.absence(result.sandbox, registry.SANDBOXES):
            raise READER.error(keys["sandbox"], f"the sandbox {result.sandbox} {absent}")
        check_known(keys["sandbox"], result.sandbox, sandboxes(), f"there is no sandbox {result.sandbox!r}")
    if "training" in keys:
        check_known(keys["training"], result.training, TRAINING, f"unknown training {result.training!r} in {section}")
    if "examine" in keys:
        setting = result.examine.where
        check_known(keys["examine"], setting, PLACES, f"tests cannot be examined in {setting!r}")
    if "student" in keys:
        check_known(keys["student"], result.student, STUDENT_KITS, f"unknown student {result.student!r}")


def _source(root: Path, key: yaml.Node, name: str, section: str) -> Path:
    """Return the assignment's folder in source/, which must be there."""
    check_name(key, name, "the name of an assignment")
    try:
        source = inside(root, name, root / "source")
    except ValueError as error:
        raise READER.error(key, f"{section}: the folder source/{name} {error}") from None
    if not source.is_dir():
        raise READER.error(key, f"{section}: there is no folder source/{name}; {_instead(root, name)}")
    return source


def _instead(root: Path, name: str) -> str:
    """Say what a name without a folder was meant to be."""
    if name in {field.name for field in fields(Assignment)}:
        return f"{name!r} is a key of an assignment: indent it more than the assignment that it is for"
    folders = {f.name.casefold(): f.name for f in sorted((root / "source").glob("*")) if f.is_dir()}
    near = difflib.get_close_matches(name.casefold(), folders, n=1, cutoff=0.6)
    return f"did you mean {folders[near[0]]!r}?" if near else "make it, or remove the assignment"


def _check_dates(keys: Mapping[str, yaml.Node], section: str, result: Assignment) -> None:
    """Refuse dates in the wrong order."""
    dates = [(name, getattr(result, name)) for name in ("release", "due", "close") if getattr(result, name)]
    for (first, before), (second, after) in itertools.pairwise(dates):
        if before > after:
            raise READER.error(keys[second], f"{second!r} of {section} lies before {first!r}; put them in order")


def _check_attempts(node: yaml.Node, section: str, result: Assignment) -> None:
    """Refuse an unknown rule for attempts, or one that needs a due date where there is none."""
    counts = result.attempts.counts
    check_known(node, counts, COUNTING, f"unknown attempts {counts!r} in {section}")
    check_known(node, result.attempts.use, ("staff", "student"), f"unknown 'use' of 'attempts' in {section}")
    if counts == "last_before_due" and result.due is None:
        raise READER.error(node, f"{section} has no due date; add 'due'")


def _check_shown(node: yaml.Node, section: str, result: Assignment) -> None:
    """Refuse a rule for what students see that contradicts itself."""
    rule = result.shown
    check_known(node, rule.before_due, SHOWN_BEFORE_DUE, f"{section} cannot show {rule.before_due!r}")
    if rule.step and rule.before_due != "score":
        raise READER.error(node, f"'step' of 'shown' in {section} goes with before_due: score")
    if contradictory := set(rule.public) & set(rule.private):
        raise READER.error(node, f"{min(contradictory)!r} of {section} is both public and private")
    if rule.holds_back and result.due is None:
        raise READER.error(node, f"{section} holds results back and has no due date; add 'due'")


def _check_curve(node: yaml.Node, section: str, curve: Curve) -> None:
    """Refuse a curve whose keys contradict one another."""
    check_known(node, curve.kind, CURVES, f"unknown curve {curve.kind!r} in {section}")
    if (curve.points != 0) != (curve.kind == "add"):
        raise READER.error(node, f"'points' of the curve in {section} goes with kind: add, and kind: add with it")
    if (curve.factor != 1) != (curve.kind == "factor"):
        raise READER.error(node, f"'factor' of the curve in {section} goes with kind: factor, and the other way")


def _check_weights(node: yaml.Node, section: str, weights: TrainedWeights) -> None:
    """Refuse a file of weights that is not beside the notebook, or no name of a model."""
    name = PurePosixPath(weights.file)
    if name.name != weights.file or name.suffix != ".safetensors":
        raise READER.error(node, f"'weights' of {section} needs a file beside the notebook, such as model.safetensors")
    if not weights.into.isidentifier():
        raise READER.error(node, f"'into' of 'weights' in {section} is {weights.into!r}; give the name of the model")


def _check_late(root: Path, node: yaml.Node, section: str, result: Assignment) -> None:
    """Refuse a late policy whose keys contradict one another."""
    late = result.late
    check_known(node, late.kind, LATE_KINDS, f"unknown late policy {late.kind!r} in {section}")
    if late.per_day and late.kind != "per_day":
        raise READER.error(node, f"'per_day' is set in {section}, but kind is {late.kind!r}; kind: per_day?")
    if late.kind == "per_day" and not late.per_day:
        raise READER.error(node, f"kind: per_day in {section} needs per_day, the share lost a day (0.1: 10 %)")
    if late.plugin is not None and late.kind != "plugin":
        raise READER.error(node, f"'plugin' is set in {section}, but kind is {late.kind!r}; leave kind out")
    if late.kind == "plugin" and late.plugin is None:
        raise READER.error(node, f"kind: plugin in {section} needs plugin, a class of the course (late.py:Policy)")
    if late.kind != "none" and result.due is None:
        raise READER.error(node, f"{section} has a late policy but no due date; add 'due'")
    if late.plugin is not None:
        try:
            check_plugin(root, late.plugin)
        except ValueError as error:
            raise READER.error(node, f"the late policy of {section}: {error}") from None
