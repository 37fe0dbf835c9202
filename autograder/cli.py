"""The command line: parses, calls one library function, shows the result, translates errors to exit codes.

Exit codes: 0 done · 1 the course or the input is wrong · 2 usage · 3 some submissions could not be graded.
Heavy libraries are imported in the commands that use them: `--help` answers at once.
"""

from __future__ import annotations

import codecs
import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from autograder import __version__, stopping
from autograder.errors import AutograderError, HostError, UsageError
from autograder.platforms import require_linux, require_posix
from autograder.startup import begin_release, import_lightly, importing, nbgraders_clerk

if TYPE_CHECKING:
    from autograder.batch import Batch, Execute, NotGraded
    from autograder.beside import Beside, Helper
    from autograder.grading.work import Work
    from autograder.records import Assignment, Course, Grade
    from autograder.release import Release
    from autograder.sandbox import Finding

DONE, WRONG, USAGE, NOT_GRADED = 0, 1, 2, 3
MAX_PATH = 4096
"""Characters; students' names are in paths, and are shown as text like everything of theirs."""


class _OnLinux(click.Command):
    """A command that executes notebooks, which needs the sandbox."""

    def invoke(self, ctx: click.Context) -> Any:
        require_linux(f"`{ctx.command_path}`")
        _require_packages(ctx)
        return super().invoke(ctx)


class _OnPosix(click.Command):
    """A command for instructors that executes nothing."""

    def invoke(self, ctx: click.Context) -> Any:
        require_posix(f"`{ctx.command_path}`")
        _require_packages(ctx)
        return super().invoke(ctx)


class _Group(click.Group):
    """Shows the kit's errors as messages and leaves tracebacks to bugs."""

    command_class = _OnPosix

    def main(self, *args: Any, **kwargs: Any) -> Any:
        _print_all_characters()
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with stopping.terminable():
                return super().invoke(ctx)
        except UsageError as error:
            _complain(error)
            ctx.exit(USAGE)
        except HostError as error:
            _complain(error)
            ctx.exit(NOT_GRADED)
        except AutograderError as error:
            _complain(error)
            ctx.exit(WRONG)
        except KeyboardInterrupt as stop:
            _warn("\n".join(["\nStopped.", *getattr(stop, "__notes__", [])]))
            ctx.exit(stopping.exit_code(stop))


def _require_packages(ctx: click.Context) -> None:
    """Refuse an instructor's command where only what students need is installed."""
    from importlib.util import find_spec

    if find_spec("nbgrader") is None:
        raise HostError(f"`{ctx.command_path}` needs packages that students do not: pip install 'nbexaminer[grade]'")


def _print_all_characters() -> None:
    """Let no character stop a command: output that is redirected has few of them on Windows."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
            from autograder.text import PLAIN

            stream.reconfigure(errors=PLAIN)


def _complain(error: Exception) -> None:
    from autograder.text import visible

    click.echo(click.style("error: ", fg="red", bold=True) + visible(str(error)), err=True)


def _examples(text: str) -> str:
    """The epilog of a command: a heading, and its lines as they stand."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in text.strip().splitlines())


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 the course or the input is wrong, 2 usage, 3 some submissions could not be graded.",
)
@click.version_option(__version__, prog_name="autograder")
def main() -> None:
    """Release notebooks, collect submissions, grade them from outside the student's process.

    \b
    A course is a folder:        A term with it:
      course.yaml                  autograder doctor
      source/<assignment>/         autograder release keras-fully-connected
      release/<assignment>/        autograder collect keras-fully-connected downloads.zip
      submitted/<student>/…        autograder grade keras-fully-connected
      autograded/<student>/…       autograder report keras-fully-connected
      feedback/<student>/…         autograder feedback keras-fully-connected

    \b
    To see all of it on a made-up class:  autograder demo
    """


_course_option = click.option(
    "--course",
    "course_folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    metavar="DIR",
    help="The course folder (default: here).",
)


_workers_option = click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Submissions at a time (default: one for each core, as far as the memory goes).",
)


def _open(folder: Path, name: str) -> tuple[Course, Assignment]:
    with importing():
        import_lightly()
        from autograder.course import assignment, load_course

    course = load_course(folder.resolve())
    return course, assignment(course, name)


@main.command(
    epilog=_examples("""
autograder release keras-fully-connected
autograder release keras-fully-connected --no-prove    # while you are writing
""")
)
@click.argument("assignment")
@_course_option
@click.option("--no-prove", is_flag=True, help="Write the release without grading the solution and the blank first.")
def release(assignment: str, course_folder: Path, no_prove: bool) -> None:
    """Make what students get from source/ASSIGNMENT.

    Where course.yaml has a `prepare` command for it, that runs first: it makes files such as a holdout. Then the tests
    are read: what can not be examined outside of the student's process is named with its line. What would give
    solutions or hidden tests away ends the release: a misspelt marker, a file that holds one, a file that is
    seldom meant for students and is not named as such. Before the release is
    written, the instructor's own solution must get full marks and the unchanged release none of the points
    that need work, both through the pipeline that grades students. What is released is listed, file by file.
    """
    course, wanted = _open(course_folder, assignment)
    from autograder import leaks
    from autograder import release as releasing
    from autograder.batch import exclusive
    from autograder.prepare import prepare
    from autograder.text import one_line

    if wanted.prepare is not None:
        with exclusive(course), _status(f"Preparing {wanted.name}: {wanted.prepare.split()[0]}…"):
            said = prepare(course, wanted)
        click.echo(said, err=True, nl=bool(said))
    leaks.check_sources(course, wanted)
    built = releasing.build(course, wanted)
    leaks.check_files(course, built)
    for warning in releasing.check(built):
        click.echo(f"Warning: {warning}", err=True)
    if not no_prove:
        from autograder.prove import prove

        _require_sandbox(wanted)
        with exclusive(course), _status(f"Proving {wanted.name}: the solution and the unchanged release…"):
            prove(course, built)
    releasing.write(course, wanted, built)
    for place in sorted([*built.files, *(f"{notebook.name}.ipynb" for notebook in built.notebooks)]):
        click.echo(f"  {one_line(place, 500)}")
    for place, why in sorted(built.left_out.items()):
        click.echo(f"  left out: {one_line(place, 500)}  ({why})")
    points = sum(notebook.exam.max_score for notebook in built.notebooks)
    proved = "not proved" if no_prove else "proved: the solution gets full marks, the unchanged notebook none"
    click.echo(f"{course.release(wanted.name)}  ({points:g} points; {proved})")


@main.command(
    cls=click.Command,
    epilog=_examples("""
autograder submit network.ipynb --student ada
autograder submit network.ipynb --student ada --release release/keras-fully-connected
"""),
)
@click.argument("notebook", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--student", required=True, help="Your name or number, as your course knows you.")
@click.option(
    "--release",
    "released",
    type=click.Path(path_type=Path, exists=True),
    help="The released notebook, or its folder: tells exactly what is answered.",
)
@click.option("--assignment", help="The assignment's name (default: the folder's that the notebook was released in).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the package (default: beside the notebook).",
)
def submit(notebook: Path, student: str, released: Path | None, assignment: str | None, out: Path | None) -> None:
    """Check NOTEBOOK and pack it for handing in.

    Prints a receipt: what is in the package, its time and hash, which answers are still missing. Hand in the package as
    your course says.
    """
    from autograder.submission import pack

    receipt = pack(notebook, release=released, assignment=assignment, student=student, out=out)
    click.echo(receipt.text())


@main.command(
    epilog=_examples("""
autograder collect keras-fully-connected downloads.zip      # as the learning system exports it
autograder collect keras-fully-connected inbox/             # a folder of what students packed
autograder collect keras-fully-connected late.zip --received 2026-03-02T18:00+01:00
""")
)
@click.argument("assignment")
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@_course_option
@click.option(
    "--received",
    metavar="TIME",
    callback=lambda _ctx, _param, value: _moment(value),
    help="Count this time for all of them, e.g. 2026-03-02T18:00+01:00 (UTC where no zone is given).",
)
def collect(assignment: str, source: Path, course_folder: Path, received: datetime | None) -> None:
    """Put the submissions in SOURCE (a folder, an archive or a notebook) into submitted/.

    One line for each says what became of it. The same again changes nothing; what a newer submission replaces is kept
    in .autograder/superseded/. Exit code 1: some were refused.
    """
    from autograder.batch import exclusive
    from autograder.submission import CollectStatus
    from autograder.submission import collect as collecting

    course, wanted = _open(course_folder, assignment)
    with exclusive(course):
        collected = collecting(course, wanted.name, source, received=received)
    for item in collected:
        click.echo(str(item))
    if not collected:
        raise UsageError(f"there is no submission in {source}")
    sys.exit(WRONG if any(item.status is CollectStatus.REFUSED for item in collected) else DONE)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time; write it like 2026-03-02T18:00+01:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@main.command(
    cls=_OnLinux,
    epilog=_examples("""
autograder grade keras-fully-connected                      # what is new or changed
autograder grade keras-fully-connected --student ada --student bob
autograder grade keras-fully-connected --force --workers 4  # everything, again
autograder grade keras-fully-connected --dry-run            # which grades would change; none is written
autograder grade keras-fully-connected --quiet --json grades.json
autograder grade keras-fully-connected --scheduler tls://cluster.example:8786
"""),
)
@click.argument("assignment")
@_course_option
@click.option("--student", "only", multiple=True, help="Only this student; may be given more than once.")
@_workers_option
@click.option(
    "--start",
    type=click.Choice(["warm", "cold"]),
    metavar="WAY",
    default="warm",
    show_default=True,
    help="warm: fork kernels from a process that has imported the libraries; cold: start each on its own.",
)
@click.option("--force", is_flag=True, help="Execute everything anew, also what has a current grade or a kept run.")
@click.option("--dry-run", is_flag=True, help="Say which grades would change, and write none.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write all results to this file as well.")
@click.option("--quiet", is_flag=True, help="Show nothing but what went wrong.")
@click.option("--scheduler", metavar="ADDRESS", help="Grade on the workers of this dask scheduler (tls://host:8786).")
@click.option("--insecure-scheduler", is_flag=True, help="Allow a scheduler without TLS (tcp://host:8786).")
def grade(
    assignment: str,
    course_folder: Path,
    only: tuple[str, ...],
    workers: int | None,
    start: str,
    force: bool,
    dry_run: bool,
    json_path: Path | None,
    quiet: bool,
    scheduler: str | None,
    insecure_scheduler: bool,
) -> None:
    """Grade the submissions of ASSIGNMENT that have no current grade, then record and report all of them.

    A grade is current while the submission, the exam, the hidden data, the released files, the limits, the late policy
    and the kit's versions are those that it was made from. A batch that was stopped goes on where it was. Where only
    tests, points or hidden data have changed, notebooks are not executed again: their runs are kept.
    """
    with nbgraders_clerk() as clerk:
        course, wanted = _open(course_folder, assignment)
        warm = start == "warm"
        if dry_run:
            _forecast(course, wanted, clerk, only, workers, warm=warm, force=force, json_path=json_path, quiet=quiet)
        cluster = _cluster(course, scheduler, insecure_scheduler, warm)
        done = _grade(
            course, wanted, clerk, only=only, workers=workers, warm=warm, force=force, quiet=quiet, cluster=cluster
        )
    if json_path:
        _write_json(json_path, done)
    sys.exit(NOT_GRADED if done.not_graded else DONE)


def _grade(
    course: Course,
    assignment: Assignment,
    clerk: Helper,
    *,
    only: Sequence[str] = (),
    workers: int | None = None,
    warm: bool = True,
    force: bool = False,
    quiet: bool = False,
    cluster: Execute | None = None,
) -> Batch:
    from contextlib import nullcontext
    from dataclasses import replace
    from functools import partial

    from rich.console import Console

    from autograder.sandbox.base import computing_alike

    testing = nullcontext() if cluster is not None else _testing(assignment)
    with testing as tested:
        with importing(), computing_alike(assignment.limits.threads):
            building = begin_release(course, assignment, clerk)
            from autograder import batch, gradebook, record
            from autograder.batchlog import BatchLog
            from autograder.grading.pool import in_processes, starting
            from autograder.screen import BatchProgress
            from autograder.text import one_line

            by_hand = clerk.begin(gradebook.points_by_hand, course, assignment.name)
            batch.prepare(course, assignment.name)
            release = building()
        console = Console(stderr=True)
        with batch.exclusive(course):
            works = _plan(course, release, only)
            if cluster is not None:  # other machines have no kept runs
                works = tuple(replace(work, runs=None) for work in works)
            due = [work for work in works if force or batch.current(work) is None]
            if due:
                clerk.begin(record.prepare)
            reduced = cluster is None and _require_sandbox(assignment, quiet, tested)
            if len(due) < len(works) and not quiet:
                console.print(f"{len(works) - len(due)} of {len(works)} have a current grade.", highlight=False)
            if cluster is None:
                count = 1 if reduced else workers or batch.worker_count(works)
                execute: Execute = partial(in_processes, warm=warm)
            else:
                count, execute = workers or 0, cluster
            order = [work.student for work in batch.longest_first(due)]
            log = BatchLog(
                course, assignment.name, order, again=stopping.grading_again(course, assignment), workers=count
            )
            with stopping.says_how_to_go_on(log):
                started = starting(due, warm=warm, force=force) if cluster is None else nullcontext()
                with (
                    started,
                    log,
                    BatchProgress(order, assignment.name, console, workers=count, quiet=quiet) as progress,
                ):

                    def advance(student: str, outcome: Grade | NotGraded) -> None:
                        log.advance(student, outcome)
                        progress.advance(student, outcome)

                    before = by_hand.result()
                    run = batch.run if warm and cluster is None else partial(batch.run, execute=execute)
                    done = run(works, workers=count, force=force, progress=advance)
                exams = [notebook.exam for notebook in release.notebooks]
                failures = {n.student: n.reason for n in done.not_graded}
                try:
                    key = works[0].content_keys["exam"]
                    recorded = clerk.begin(record.record, course, assignment, exams, key, failures, before).result()
                except HostError:
                    _complain_of(done)
                    raise
        if not quiet:
            _show(done.grades, {**recorded.paths, **({"log": log.path} if log.path else {})})
        _complain_of(done)
        if before is None:
            _warn("note: the gradebook could not be read when this batch began; points by hand were not compared")
        _warn_each(f"points by hand: {line}" for line in recorded.by_hand)
        if not quiet:
            _warn_each(f"{one_line(student)}: {why}" for student, why in recorded.set_aside.items())
        return done


def _cluster(course: Course, scheduler: str | None, insecure: bool, warm: bool) -> Execute | None:
    """What executes a batch on other machines; None: this one grades."""
    from dataclasses import replace

    engine = course.engine if scheduler is None else replace(course.engine, kind="dask", scheduler=scheduler)
    if engine.kind == "local":
        return None
    from autograder.engine.cluster import InCluster

    return InCluster(engine, course.root, insecure=insecure, warm=warm)


def _plan(course: Course, release: Release, only: Sequence[str]) -> tuple[Work, ...]:
    from autograder import batch

    works = batch.plan(course, release, only)
    if not works:
        raise UsageError(f"there is no submission of {release.assignment.name} in {course.root / 'submitted'}")
    return works


def _runner(warm: bool) -> Callable[..., Batch]:
    from functools import partial

    from autograder import batch
    from autograder.grading.pool import in_processes

    return batch.run if warm else partial(batch.run, execute=partial(in_processes, warm=False))


def _forecast(
    course: Course,
    assignment: Assignment,
    clerk: Helper,
    only: Sequence[str],
    workers: int | None,
    *,
    warm: bool,
    force: bool,
    json_path: Path | None,
    quiet: bool,
) -> NoReturn:
    """Say which grades would change."""
    from rich.console import Console

    from autograder.sandbox.base import computing_alike

    with _testing(assignment) as tested:
        with importing(), computing_alike(assignment.limits.threads):
            building = begin_release(course, assignment, clerk)
            from autograder import batch, dryrun
            from autograder.files import write_atomically
            from autograder.grading.pool import starting
            from autograder.screen import BatchProgress, show_forecast

            release = building()
        with batch.exclusive(course):
            works = _plan(course, release, only)
            current = {} if force else {work.student: grade for work in works if (grade := batch.current(work))}
            due = dryrun.aside(course, [work for work in works if work.student not in current])
            reduced = _require_sandbox(assignment, quiet, tested)
            count = 1 if reduced else workers or batch.worker_count(works)
            order = [work.student for work in due]
            with (
                starting(due, warm=warm, force=force),
                BatchProgress(order, assignment.name, Console(stderr=True), workers=count, quiet=quiet) as progress,
            ):
                done = _runner(warm)(due, workers=count, force=force, progress=progress.advance)
            forecast = dryrun.compare(works, current, done)
            dryrun.clear(course)
        if not quiet:
            show_forecast(Console(), forecast)
        if json_path:
            write_atomically(json_path, json.dumps(dryrun.to_json(forecast), indent=2) + "\n")
        _complain_of(done)
        sys.exit(NOT_GRADED if done.not_graded else DONE)


def _complain_of(done: Batch) -> None:
    from autograder.text import one_line

    for failure in done.not_graded:
        _warn(f"not graded: {one_line(failure.student)}: {failure.reason}")


def _testing(assignment: Assignment) -> Beside[bool]:
    """What :func:`_require_sandbox` asks, found out beside this process while that reads and imports."""
    from autograder.beside import Beside

    return Beside(lambda: _has_reduced_limits(assignment))


def _require_sandbox(assignment: Assignment, quiet: bool = False, tested: Beside[bool] | None = None) -> bool:
    """Refuse to go on where the sandbox does not hold; says whether its limits are reduced."""
    reduced = _has_reduced_limits(assignment) if tested is None else tested.result()
    if reduced and not quiet:
        click.echo("No cgroup can be had here: limits are reduced and runs go one at a time.", err=True)
    return reduced


def _has_reduced_limits(assignment: Assignment) -> bool:
    from autograder.grading.walls import require_walls

    return require_walls(assignment)


def _show(grades: Iterable[Grade], paths: Mapping[str, Path | str]) -> None:
    from rich.console import Console

    from autograder.screen import show_grades
    from autograder.text import one_line

    show_grades(Console(), grades)
    click.echo()
    for what, path in paths.items():
        click.echo(f"{what:14} {one_line(str(path), MAX_PATH)}")


def _warn(text: str) -> None:
    from autograder.text import visible

    click.echo(visible(text), err=True)


def _warn_each(texts: Iterable[str]) -> None:
    for text in texts:
        _warn(f"note: {text}")


def _write_json(path: Path, done: Batch) -> None:
    from autograder.files import write_atomically
    from autograder.result import to_json

    content = {
        "grades": [to_json(grade) for grade in done.grades],
        "graded": list(done.graded),
        "not_graded": [{"student": n.student, "reason": n.reason} for n in done.not_graded],
    }
    write_atomically(path, json.dumps(content, indent=2) + "\n")


def _status(text: str) -> Any:
    from rich.console import Console

    return Console(stderr=True).status(text)


@main.command(
    epilog=_examples("""
autograder feedback keras-fully-connected                   # after grading by hand in formgrader
autograder feedback keras-fully-connected --student ada
""")
)
@click.argument("assignment")
@_course_option
@click.option("--student", "only", multiple=True, help="Only this student; may be given more than once.")
def feedback(assignment: str, course_folder: Path, only: tuple[str, ...]) -> None:
    """Write the students' feedback pages from what is graded, with the points and comments given by hand."""
    course, wanted = _open(course_folder, assignment)
    from autograder import gradebook, record
    from autograder.feedback import write_feedback
    from autograder.text import one_line

    grades = gradebook.with_manual_scores(course, record.grades(course, wanted.name, only))
    for path in write_feedback(course, wanted, grades):
        click.echo(one_line(str(path), MAX_PATH))


@main.command(
    epilog=_examples("""
autograder report keras-fully-connected
""")
)
@click.argument("assignment")
@_course_option
def report(assignment: str, course_folder: Path) -> None:
    """Write the class report from what is graded.

    Grades of an exam that has changed since are listed there by name, and counted nowhere.
    """
    course, wanted = _open(course_folder, assignment)
    from autograder import record
    from autograder.keys import exam_key
    from autograder.release import build
    from autograder.text import one_line

    standing = record.on_disk(course, wanted.name, exam_key(course, build(course, wanted)))
    click.echo(record.write_report(course, wanted, standing))
    _warn_each(f"{one_line(student)}: {why}" for student, why in standing.set_aside.items())


@main.command(
    epilog=_examples("""
autograder export
autograder export --to term.csv
""")
)
@_course_option
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="The file (default: grades.csv).")
def export(course_folder: Path, to: Path | None) -> None:
    """Write the grades of all assignments as CSV, points given by hand in the gradebook included."""
    import_lightly()
    from autograder import record
    from autograder.course import load_course

    course = load_course(course_folder.resolve())
    click.echo(record.write_csv(course, to))
    _warn_each(record.doubts(course))


@main.command(
    cls=click.Command,
    epilog=_examples("""
autograder doctor
autograder doctor --course .      # and the environments that its assignments name
"""),
)
@click.option(
    "--course",
    "course_folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Also check the environments and the sandboxes that the assignments of this course name.",
)
def doctor(course_folder: Path | None) -> None:
    """Say whether this machine can grade.

    Tries inside both walls, the one around students' kernels and the one around the examiner, what must fail there, and
    says what mends it on this system. Looks whether the packages are there, without importing them. Exit code 3: it
    cannot grade.
    """
    from autograder import installation
    from autograder.records import SANDBOXES

    course = None
    if course_folder:
        _require_packages(click.get_current_context())
        from autograder.course import load_course

        course = load_course(course_folder.resolve())
    assignments = course.assignments.values() if course else ()
    needed = sorted({a.sandbox for a in assignments}, key=SANDBOXES.index) or [SANDBOXES[0]]
    tested = [finding for name in needed for finding in installation.sandbox(None, name)]
    examiner = installation.examiner_sandbox(needed[0])
    installed = installation.packages()
    _print_findings("the wall around students' kernels", tested)
    _print_findings("the wall around the examiner", examiner)
    _print_findings("packages", installed)
    findings = [*tested, *examiner, *installed]
    optional = [name for name in SANDBOXES if name not in needed]
    _print_findings("other sandboxes, none of which is needed", map(installation.optional_sandbox, optional))
    for python in sorted({a.environment for a in assignments if a.environment}):
        there = [*installation.environment(python)]
        for name in sorted({a.sandbox for a in assignments if a.environment == python}):
            there += installation.sandbox(python, name)
        _print_findings(python, there)
        findings += there
    click.echo(
        "Not checked: whether what a lesson imports is installed. `autograder release` proves that, by grading it."
    )
    holds = all(f.ok for f in findings)
    click.echo("This machine can grade." if holds else "Something is missing: nothing is graded until it is mended.")
    sys.exit(DONE if holds else NOT_GRADED)


def _print_findings(title: str, findings: Iterable[Finding]) -> None:
    click.echo(click.style(title, bold=True))
    for finding in findings:
        mark = click.style("ok  ", fg="green") if finding.ok else click.style("FAIL", fg="red", bold=True)
        click.echo(f"{mark} {finding.name:28} {finding.detail}")
        if finding.remedy:
            first, *lines = finding.remedy.splitlines()
            click.echo("\n       ".join([f"     → {first}", *lines]))


@main.command(
    cls=_OnLinux,
    epilog=_examples("""
autograder demo
autograder demo --course /tmp/demo --workers 2
"""),
)
@click.option(
    "--course",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    metavar="DIR",
    help="Where to make the demo course (default: ./demo).",
)
@_workers_option
@click.option("--no-prove", is_flag=True, help="Skip the proof of the release.")
def demo(folder: Path, workers: int | None, no_prove: bool) -> None:
    """Make a course, a class of honest and dishonest submissions, and grade it.

    Every student of the class has a score that is right; exit code 1 says that one got another.
    """
    from autograder import demo as demonstration

    demonstration.make_course(folder.resolve())
    course, wanted = _open(folder, demonstration.ASSIGNMENT)
    click.echo(f"Releasing {wanted.name} …")
    ctx = click.get_current_context()
    ctx.invoke(release, assignment=wanted.name, course_folder=folder, no_prove=no_prove)
    made = demonstration.make_class(course.root, wanted.name)
    click.echo(f"Made {len(made)} submissions. Grading …")
    with nbgraders_clerk() as clerk:
        done = _grade(course, wanted, clerk, workers=workers, force=True)
    outside = [line for grade in done.grades if (line := _outside(grade, demonstration.expected(grade.student)))]
    if outside:
        click.echo("\nNot what the demo expects: " + "; ".join(outside), err=True)
    sys.exit(NOT_GRADED if done.not_graded else WRONG if outside else DONE)


def _outside(grade: Grade, expected: tuple[float, float]) -> str:
    """What a demo student got against what is right; empty where it is."""
    low, high = expected
    if low - 1e-6 <= grade.score <= high + 1e-6:
        return ""
    right = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return f"{grade.student} expected {right}, got {grade.score:.4g}"
