"""Progress bar of a batch, and its tables of results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from autograder._util.text import one_line
from autograder.coordinator import tally
from autograder.coordinator.forecast import Forecast, points
from autograder.records.grade import Grade, NotGraded
from autograder.results.report.html_table import TEXT_COLUMNS, text_table
from autograder.results.report.status_words import status_title


class _Remaining(ProgressColumn):
    """A column with the remaining time, estimated from the mean of all submissions so far.

    Submissions are few and long, so that a speed over the last seconds says nothing.
    """

    max_refresh = 0.5

    def __init__(self) -> None:
        super().__init__()
        self._done, self._since = 0.0, 0.0

    def render(self, task: Task) -> Text:
        """Render the remaining time."""
        elapsed = task.elapsed or 0.0
        if task.completed != self._done:
            self._done, self._since = task.completed, elapsed
        return Text(self.text(task.completed, task.total or 0.0, self._since, elapsed), style="progress.remaining")

    @staticmethod
    def text(completed: float, total: float, since: float, elapsed: float) -> str:
        """Format the remaining time.

        Args:
            completed: number of submissions that are done.
            total: number of all submissions.
            since: seconds from the start until the last one was done.
            elapsed: seconds from the start until now.
        """
        if not completed:
            return "left -:--"
        seconds = max(0, round(since / completed * (total - completed) - (elapsed - since)))
        return (
            f"left {seconds // 60}:{seconds % 60:02}"
            if seconds < 3600
            else f"left {seconds // 3600}:{seconds // 60 % 60:02}:00"
        )


_STYLES = {"passed": "green", "partial": "yellow", "failed": "red", "broken": "magenta"}
"""Color names that statuses have on pages → rich's styles."""


class _Bar(Progress):
    """A progress bar with a line below it."""

    below: Text = Text()

    def get_renderables(self) -> Iterable[RenderableType]:
        """Return the bar and the line."""
        yield self.make_tasks_table(self.tasks)
        yield self.below


class BatchProgress:
    """Progress of a batch: on a terminal a bar and counts, elsewhere a line per submission.

    With ``quiet``, nothing is shown. ``due`` are the students in the order in which their submissions begin,
    ``workers`` at
    a time.
    """

    def __init__(
        self, due: Sequence[str], title: str, console: Console, *, workers: int = 1, quiet: bool = False
    ) -> None:
        self.console, self.due, self.workers = console, due, workers
        self.done: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.lines = not quiet and not console.is_terminal
        narrow = console.width < 100
        last = Column(ratio=1, no_wrap=True, overflow="ellipsis")
        columns: list[ProgressColumn] = [
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
            BarColumn(bar_width=10 if narrow else 24),
            MofNCompleteColumn(),
            *([] if narrow else [TimeElapsedColumn()]),
            _Remaining(),
            TextColumn("{task.fields[last]}", markup=False, table_column=last),
        ]
        self.bar = _Bar(
            *columns,
            console=console,
            expand=True,
            disable=quiet or self.lines or not due,
        )
        self.task = self.bar.add_task(one_line(title, 22), total=len(due), last="")
        self.bar.below = self._standing()

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def advance(self, student: str, outcome: Grade | NotGraded) -> None:
        """Count one more submission as done, and show its result."""
        self._count(student, tally.status_of(outcome), f"{one_line(student, 40)}: {_summary(outcome)}")

    def _count(self, name: str, status: str, summary: str) -> None:
        self.done.add(name)
        self.counts[status] += 1
        self.bar.below = self._standing()
        self.bar.update(self.task, advance=1, last=summary)
        if self.lines:
            count = f"[{len(self.done)}/{len(self.due)}]"
            self.console.print(f"{count} {summary}", markup=False, highlight=False, soft_wrap=True)

    def _standing(self) -> Text:
        """Say how finished submissions ended, and which ones run: they begin in order, as workers become free."""
        begun = self.due[: len(self.done) + self.workers]
        running = ", ".join(one_line(student, 40) for student in begun if student not in self.done)
        parts = [Text(f"{status} {number}", _style(status)) for status, number in tally.in_order(self.counts)]
        line = Text(" · ", "dim").join(parts)
        if running:
            line.append(f"{'   ' if parts else ''}running: {running}", "dim")
        line.no_wrap, line.overflow = True, "ellipsis"
        return line


def _style(status: str) -> str:
    return "bold red" if status == tally.NOT_GRADED else _STYLES[status_title(status)[0]]


def _summary(outcome: Grade | NotGraded) -> str:
    if isinstance(outcome, NotGraded):
        return "not graded"
    return f"{outcome.score:.4g}/{outcome.max_score:g} {outcome.status}"


def show_grades(console: Console, grades: Sequence[Grade], expected: Mapping[str, str] | None = None) -> None:
    """Print the table of scores; where no terminal is attached, a line for each, however wide.

    Args:
        console: where to print.
        grades: a line for each.
        expected: student → the right score, for a column of its own.
    """
    columns, rows = list(TEXT_COLUMNS), [list(row) for row in text_table(grades)]
    if expected:
        columns.insert(2, "expected")
        for grade, row in zip(grades, rows, strict=True):
            row.insert(2, expected.get(grade.student, ""))
    if not console.is_terminal:
        console.width = max(120, 2 + sum(max(map(len, column)) + 2 for column in zip(columns, *rows, strict=True)))
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(
            name,
            justify="right" if name in ("score", "expected", "seconds", "MiB") else "left",
            no_wrap=name != "to do",
            overflow="ellipsis" if name == "student" else "fold",
        )
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def show_columns(
    console: Console, titles: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()
) -> None:
    """Print a table; the columns in ``right`` hold numbers, and the last column is folded where it is wide."""
    if not console.is_terminal:
        console.width = 200
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in titles:
        last = title == titles[-1]
        table.add_column(
            title,
            justify="right" if title in right else "left",
            no_wrap=not last,
            overflow="fold" if last else "ellipsis",
        )
    for row in rows:
        table.add_row(*(Text(one_line(value, 2000)) for value in row))
    console.print(table)


def show_forecast(console: Console, forecast: Forecast) -> None:
    """Print the grades that would change, and the counts."""
    if forecast.changed:
        rows = [
            (
                one_line(change.student, 60),
                *(points(grade.score if grade else None) for grade in (change.before, change.after)),
                ", ".join(map(str, change.questions)),
            )
            for change in forecast.changed
        ]
        titles = ("student", "before", "after", "questions that change")
        show_columns(console, titles, rows, right=("before", "after"))
        console.print()
    console.print(forecast.summary(), highlight=False, markup=False, soft_wrap=True)
