"""Reader of the course on disk: from course.yaml, or from an nbgrader course as it stands, to frozen records.

The records themselves (:mod:`autograder.records`) say which keys course.yaml may have, and of which type. Stated here
are only ranges, and rules that no type expresses.
"""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import cast

import yaml

from autograder._util.yaml_record import Reader, parse, suggest
from autograder.course.late_policy import check_plugin
from autograder.course.nbgrader_config import NBGRADER_CONFIG, options_without_effect, read_nbgrader_config
from autograder.course.nbgrader_course import nbgrader_course
from autograder.course.paths import inside, is_hidden
from autograder.errors import UsageError
from autograder.records.course import (
    SANDBOXES,
    TRAINING,
    Assignment,
    AuditFloor,
    Course,
    Engine,
    Examine,
    LearningSystem,
)
from autograder.records.dates import Extension
from autograder.records.limits import Limits
from autograder.records.policies import Attempts, Curve, Group, LateDays, LatePolicy, Shown, Totals

COURSE_FILE = "course.yaml"
LATE_KINDS = ("none", "zero", "per_day", "plugin")
STUDENT_KITS = ("installed", "bundle")
ENGINES = ("local", "dask")
PLACES = ("outside", "kernel")
LEARNING_SYSTEMS = ("canvas", "moodle")
SHOWN = ("nothing", "passed", "score", "all")
COUNTING = ("last", "last_before_due", "best")
CURVES = ("none", "add", "factor", "sqrt", "best")
ROUNDINGS = ("day", "hour", "exact")

# Smallest and largest value: wide enough for any course, narrow enough to catch a wrong unit.
RANGES: Mapping[str, tuple[float, float]] = {
    "cell_seconds": (0.1, 86_400),
    "notebook_seconds": (0.1, 604_800),
    "memory_mib": (64, 4_194_304),
    "examiner_memory_mib": (512, 4_194_304),
    "processes": (8, 65_536),
    "disk_mib": (1, 4_194_304),
    "cpu_seconds": (1, 2_419_200),
    "output_mib": (0.01, 1024),
    "threads": (1, 256),
    "points": (0, 1_000_000),
    "decimals": (0, 6),
    "caught": (0, 1),
    "per_day": (0, 1),
    "drop": (0, 1000),
    "drop_questions": (0, 1000),
    "weight": (0, 1_000_000),
    "cap": (0, 1_000_000),
    "factor": (0, 1000),
    "step": (0, 1),
    "daily": (1, 1000),
    "total": (1, 100_000),
    "team_size": (1, 1000),
    "budget": (0, 366),
    "per_assignment": (0, 366),
    "late_days": (0, 366),
    "days": (0, 366),
    "grace_hours": (0, 8760),
    "patience_seconds": (1, 604_800),
}
_PRIVATE = frozenset(
    {
        *("submitted", "autograded", "feedback", "reports", "gradebook.db", "grades.csv", "totals.csv", ".autograder"),
        *("people.csv", "people.yaml", "extensions.csv", "teams.csv", "second-look"),
    }
)
_RESERVED = frozenset('/\\+{}:"*?<>|')


def load_course(root: Path) -> Course:
    """Read the course in the folder ``root``.

    With a course.yaml, that file decides. Without one, the folder is read as an nbgrader course: each folder in source/
    that holds a notebook is an assignment with default limits, due dates are those of gradebook.db, and course id and
    late policy are those of nbgrader_config.py (which is read, not run). Without a course id, the folder's name is
    used.

    Args:
        root: the course folder.

    Returns:
        The course with its assignments.

    Raises:
        UsageError: ``root`` is not a folder.
        CourseError: the course is wrong; the message names file and line.
        HostError: there is a gradebook.db that cannot be read, and no course.yaml.
    """
    root = Path(root).resolve()
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder")
    path = root / COURSE_FILE
    return _CourseFile(root).course(parse(path)) if path.exists() else nbgrader_course(root)


def assignment(course: Course, name: str) -> Assignment:
    """Return the assignment called ``name``.

    Raises:
        UsageError: there is none; the message suggests the nearest name.
    """
    if name in course.assignments:
        return course.assignments[name]
    known = ", ".join(course.assignments) or "none yet"
    near = suggest(name, course.assignments)
    raise UsageError(f"there is no assignment {name!r} in this course{near} (assignments: {known})")


def without_effect(root: Path) -> str:
    """Return one sentence that names the options of nbgrader_config.py without effect here; empty if there is none."""
    config = read_nbgrader_config(root)
    named = ", ".join(options_without_effect(config, course_file=(root / COURSE_FILE).exists()))
    return f"{NBGRADER_CONFIG}: without effect on a release or a grade here: {named}" if named else ""


def _among(name: str, known: Sequence[str]) -> str:
    """Return the nearest of the known values, or all of them, as the end of a message."""
    return suggest(name, known) or f"; it is one of {', '.join(known)}"


# --- course.yaml -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Top:
    """Keys at the top level of course.yaml."""

    course: str = ""
    title: str | None = None
    limits: Limits = field(default_factory=Limits)
    sandbox: str = SANDBOXES[0]
    student: str = STUDENT_KITS[0]
    decimals: int = 2
    training: str = TRAINING[0]
    examine: Examine = field(default_factory=Examine)
    audit: AuditFloor = field(default_factory=AuditFloor)
    engine: Engine = field(default_factory=Engine)
    learning_system: LearningSystem = field(default_factory=LearningSystem)
    late_days: LateDays = field(default_factory=LateDays)
    groups: Mapping[str, Group] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    extensions: tuple[Extension, ...] = ()
    assignments: Mapping[str, Assignment] = field(default_factory=dict)


class _CourseFile:
    """The rules of course.yaml that no type expresses."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.read = Reader(
            COURSE_FILE,
            RANGES,
            {
                LatePolicy: "kind",
                Engine: "kind",
                Examine: "where",
                Curve: "kind",
                Attempts: "counts",
                Shown: "before_due",
            },
        )

    def course(self, node: yaml.Node) -> Course:
        """Read the whole course from the top node."""
        keys = self.read.fields(node, "the course", _Top)
        if "course" not in keys:
            raise self.read.error(node, "the key 'course' (the course's id) is missing")
        course_id = self.read.value(keys["course"], str, "course")
        self.check_name(keys["course"], course_id, "the course's id")
        title = self.read.value(keys["title"], str | None, "title") if "title" in keys else None
        limits = self.read.record(keys["limits"], "'limits'", Limits()) if "limits" in keys else Limits()
        sandbox = SANDBOXES[0]
        if "sandbox" in keys:
            sandbox = self.read.value(keys["sandbox"], str, "sandbox")
            self.check_sandbox(keys["sandbox"], sandbox)
        student = STUDENT_KITS[0]
        if "student" in keys:
            student = self.read.value(keys["student"], str, "student")
            self.check_student(keys["student"], student)
        listed = self.read.pairs(keys["assignments"], "'assignments'") if "assignments" in keys else {}
        decimals = self.read.value(keys["decimals"], int, "decimals") if "decimals" in keys else 2
        training = TRAINING[0]
        if "training" in keys:
            training = self.read.value(keys["training"], str, "training")
            self.check_training(keys["training"], training, "the course")
        examine = Examine()
        if "examine" in keys:
            examine = self.read.record(keys["examine"], "'examine'", examine)
            self.check_examine(keys["examine"], examine)
            if examine.kernel:
                raise self.read.error(keys["examine"], "ids of test cells belong into 'examine' of an assignment")
        audit = self.read.record(keys["audit"], "'audit'", AuditFloor()) if "audit" in keys else AuditFloor()
        general = Assignment(
            "",
            "",
            limits=limits,
            sandbox=sandbox,
            student=student,
            decimals=decimals,
            training=training,
            examine=examine,
            audit=audit,
        )
        assignments = {name: self.assignment(key, name, value, general) for name, (key, value) in listed.items()}
        engine = self.engine(keys["engine"]) if "engine" in keys else Engine()
        system = self.learning_system(keys["learning_system"]) if "learning_system" in keys else LearningSystem()
        late_days = LateDays()
        if "late_days" in keys:
            late_days = self.read.record(keys["late_days"], "'late_days'", late_days)
            if late_days.round not in ROUNDINGS:
                known = _among(late_days.round, ROUNDINGS)
                raise self.read.error(keys["late_days"], f"late days cannot be rounded to {late_days.round!r}{known}")
        totals = self.read.record(keys["totals"], "'totals'", Totals()) if "totals" in keys else Totals()
        groups = self.groups(keys["groups"], keys, assignments, totals) if "groups" in keys else {}
        extensions = tuple(
            self.extension(item)
            for item in (self.read.items(keys["extensions"], "extensions") if "extensions" in keys else ())
        )
        named = next((one for one in assignments.values() if one.group), None)
        if named is not None and not groups:
            raise self.read.error(keys["assignments"], f"assignment {named.name!r} names a group; list it in 'groups'")
        return Course(
            self.root,
            course_id,
            title or course_id,
            assignments,
            engine=engine,
            learning_system=system,
            late_days=late_days,
            groups=groups,
            totals=totals,
            extensions=extensions,
        )

    def groups(
        self, node: yaml.Node, keys: Mapping[str, yaml.Node], assignments: Mapping[str, Assignment], totals: Totals
    ) -> dict[str, Group]:
        """Read the groups of assignments; with groups, each assignment belongs to one."""
        found = {}
        for name, (_, value) in self.read.pairs(node, "'groups'").items():
            found[name] = cast(Group, self.read.record(value, f"group {name!r}", Group()))
        if totals.drop:
            raise self.read.error(keys["totals"], "in a course with groups, each group says how many to drop")
        for one in assignments.values():
            if one.group not in found:
                near = suggest(one.group, found) or f"; groups: {', '.join(found) or 'none'}"
                said = f"there is no group {one.group!r}{near}" if one.group else f"it names no group{near}"
                raise self.read.error(keys["assignments"], f"assignment {one.name!r}: {said}")
        return found

    def extension(self, node: yaml.Node) -> Extension:
        """Read one extension; whom it may name is checked with the roster."""
        made = cast(Extension, self.read.record(node, "an extension", Extension(), fixed=["place"]))
        return replace(made, place=f"{COURSE_FILE}:{node.start_mark.line + 1}")

    def engine(self, node: yaml.Node) -> Engine:
        """Read the engine; a scheduler without a kind means dask."""
        result = cast(Engine, self.read.record(node, "'engine'", Engine()))
        if result.scheduler is not None and result.kind == "local":
            named = isinstance(node, yaml.MappingNode) and "kind" in self.read.pairs(node, "'engine'")
            if named:
                raise self.read.error(node, "'scheduler' is set in 'engine', but kind is 'local'; kind: dask?")
            result = replace(result, kind="dask")
        if result.kind not in ENGINES:
            known = _among(result.kind, ENGINES)
            raise self.read.error(node, f"unknown engine {result.kind!r}{known}")
        if result.kind == "dask" and result.scheduler is None:
            raise self.read.error(node, "kind: dask in 'engine' needs scheduler, its address (tls://host:8786)")
        if (result.cert is None) != (result.key is None):
            raise self.read.error(node, "'cert' and 'key' in 'engine' go together; name both or neither")
        return result

    def learning_system(self, node: yaml.Node) -> LearningSystem:
        """Read the learning system; all three keys are needed."""
        result = cast(LearningSystem, self.read.record(node, "'learning_system'", LearningSystem()))
        if result.kind not in LEARNING_SYSTEMS:
            known = _among(result.kind, LEARNING_SYSTEMS)
            raise self.read.error(node, f"unknown kind {result.kind!r} in 'learning_system'{known}")
        if not result.url or result.course <= 0:
            raise self.read.error(
                node, "'learning_system' needs url, its address, and course, the course's number there"
            )
        return result

    def assignment(self, key: yaml.Node, name: str, node: yaml.Node, general: Assignment) -> Assignment:
        """Read one assignment; ``general`` holds the settings of the course for all of them."""
        where = f"assignment {name!r}"
        self.check_name(key, name, "the name of an assignment")
        try:
            source = inside(self.root, name, self.root / "source")
        except ValueError as error:
            raise self.read.error(key, f"{where}: the folder source/{name} {error}") from None
        if not source.is_dir():
            todo = "make it, or remove the assignment"
            raise self.read.error(key, f"{where}: there is no folder source/{name}; {todo}")
        default = replace(general, name=name, title=name)
        result = cast(Assignment, self.read.record(node, where, default, fixed=["name"]))
        keys = self.read.fields(node, where, Assignment, fixed=["name"])
        made = result.prepare is not None
        self.check_dates(keys, where, result)
        if "attempts" in keys and result.attempts.counts not in COUNTING:
            known = _among(result.attempts.counts, COUNTING)
            raise self.read.error(keys["attempts"], f"unknown attempts {result.attempts.counts!r} in {where}{known}")
        if "shown" in keys:
            self.check_shown(keys["shown"], where, result)
        if result.attempts.counts == "last_before_due" and result.due is None:
            raise self.read.error(keys["attempts"], f"{where} has no due date; add 'due'")
        if "curve" in keys:
            self.check_curve(keys["curve"], where, result.curve)
        if "late" in keys:
            if result.late.plugin is not None and result.late.kind == "none":
                result = replace(result, late=replace(result.late, kind="plugin"))
            self.check_late(keys["late"], where, result)
        if "files" in keys:
            self.check_files(keys["files"], where, self.root, hidden=False, made=made)
        if "hidden" in keys:
            self.check_files(keys["hidden"], where, source / "hidden", hidden=True, made=made)
        if "sandbox" in keys:
            self.check_sandbox(keys["sandbox"], result.sandbox)
        if "training" in keys:
            self.check_training(keys["training"], result.training, where)
        if "examine" in keys:
            self.check_examine(keys["examine"], result.examine)
        if "student" in keys:
            self.check_student(keys["student"], result.student)
        if result.prepare is not None:
            self.check_prepare(keys["prepare"], where, result, source)
        return result

    def check_name(self, node: yaml.Node, name: str, what: str) -> None:
        """Refuse a name that cannot name a folder."""
        if name != name.strip() or name.startswith((".", "-")) or not name.isprintable() or _RESERVED & {*name}:
            reason = "it names a folder; use letters, digits, '-', '_' and '.'"
            raise self.read.error(node, f"{name!r} cannot be {what}: {reason}")

    def check_sandbox(self, node: yaml.Node, name: str) -> None:
        """Refuse an unknown sandbox."""
        if name not in SANDBOXES:
            known = _among(name, SANDBOXES)
            raise self.read.error(node, f"there is no sandbox {name!r}{known}")

    def check_training(self, node: yaml.Node, training: str, where: str) -> None:
        """Refuse an unknown way of training."""
        if training not in TRAINING:
            known = _among(training, TRAINING)
            raise self.read.error(node, f"unknown training {training!r} in {where}{known}")

    def check_examine(self, node: yaml.Node, examine: Examine) -> None:
        """Refuse an unknown place of tests."""
        if examine.where not in PLACES:
            known = _among(examine.where, PLACES)
            raise self.read.error(node, f"tests cannot be examined in {examine.where!r}{known}")

    def check_student(self, node: yaml.Node, name: str) -> None:
        """Refuse an unknown way in which students get the package."""
        if name not in STUDENT_KITS:
            known = _among(name, STUDENT_KITS)
            raise self.read.error(node, f"unknown student {name!r}{known}")

    def check_shown(self, node: yaml.Node, where: str, result: Assignment) -> None:
        """Refuse a rule for what students see that contradicts itself."""
        shown = result.shown
        if shown.before_due not in SHOWN:
            known = _among(shown.before_due, SHOWN)
            raise self.read.error(node, f"{where} cannot show {shown.before_due!r}{known}")
        if shown.step and shown.before_due != "score":
            raise self.read.error(node, f"'step' of 'shown' in {where} goes with before_due: score")
        if both := set(shown.public) & set(shown.private):
            raise self.read.error(node, f"{min(both)!r} of {where} is both public and private")
        if shown.holds_back and result.due is None:
            raise self.read.error(node, f"{where} holds results back and has no due date; add 'due'")

    def check_curve(self, node: yaml.Node, where: str, curve: Curve) -> None:
        """Refuse a curve whose keys contradict one another."""
        if curve.kind not in CURVES:
            known = _among(curve.kind, CURVES)
            raise self.read.error(node, f"unknown curve {curve.kind!r} in {where}{known}")
        if (curve.points != 0) != (curve.kind == "add"):
            raise self.read.error(node, f"'points' of the curve in {where} goes with kind: add, and kind: add with it")
        if (curve.factor != 1) != (curve.kind == "factor"):
            raise self.read.error(node, f"'factor' of the curve in {where} goes with kind: factor, and the other way")

    def check_dates(self, keys: Mapping[str, yaml.Node], where: str, result: Assignment) -> None:
        """Refuse dates in the wrong order."""
        dates = [(name, getattr(result, name)) for name in ("release", "due", "close") if getattr(result, name)]
        for (first, before), (second, after) in itertools.pairwise(dates):
            if before > after:
                raise self.read.error(keys[second], f"{second!r} of {where} lies before {first!r}; put them in order")

    def check_late(self, node: yaml.Node, where: str, result: Assignment) -> None:
        """Refuse a late policy whose keys contradict one another."""
        late = result.late
        if late.kind not in LATE_KINDS:
            known = _among(late.kind, LATE_KINDS)
            raise self.read.error(node, f"unknown late policy {late.kind!r} in {where}{known}")
        if late.per_day and late.kind != "per_day":
            raise self.read.error(node, f"'per_day' is set in {where}, but kind is {late.kind!r}; kind: per_day?")
        if late.kind == "per_day" and not late.per_day:
            raise self.read.error(node, f"kind: per_day in {where} needs per_day, the share lost a day (0.1: 10 %)")
        if late.plugin is not None and late.kind != "plugin":
            raise self.read.error(node, f"'plugin' is set in {where}, but kind is {late.kind!r}; leave kind out")
        if late.kind == "plugin" and late.plugin is None:
            raise self.read.error(node, f"kind: plugin in {where} needs plugin, a class of the course (late.py:Policy)")
        if late.kind != "none" and result.due is None:
            raise self.read.error(node, f"{where} has a late policy but no due date; add 'due'")
        if late.plugin is not None:
            try:
                check_plugin(self.root, late.plugin)
            except ValueError as error:
                raise self.read.error(node, f"the late policy of {where}: {error}") from None

    def check_files(self, node: yaml.Node, where: str, base: Path, *, hidden: bool, made: bool) -> None:
        """Check the listed files: they exist below ``base``, and students may see them.

        With ``made``, files may be missing, because a command makes them before a release. No two may have one name.
        """
        seen: dict[str, str] = {}
        for item in self.read.items(node, "files"):
            name = str(item.value)
            try:
                path = inside(self.root, name, base)
            except ValueError as error:
                raise self.read.error(item, f"{name!r} in {where} {error}") from None
            if not (path.is_file() or path.is_dir() or (made and not path.exists())) or path == base.resolve():
                shown = base.relative_to(self.root) / name
                raise self.read.error(item, f"{where}: there is no file {shown}")
            if not hidden and is_hidden(self.root, path):
                raise self.read.error(item, f"{name!r} in {where} lies in a hidden folder: students would get it")
            if not hidden and path.relative_to(self.root).parts == (COURSE_FILE,):
                raise self.read.error(item, f"{name!r} in {where} may hold secrets: it cannot be released")
            if not hidden and path.relative_to(self.root).parts[0] in _PRIVATE:
                raise self.read.error(item, f"{name!r} in {where} is about students: it cannot be released")
            key = name if hidden else PurePosixPath(name).name
            if key in seen:
                raise self.read.error(item, f"{name!r} and {seen[key]!r} in {where} would be one file; rename one")
            seen[key] = name

    def check_prepare(self, node: yaml.Node, where: str, result: Assignment, source: Path) -> None:
        """Check that the command is a Python file of the course, and that students get none of its files."""
        try:
            words = shlex.split(result.prepare or "")
        except ValueError as error:
            raise self.read.error(node, f"'prepare' in {where} is not a command line: {error}") from None
        script = words[0] if words else ""
        try:
            path = inside(self.root, script, self.root)
        except ValueError as error:
            raise self.read.error(node, f"{script!r}, the script of 'prepare' in {where}, {error}") from None
        if path.suffix != ".py" or not path.is_file():
            rule = "the first word of 'prepare' must be a Python file of the course"
            raise self.read.error(node, f"{where}: there is no Python file {script!r}; {rule}")
        for word in words:
            named = (self.root / word.rpartition("=")[2]).resolve()
            if self.is_released(named, result, source):
                raise self.read.error(node, f"'prepare' in {where} uses {word!r}, which students would get")

    def is_released(self, path: Path, result: Assignment, source: Path) -> bool:
        """Tell whether ``path`` goes with the release."""
        if any(path.is_relative_to((self.root / name).resolve()) for name in result.files):
            return True
        return path.is_file() and path.is_relative_to(source) and not is_hidden(self.root, path)
