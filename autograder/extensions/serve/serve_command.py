"""``autograder serve``: takes hand-ins in a browser and grades them."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from autograder._util.time_zones import placed
from autograder.cli.output import examples, workers_option
from autograder.cli.requirements import GradingCommand
from autograder.errors import CourseError, HostError, UsageError

if TYPE_CHECKING:
    from autograder.records.course import Course

ACTIONS = ("start", "links", "renew", "history", "check", "members", "register", "backup", "restore", "upgrade")
_NEEDED = {"renew": "the person", "backup": "a new file", "restore": "the backup", "upgrade": "a new file for a backup"}
"""Action → what its second word names."""
_ENDS = {"done": "graded", "for person": "for a person", "refused": "refused"}
_MAY_NAME = ("check",)
"""Actions of which the second word can be left out."""


@click.command(
    cls=GradingCommand,
    short_help="Take hand-ins in a browser, and grade them.",
    epilog=examples("""
autograder serve                                  # on http://127.0.0.1:8000, web and worker
autograder serve --demo --course /tmp/door        # a made-up class to try
autograder serve links --url https://door.example > links.csv
autograder serve renew ada                        # her old links and sessions end
autograder serve history                          # every receipt and how it ended, a JSON line each
autograder serve check                            # does each receipt have one end?
autograder serve check receipts.jsonl             # also of receipts that clients kept
autograder serve members > members.csv            # the learning system's students, by LTI, for `people import`
autograder serve register --url https://door.example  # a link by which a learning system registers the door
autograder serve backup /backups/dl101.tar.gz     # the course folder and the queue, while the door is open
autograder serve restore /backups/dl101.tar.gz --course /courses/dl101
autograder serve upgrade /backups/before.tar.gz   # after a new version: a backup, then the queue's tables
autograder serve /courses/dl101 /courses/dl102    # one door over two courses
autograder serve --only web --bind unix:/run/autograder/web.sock
autograder serve --only worker --workers 2
"""),
)
@click.argument("words", metavar="[ACTION [PERSON|FILE] | FOLDER...]", nargs=-1)
@click.option(
    "--course",
    "course_folder",
    type=click.Path(path_type=Path, file_okay=False),  # a demo makes it
    default=Path(),
    metavar="DIR",
    help="The course folder (default: here).",
)
@click.option(
    "--bind",
    metavar="ADDRESS",
    default="127.0.0.1:8000",
    show_default=True,
    help="HOST:PORT or unix:PATH of the web process.",
)
@click.option(
    "--without-proxy",
    is_flag=True,
    help="Listen to other machines with no web server in front: forty slow senders stop such a door.",
)
@click.option("--only", type=click.Choice(["web", "worker"]), metavar="PROCESS", help="Start web or worker alone.")
@click.option("--demo", is_flag=True, help="First make a course with a made-up class in the course folder.")
@click.option(
    "--url",
    metavar="ADDRESS",
    help="With links, renew and register: the server's address (default: the url of course.yaml).",
)
@workers_option
def serve(
    words: tuple[str, ...],
    course_folder: Path,
    bind: str,
    without_proxy: bool,
    only: str | None,
    demo: bool,
    url: str | None,
    workers: int | None,
) -> None:
    """Serve the pages where students hand in and read their feedback, and grade what they hand in.

    Several course FOLDERs have one address, a path each by their url, and share the places for grading. ACTION is one
    of start, links, renew, history, check, members, register, backup, restore, upgrade.

    links prints a CSV with everybody's link: whoever has it is that person. Receipts, links and the queue lie in
    .autograder/serve/; grades are the course's, as those of every command. Ctrl-C ends it. A backup holds the secret
    that signs links, hidden tests and everybody's work: keep it to yourself.
    """
    if find_spec("django") is None or find_spec("gunicorn") is None:
        from autograder._util.libraries import with_extra

        raise HostError(f"`autograder serve` needs Django: {with_extra('serve')}")
    action, *more = words if words and words[0] in ACTIONS else ("start", *words)
    roots, subject = _read_words(action, more, course_folder)
    if not (without_proxy or _is_local(bind)):
        raise UsageError(
            f"{bind} is open to other machines, where forty slow senders can stop the door and links can be read on "
            "the way: put a web server in front (docs/how-to/run-a-door.md), or add --without-proxy"
        )
    if action in ("backup", "restore", "upgrade"):
        _keep(action, roots[0], Path(subject))
        if action != "upgrade":
            return
    if demo:
        _make_demo(roots[0])
    from autograder.extensions.serve.course_keys import door
    from autograder.extensions.serve.django_settings import configure

    course = configure(roots[0])
    if action == "start":
        _start(course, roots, bind, only, workers, show_links=demo)
    elif action in _ACTIONS:
        _ACTIONS[action](course, (url or door(course).url or f"http://{bind}").rstrip("/"), subject)


def _read_words(action: str, more: list[str], course_folder: Path) -> tuple[list[Path], str]:
    """Return the folders of the courses, and what else an action is about."""
    roots = [Path(word).resolve() for word in more] if action == "start" else []
    if lost := [word for word, root in zip(more, roots, strict=False) if not root.is_dir()]:
        raise UsageError(f"{lost[0]!r} is no folder, and no action ({', '.join(ACTIONS)})")
    is_named = bool(more) if action in _MAY_NAME else action in _NEEDED
    if not roots and len(more) != is_named:
        raise UsageError(f"name {_NEEDED[action]}: {action} …" if action in _NEEDED else f"{action} names nothing")
    return roots or [course_folder.resolve()], "" if roots else "".join(more)


def _is_local(bind: str) -> bool:
    """Tell whether an address to listen at is a Unix socket, or one that this machine alone reaches."""
    from autograder.extensions.serve.course_keys import LOCAL_HOSTS

    host = bind.rpartition(":")[0].strip("[]") or bind
    return bind.startswith("unix:") or host in LOCAL_HOSTS


def _keep(action: str, root: Path, file: Path) -> None:
    """Make a backup, or restore one; before an upgrade, no worker may be at work."""
    from autograder.course.configuration import load_course
    from autograder.extensions.serve import folder_archive
    from autograder.extensions.serve.state_folder import incoming, only_worker

    if action == "restore":
        click.echo(f"{folder_archive.restore(file, root)} files are in {root}", err=True)
        return
    course = load_course(root)
    with only_worker(course) if action == "upgrade" else contextlib.nullcontext():
        click.echo(f"{folder_archive.save(root, file, incoming(course))} files are in {file}", err=True)


def _make_demo(root: Path) -> None:
    from autograder.extensions.serve import demo_class

    click.echo(f"Making a course in {root} …", err=True)
    demo_class.make(root)
    click.echo(f"Notebooks to hand in: {root / demo_class.HAND_INS}", err=True)


def _start(
    course: Course, roots: list[Path], bind: str, only: str | None, workers: int | None, *, show_links: bool
) -> None:
    from autograder.extensions.serve import processes
    from autograder.extensions.serve.course_keys import door

    if len(roots) > 1:
        processes.run_several(roots, bind, workers)
    if only == "web":
        processes.run_web(course, bind)
        return
    if only == "worker":
        processes.run_worker(course, workers)
        return
    url = door(course).url.rstrip("/") or f"http://{bind}"
    if show_links:
        _links(course, url, "")
    click.echo(f"{url} (people come by their links: autograder serve links); Ctrl-C ends it", err=True)
    processes.run_both(course, [] if workers is None else ["--workers", str(workers)], bind)


def _links(course: Course, url: str, _: str) -> None:
    """Print a link for everybody."""
    from autograder.extensions.serve.course_keys import door
    from autograder.extensions.serve.visitors import people, token

    until = placed(datetime.now(UTC), course.zone) + timedelta(days=door(course).link_days)
    columns = ("id", "name", "role", "link", "until")
    values = [
        (person.id, person.name, str(person.role), _link(url, "enter", token(person.id)), f"{until:%Y-%m-%d %H:%M}")
        for person in people(course)
    ]
    rows = [dict(zip(columns, each, strict=True)) for each in values]
    if not rows:
        raise UsageError("nobody may come in: write people.csv, and name staff in course.yaml (serve: {staff: [you]})")
    _print(columns, rows)


def _renew(course: Course, url: str, person: str) -> None:
    """Make a person's links invalid and print the new one."""
    from autograder.extensions.serve.visitors import people, renew, token

    if person not in {each.id for each in people(course)}:
        raise UsageError(f"nobody who may come in is called {person!r}")
    renew(person)
    click.echo(_link(url, "enter", token(person)))


def _history(course: Course, url: str, _: str) -> None:
    """Print every hand-in and how it ended."""
    from autograder.extensions.serve.models import STEPS

    for row in _rows("max_score", *STEPS):
        click.echo(json.dumps(row, default=lambda when: when.isoformat()))


def _rows(*more: str) -> list[dict[str, Any]]:
    from autograder.extensions.serve.models import Job, Kind

    columns = ("receipt", "student", "assignment", "sha256", "state", "score", "note", *more)
    return list(Job.objects.filter(kind=Kind.HAND_IN).order_by("number").values(*columns))


def _check(course: Course, url: str, file: str) -> None:
    """Compare all receipts with the history; CourseError: one has no end, or more than one."""
    from autograder.extensions.serve import histories, state_folder

    uploads, history = state_folder.uploads(course), _rows("file")
    in_line = {row["receipt"] for row in history}
    records = histories.records(uploads)
    receipts = [*(row for row in records if row["receipt"] in in_line), *(histories.read(Path(file)) if file else ())]
    for row in records:
        if row["receipt"] not in in_line:
            click.echo(f"{row['receipt']}: {row['student']}'s file has no row; was the queue restored?", err=True)
    for line in histories.unequal(history):
        click.echo(f"equal files have different scores (late, or regraded?): {line}", err=True)
    if wrong := [*histories.faults(receipts, history), *histories.changed(uploads, history)]:
        raise CourseError("\n".join(dict.fromkeys(wrong)))
    ends = Counter(row["state"] for row in history)
    parts = ", ".join(f"{ends[state]} {words}" for state, words in _ENDS.items())
    click.echo(f"each of {len({row['receipt'] for row in receipts})} receipts has one end: {parts}")


def _members(course: Course, url: str, _: str) -> None:
    """Print the students of the learning system that launches this door."""
    from autograder.extensions.serve import lti_services

    members = lti_services.members(course, lti_services.memberships_address(course))
    _print(("id", "name", "email", "lti_id", "sis_id"), [{"id": "", **asdict(member)} for member in members])


def _register(course: Course, url: str, _: str) -> None:
    """Print a link by which a learning system registers this door."""
    from autograder.extensions.serve.lti_registration import link_token

    click.echo(_link(url, "lti/register", link_token(url)))


def _link(url: str, path: str, secret: str) -> str:
    return f"{url}/{path}/{quote(secret, safe='')}/"


def _print(columns: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    from autograder.term.csv_tables import as_text

    click.echo(as_text(columns, rows).decode(), nl=False)


_ACTIONS: dict[str, Callable[[Course, str, str], None]] = {
    "links": _links,
    "renew": _renew,
    "history": _history,
    "check": _check,
    "members": _members,
    "register": _register,
}
