"""One assignment of course.yaml, with the rules for what its settings may say together."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import yaml

from autograder.course.assignment_files import check_files, check_prepare
from autograder.course.course_yaml import READER, check_known, check_name
from autograder.course.late_policy import check_plugin
from autograder.course.paths import inside
from autograder.records.course import REMOVED_SANDBOXES, SANDBOXES, TRAINING, Assignment
from autograder.records.policies import Curve

LATE_KINDS = ("none", "zero", "per_day", "plugin")
STUDENT_KITS = ("installed", "bundle")
PLACES = ("outside", "kernel")
SHOWN = ("nothing", "passed", "score", "all")
COUNTING = ("last", "last_before_due", "best")
CURVES = ("none", "add", "factor", "sqrt", "best")


def read_assignment(root: Path, key: yaml.Node, name: str, node: yaml.Node, general: Assignment) -> Assignment:
    """Read one assignment; ``general`` holds the settings of the course for all of them."""
    where = f"assignment {name!r}"
    source = _source(root, key, name, where)
    default = replace(general, name=name, title=name)
    result = cast(Assignment, READER.record(node, where, default, fixed=["name"]))
    keys = READER.fields(node, where, Assignment, fixed=["name"])
    if "late" in keys and result.late.plugin is not None and result.late.kind == "none":
        result = replace(result, late=replace(result.late, kind="plugin"))
    _check_dates(keys, where, result)
    if "attempts" in keys:
        _check_attempts(keys["attempts"], where, result)
    if "shown" in keys:
        _check_shown(keys["shown"], where, result)
    if "curve" in keys:
        _check_curve(keys["curve"], where, result.curve)
    if "late" in keys:
        _check_late(root, keys["late"], where, result)
    made = result.prepare is not None
    if "files" in keys:
        check_files(root, keys["files"], where, root, hidden=False, made=made)
    if "hidden" in keys:
        check_files(root, keys["hidden"], where, source / "hidden", hidden=True, made=made)
    check_general(keys, where, result)
    if made:
        check_prepare(root, keys["prepare"], where, result, source)
    return result


def check_general(keys: Mapping[str, yaml.Node], where: str, result: Assignment) -> None:
    """Check what the course may set for all assignments: sandbox, training, places of tests, students' package."""
    if "sandbox" in keys:
        if result.sandbox in REMOVED_SANDBOXES:
            said = f"the sandbox {result.sandbox!r} was removed; use bubblewrap, whose walls are the same, or gvisor"
            raise READER.error(keys["sandbox"], said)
        check_known(keys["sandbox"], result.sandbox, SANDBOXES, f"there is no sandbox {result.sandbox!r}")
    if "training" in keys:
        check_known(keys["training"], result.training, TRAINING, f"unknown training {result.training!r} in {where}")
    if "examine" in keys:
        place = result.examine.where
        check_known(keys["examine"], place, PLACES, f"tests cannot be examined in {place!r}")
    if "student" in keys:
        check_known(keys["student"], result.student, STUDENT_KITS, f"unknown student {result.student!r}")


def _source(root: Path, key: yaml.Node, name: str, where: str) -> Path:
    """Return the assignment's folder in source/, which must be there."""
    check_name(key, name, "the name of an assignment")
    try:
        source = inside(root, name, root / "source")
    except ValueError as error:
        raise READER.error(key, f"{where}: the folder source/{name} {error}") from None
    if not source.is_dir():
        todo = "make it, or remove the assignment"
        raise READER.error(key, f"{where}: there is no folder source/{name}; {todo}")
    return source


def _check_dates(keys: Mapping[str, yaml.Node], where: str, result: Assignment) -> None:
    """Refuse dates in the wrong order."""
    dates = [(name, getattr(result, name)) for name in ("release", "due", "close") if getattr(result, name)]
    for (first, before), (second, after) in itertools.pairwise(dates):
        if before > after:
            raise READER.error(keys[second], f"{second!r} of {where} lies before {first!r}; put them in order")


def _check_attempts(node: yaml.Node, where: str, result: Assignment) -> None:
    """Refuse an unknown rule for attempts, or one that needs a due date where there is none."""
    counts = result.attempts.counts
    check_known(node, counts, COUNTING, f"unknown attempts {counts!r} in {where}")
    if counts == "last_before_due" and result.due is None:
        raise READER.error(node, f"{where} has no due date; add 'due'")


def _check_shown(node: yaml.Node, where: str, result: Assignment) -> None:
    """Refuse a rule for what students see that contradicts itself."""
    shown = result.shown
    check_known(node, shown.before_due, SHOWN, f"{where} cannot show {shown.before_due!r}")
    if shown.step and shown.before_due != "score":
        raise READER.error(node, f"'step' of 'shown' in {where} goes with before_due: score")
    if both := set(shown.public) & set(shown.private):
        raise READER.error(node, f"{min(both)!r} of {where} is both public and private")
    if shown.holds_back and result.due is None:
        raise READER.error(node, f"{where} holds results back and has no due date; add 'due'")


def _check_curve(node: yaml.Node, where: str, curve: Curve) -> None:
    """Refuse a curve whose keys contradict one another."""
    check_known(node, curve.kind, CURVES, f"unknown curve {curve.kind!r} in {where}")
    if (curve.points != 0) != (curve.kind == "add"):
        raise READER.error(node, f"'points' of the curve in {where} goes with kind: add, and kind: add with it")
    if (curve.factor != 1) != (curve.kind == "factor"):
        raise READER.error(node, f"'factor' of the curve in {where} goes with kind: factor, and the other way")


def _check_late(root: Path, node: yaml.Node, where: str, result: Assignment) -> None:
    """Refuse a late policy whose keys contradict one another."""
    late = result.late
    check_known(node, late.kind, LATE_KINDS, f"unknown late policy {late.kind!r} in {where}")
    if late.per_day and late.kind != "per_day":
        raise READER.error(node, f"'per_day' is set in {where}, but kind is {late.kind!r}; kind: per_day?")
    if late.kind == "per_day" and not late.per_day:
        raise READER.error(node, f"kind: per_day in {where} needs per_day, the share lost a day (0.1: 10 %)")
    if late.plugin is not None and late.kind != "plugin":
        raise READER.error(node, f"'plugin' is set in {where}, but kind is {late.kind!r}; leave kind out")
    if late.kind == "plugin" and late.plugin is None:
        raise READER.error(node, f"kind: plugin in {where} needs plugin, a class of the course (late.py:Policy)")
    if late.kind != "none" and result.due is None:
        raise READER.error(node, f"{where} has a late policy but no due date; add 'due'")
    if late.plugin is not None:
        try:
            check_plugin(root, late.plugin)
        except ValueError as error:
            raise READER.error(node, f"the late policy of {where}: {error}") from None
