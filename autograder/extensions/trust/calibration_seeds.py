"""Seeds of a notebook, drawn anew: integers in known seeding calls are replaced, and nothing else.

Equal integers get equal new ones, so what was to be the same stays the same. Cells of the submission get the new number
as it is. Locked cells are the exam's, which all runs share. There the number becomes an expression that looks it up in
a cell that each run has of its own.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from autograder._util.syntax import parsed
from autograder.records.exam import Exam, ExamCell, Role, has_tag
from autograder.syntax.refusals import aliases, dotted

POSITIONAL = frozenset(
    {
        "keras.utils.set_random_seed",
        "tensorflow.keras.utils.set_random_seed",
        "keras.random.SeedGenerator",
        "tensorflow.random.set_seed",
        "tensorflow.compat.v1.set_random_seed",
        "numpy.random.seed",
        "numpy.random.default_rng",
        "numpy.random.RandomState",
        "numpy.random.SeedSequence",
        "random.seed",
        "random.Random",
        "torch.manual_seed",
        "torch.cuda.manual_seed_all",
        "jax.random.PRNGKey",
        "jax.random.key",
    }
)
"""Functions whose first argument is a seed."""
SEEDING_NAMES = frozenset(name.rpartition(".")[2] for name in POSITIONAL) - {"key"}
"""Their last names, where calls are not resolved; ``key`` alone says too little."""
KEYWORDS = frozenset({"seed", "random_state"})
"""Keyword arguments that are seeds, in calls of anything but the notebook's own functions."""
KEEP = "keep-seeds"
"""Tag of a cell whose seeds stay: they are part of the task, as those of a split that tests know."""
CELL, NAME = "calibration-seeds", "calibration_seeds"
"""Id of the cell with a run's own seeds, and the name that it binds."""
MAX_SEED = 2**31


@dataclass(frozen=True)
class Seeds:
    """Where a notebook's seeds are."""

    exam: Exam
    """The exam, with seeds of locked cells looked up in a cell of the submission."""
    literals: frozenset[int]
    """Integers in seeding calls of locked cells."""
    count: int
    """Number of integers in seeding calls, in all cells that run."""


@dataclass(frozen=True)
class _Notebook:
    """What decides about a notebook's calls."""

    imports: Mapping[str, str]
    own: frozenset[str]
    """Functions and classes of the notebook itself."""
    constants: Mapping[str, int]
    """Names that are bound once, to an integer."""


def seeds_of(exam: Exam) -> Seeds:
    """Find the seeds of an exam's notebook."""
    runs = [cell for cell in exam.cells if _runs(cell)]
    notebook = _read([*(_code(cell) for cell in runs), exam.prelude])
    literals: set[int] = set()
    count = 0

    def look_up(seed: int) -> str:
        literals.add(seed)
        return f'globals().get("{NAME}", {{}}).get({seed}, {seed})'

    cells = []
    for cell in exam.cells:
        if _runs(cell) and not has_tag(cell.metadata, KEEP):
            count += len(list(_seeds(_code(cell), notebook)))
            if cell.role is Role.READ_ONLY:
                cell = replace(cell, source=_replaced(cell.source, notebook, look_up))
                cell = replace(cell, released=_replaced(cell.released, notebook, look_up))
            elif cell.role is Role.TEST:
                cell = replace(cell, in_kernel=_replaced(cell.in_kernel, notebook, look_up))
        cells.append(cell)
    prelude = _replaced(exam.prelude, notebook, look_up)
    if literals:
        cells.insert(0, _CELL)
    return Seeds(replace(exam, cells=tuple(cells), prelude=prelude), frozenset(literals), count)


_CELL = ExamCell(
    Role.ANSWER,
    "code",
    CELL,
    0.0,
    f"{NAME} = {{}}",
    f"{NAME} = {{}}",
    "",
    metadata={
        "nbgrader": {
            "grade_id": CELL, "grade": False, "locked": False, "schema_version": 3, "solution": True, "task": False,
        }
    },
)  # fmt: skip


class Redrawing:
    """New seeds of one run: the same integer always gets the same new one.

    Args:
        seed: decides them.
    """

    def __init__(self, seed: int | str) -> None:
        self._draw = random.Random(str(seed))
        self._new: dict[int, int] = {}

    def __call__(self, seed: int) -> int:
        """Return the new seed in the place of an old one."""
        if seed not in self._new:
            self._new[seed] = self._draw.randrange(MAX_SEED)
        return self._new[seed]

    def cell(self, literals: Iterable[int]) -> str:
        """Return the source of the cell with the seeds of locked cells."""
        return f"{NAME} = { {old: self(old) for old in sorted(literals)} }"


def redraw(sources: Sequence[str], tags: Sequence[Sequence[str]], new: Redrawing) -> list[str]:
    """Replace the seeds in the code cells of a notebook.

    Args:
        sources: the cells.
        tags: the tags of each.
        new: the new seeds.
    """
    notebook = _read(sources)
    pairs = zip(sources, tags, strict=True)
    return [
        source if KEEP in tagged else _replaced(source, notebook, lambda old: str(new(old))) for source, tagged in pairs
    ]


def _runs(cell: ExamCell) -> bool:
    return cell.cell_type == "code" and (cell.role is not Role.TEST or bool(cell.in_kernel))


def _code(cell: ExamCell) -> str:
    return cell.in_kernel if cell.role is Role.TEST else cell.source


def _read(sources: Iterable[str]) -> _Notebook:
    trees = [tree for source in sources if (tree := _tree(source)) is not None]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    assigned = {
        node.targets[0].id: value
        for node in nodes
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        and (value := _integer(node.value, {})) is not None
    }  # fmt: skip
    bound = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    bound += [node.arg for node in nodes if isinstance(node, ast.arg)]
    constants = {name: value for name, value in assigned.items() if bound.count(name) == 1}
    defined = frozenset(node.name for node in nodes if isinstance(node, functions))
    return _Notebook(aliases(trees), defined, constants)


def _tree(source: str) -> ast.Module | None:
    """Parse a cell; lines with magics count as comments of the same length."""
    lines = source.split("\n")
    plain = [f"#{line[1:]}" if line[:1] in ("%", "!") else line for line in lines]
    return parsed(source) or parsed("\n".join(plain))


def keyword_seeds(node: ast.Call) -> list[ast.expr]:
    """List the keyword arguments of a call that are seeds."""
    return [keyword.value for keyword in node.keywords if keyword.arg in KEYWORDS]


def _seeds(source: str, notebook: _Notebook) -> Iterator[tuple[ast.expr, int]]:
    """Yield each argument of a seeding call that is an integer, and the integer."""
    tree = _tree(source)
    for node in ast.walk(tree) if tree is not None else ():
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func, notebook.imports)
        arguments = keyword_seeds(node)
        if name.split(".")[0] in notebook.own:
            arguments = []
        elif name in POSITIONAL and node.args:
            arguments.append(node.args[0])
        for argument in arguments:
            if (value := _integer(argument, notebook.constants)) is not None:
                yield argument, value


def _integer(node: ast.expr | None, constants: Mapping[str, int]) -> int | None:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return constants.get(node.id) if isinstance(node, ast.Name) else None


def _replaced(source: str, notebook: _Notebook, new: Callable[[int], str]) -> str:
    """Replace the seeds in a source; all other characters stay."""
    lines = source.split("\n")
    seeds = sorted(_seeds(source, notebook), key=lambda pair: (pair[0].lineno, pair[0].col_offset), reverse=True)
    for node, value in seeds:
        if node.end_lineno == node.lineno and node.end_col_offset is not None:
            line = lines[node.lineno - 1].encode()  # columns are counted in bytes
            changed = line[: node.col_offset] + new(value).encode() + line[node.end_col_offset :]
            lines[node.lineno - 1] = changed.decode()
    return "\n".join(lines)
