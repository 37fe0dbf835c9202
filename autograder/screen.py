"""What the command line shows of a batch: progress while it runs, a table when it is done."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from autograder.batch import NotGraded
from autograder.records import Grade
from autograder.report.table import TEXT_COLUMNS, text_table
from autograder.text import one_line


class _Remaining(ProgressColumn):
    """The time that is left, if the rest goes like what is done: submissions are few and long, so that a speed over
    the last seconds says nothing."""

    max_refresh = 0.5

    def __init__(self) -> None:
        super().__init__()
        self._done, self._since = 0.0, 0.0

    def render(self, task: Task) -> Text:
        elapsed = task.elapsed or 0.0
        if task.completed != self._done:
            self._done, self._since = task.completed, elapsed
        return Text(self.text(task.completed, task.total or 0.0, self._since, elapsed), style="progress.remaining")

    @staticmethod
    def text(done: float, total: float, since: float, elapsed: float) -> str:
        """``since``: seconds from the start until the last one was done; ``elapsed``: until now."""
        if not done:
            return "left -:--"
        left = max(0, round(since / done * (total - done) - (elapsed - since)))
        return f"left {left // 60}:{left % 60:02}" if left < 3600 else f"left {left // 3600}:{left // 60 % 60:02}:00"


class BatchProgress:
    """A bar on a terminal, a line for each submission elsewhere, nothing at all where ``quiet``."""

    def __init__(self, due: int, title: str, console: Console, *, quiet: bool = False) -> None:
        self.console, self.due, self.count = console, due, 0
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
        self.bar = Progress(
            *columns,
            console=console,
            expand=True,
            disable=quiet or self.lines or not due,
        )
        self.task = self.bar.add_task(one_line(title, 22), total=due, last="")

    def __enter__(self) -> BatchProgress:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def advance(self, student: str, outcome: Grade | NotGraded) -> None:
        """One more is done."""
        self.count += 1
        said = f"{one_line(student, 40)}: {_in_short(outcome)}"
        self.bar.update(self.task, advance=1, last=said)
        if self.lines:
            self.console.print(f"[{self.count}/{self.due}] {said}", markup=False, highlight=False, soft_wrap=True)


def _in_short(outcome: Grade | NotGraded) -> str:
    if isinstance(outcome, NotGraded):
        return "not graded"
    return f"{outcome.score:.4g}/{outcome.max_score:g} {outcome.status}"


def show_grades(console: Console, grades: Iterable[Grade]) -> None:
    """The table of scores; a line for each, however wide, where nobody looks at a terminal."""
    rows = text_table(grades)
    if not console.is_terminal:
        console.width = max(120, 2 + sum(max(map(len, column)) + 2 for column in zip(TEXT_COLUMNS, *rows, strict=True)))
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in TEXT_COLUMNS:
        table.add_column(
            name,
            justify="right" if name in ("score", "seconds", "MiB") else "left",
            no_wrap=name != "to do",
            overflow="ellipsis" if name == "student" else "fold",
        )
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
