"""The course as course.yaml says it, with the rules that no type expresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any, cast

import yaml

from autograder._util import registry
from autograder._util.time_zones import time_zone
from autograder._util.yaml_record import ZONE, parse, suggest
from autograder.course.assignment_settings import check_general, read_assignment
from autograder.course.course_yaml import COURSE_FILE, READER, check_known, check_name, read_record, read_value
from autograder.course.extension_keys import read_extension_keys
from autograder.records.course import Assignment, Course, Engine, Examine
from autograder.records.dates import Extension
from autograder.records.limits import Limits
from autograder.records.policies import Group, LateDays, Totals

ROUNDINGS = ("day", "hour", "exact")


@dataclass(frozen=True, slots=True)
class TopKeys:
    """Keys at the top level of course.yaml."""

    course: str
    title: str
    timezone: str
    limits: Limits
    sandbox: str
    student: str
    decimals: int
    training: str
    examine: Examine
    engine: Engine
    late_days: LateDays
    groups: Mapping[str, Group]
    totals: Totals
    extensions: tuple[Extension, ...]
    assignments: Mapping[str, Assignment]


def read_course_file(root: Path, file: Path) -> Course:
    """Read a course.yaml of the course in the folder ``root``.

    Raises:
        CourseError: it cannot be read, or something is wrong in it; the message names file and line.
    """
    node = parse(file)
    keys = READER.fields(node, "the course", TopKeys, more=registry.names(registry.COURSE_KEYS))
    if "course" not in keys:
        raise READER.error(node, "the key 'course' (the course's id) is missing")
    course_id = read_value(keys, "course", "")
    check_name(keys["course"], course_id, "the course's id")
    zone = _zone(keys)
    before = ZONE.set(zone)
    try:
        return replace(_course(root, course_id, keys), zone=zone)
    finally:
        ZONE.reset(before)


def _zone(keys: Mapping[str, yaml.Node]) -> tzinfo | None:
    try:
        return time_zone(read_value(keys, "timezone", "")) if "timezone" in keys else None
    except ValueError as error:
        raise READER.error(keys["timezone"], str(error)) from None


def _course(root: Path, course_id: str, keys: Mapping[str, yaml.Node]) -> Course:
    title = READER.value(keys["title"], str | None, "title") if "title" in keys else None
    settings = read_extension_keys(keys, registry.COURSE_KEYS, "", {})
    general = _general(keys, settings)
    listed = READER.pairs(keys["assignments"], "'assignments'") if "assignments" in keys else {}
    assignments = {name: read_assignment(root, key, name, value, general) for name, (key, value) in listed.items()}
    _check_carried(listed, assignments)
    engine = _engine(keys["engine"]) if "engine" in keys else Engine()
    late_days = read_record(keys, "late_days", LateDays())
    if "late_days" in keys:
        message = f"late days cannot be rounded to {late_days.round!r}"
        check_known(keys["late_days"], late_days.round, ROUNDINGS, message)
    totals = read_record(keys, "totals", Totals())
    return Course(
        root,
        course_id,
        title or course_id,
        assignments,
        engine=engine,
        settings=settings,
        late_days=late_days,
        groups=_groups(keys, assignments, totals),
        totals=totals,
        extensions=tuple(map(_extension, READER.items(keys["extensions"], "extensions")))
        if "extensions" in keys
        else (),
    )


def _general(keys: Mapping[str, yaml.Node], settings: Mapping[str, Any]) -> Assignment:
    """Read the settings of the course for all of its assignments."""
    shared = registry.names(registry.ASSIGNMENT_KEYS)
    plain = Assignment("", "")
    general = replace(
        plain,
        limits=read_record(keys, "limits", plain.limits),
        sandbox=read_value(keys, "sandbox", plain.sandbox),
        student=read_value(keys, "student", plain.student),
        decimals=read_value(keys, "decimals", plain.decimals),
        training=read_value(keys, "training", plain.training),
        examine=read_record(keys, "examine", plain.examine),
        settings={name: value for name, value in settings.items() if name in shared},
    )
    check_general(keys, "the course", general)
    if general.examine.kernel or general.examine.allow:
        raise READER.error(keys["examine"], "ids of test cells belong into 'examine' of an assignment")
    return general


def _check_carried(listed: Mapping[str, tuple[yaml.Node, yaml.Node]], assignments: Mapping[str, Assignment]) -> None:
    """Refuse answer files that go on from an assignment that does not stand before this one."""
    before: list[str] = []
    for name, assignment in assignments.items():
        if wrong := next((earlier for earlier in assignment.carried if earlier not in before), None):
            message = f"'carried' of assignment {name!r} names {wrong!r}, which is not listed before it"
            raise READER.error(listed[name][0], f"{message}{suggest(wrong, before)}")
        before.append(name)


def _groups(
    keys: Mapping[str, yaml.Node], assignments: Mapping[str, Assignment], totals: Totals
) -> Mapping[str, Group]:
    """Read the groups of assignments; with groups, each assignment belongs to one."""
    listed = READER.pairs(keys["groups"], "'groups'") if "groups" in keys else {}
    groups = {
        name: cast(Group, READER.record(value, f"group {name!r}", Group())) for name, (_, value) in listed.items()
    }
    if "groups" in keys and totals.drop:
        raise READER.error(keys["totals"], "in a course with groups, each group says how many to drop")
    if "groups" in keys:
        for assignment in assignments.values():
            if assignment.group not in groups:
                near = suggest(assignment.group, groups) or f"; groups: {', '.join(groups) or 'none'}"
                fault = (
                    f"there is no group {assignment.group!r}{near}" if assignment.group else f"it names no group{near}"
                )
                raise READER.error(keys["assignments"], f"assignment {assignment.name!r}: {fault}")
    grouped = next((one for one in assignments.values() if one.group), None)
    if grouped is not None and not groups:
        raise READER.error(keys["assignments"], f"assignment {grouped.name!r} names a group; list it in 'groups'")
    return groups


def _extension(node: yaml.Node) -> Extension:
    """Read one extension; whom it may name is checked with the roster."""
    extension = cast(Extension, READER.record(node, "an extension", Extension(), fixed=["place"]))
    return replace(extension, place=f"{COURSE_FILE}:{node.start_mark.line + 1}")


def _engine(node: yaml.Node) -> Engine:
    """Read the engine; a scheduler without a kind means dask."""
    result = cast(Engine, READER.record(node, "'engine'", Engine()))
    if result.scheduler is not None and result.kind == "local":
        if isinstance(node, yaml.MappingNode) and "kind" in READER.pairs(node, "'engine'"):
            raise READER.error(node, "'scheduler' is set in 'engine', but kind is 'local'; kind: dask?")
        result = replace(result, kind="dask")
    engines = ("local", *registry.names(registry.EXECUTORS))
    if absent := registry.absence(result.kind, registry.EXECUTORS):
        raise READER.error(node, f"the engine {result.kind} {absent}")
    check_known(node, result.kind, engines, f"unknown engine {result.kind!r}")
    if result.kind == "dask" and result.scheduler is None:
        raise READER.error(node, "kind: dask in 'engine' needs scheduler, its address (tls://host:8786)")
    if (result.cert is None) != (result.key is None):
        raise READER.error(node, "'cert' and 'key' in 'engine' go together; name both or neither")
    return result
