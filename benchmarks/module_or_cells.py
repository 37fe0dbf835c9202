"""What it costs that answers stand in a module: the lesson on backpropagation beside the same code in a cell.

    benchmarks/module_or_cells.py               twelve pairs: about three minutes
    benchmarks/module_or_cells.py --pairs 30

The second notebook has the text of `layers.py` in an answer cell, and `relu` where the first has `layers.relu`. Both
solutions are graded in turn with a warm start, one at a time, and must have all points. The table (Markdown) has the
CPU seconds of the parts, as parts.py tells them apart, medians of all pairs but the first; and of the pairs' ratios the
median and the quartiles. `--autoreload` keeps the lines with %autoreload, which only the module needs, in both.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from measurement import machine, markdown, said
from parts import PARTS, each_graded

if TYPE_CHECKING:
    from autograder.records.course import Course

LESSON, COPY = "backpropagation", "backpropagation-in-cells"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--autoreload", action="store_true", help="in both notebooks")
    given = parser.parse_args()
    described = machine("numpy", "ipython")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        course = two_assignments(Path(folder) / "course", autoreload=given.autoreload)
        both = [
            stack.enter_context(contextlib.closing(each_graded(course, name, given.pairs))) for name in (LESSON, COPY)
        ]
        pairs = []
        for number, pair in enumerate(zip(*both, strict=False), 1):
            said(f"pair {number} of {given.pairs}: {' and '.join(f'{sum(one.values()):.2f} s' for one in pair)}")
            pairs.append(pair)
    kept = pairs[1:] or pairs
    rows = []
    for part in (*PARTS, "all of it"):
        module, cells = (
            [sum(one.values()) if part == "all of it" else one[part] for one in of] for of in zip(*kept, strict=True)
        )
        apart = statistics.median(a - b for a, b in zip(module, cells, strict=True))
        rows.append([part, f"{statistics.median(module):.3f}", f"{statistics.median(cells):.3f}", f"{apart:+.3f}"])
    low, middle, high = statistics.quantiles([sum(a.values()) / sum(b.values()) for a, b in kept], n=4)
    print(f"{described}; CPU seconds, {len(kept)} pairs\n\n{markdown(['', 'module', 'cells', 'difference'], rows)}")
    print(f"\nA module takes {middle:.3f} times what cells take (quartiles {low:.3f} to {high:.3f}).")


def two_assignments(root: Path, *, autoreload: bool) -> Course:
    """Make the demo's course with the lesson, and with a copy of it that has the module in a cell."""
    import nbformat
    from helpers.lessons import prepared_course

    from autograder import demo

    demo.make_course(root)
    settings = (root / "course.yaml").read_text()
    (block,) = re.findall(rf"^  {LESSON}:\n(?:    .*\n|\n)+", settings, re.M)
    (root / "course.yaml").write_text(f"{settings}\n{block.replace(LESSON, COPY)}")
    (root / "source" / COPY).mkdir()
    course = prepared_course(LESSON, root)
    source, copy = course.source(LESSON), course.source(COPY)
    shutil.copytree(source / "hidden", copy / "hidden")
    notebook = nbformat.read(source / f"{LESSON}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        cell.source = re.sub(r"^import layers\n", "", cell.source, flags=re.M).replace("layers.", "")
    if not autoreload:
        code[0].source = re.sub(r"^%.*\n+", "", code[0].source, flags=re.M)
    answer = nbformat.v4.new_code_cell((source / "layers.py").read_text(), id="layers")
    marks = {"grade": False, "locked": False, "schema_version": 3, "solution": True, "task": False}
    answer.metadata["nbgrader"] = marks | {"grade_id": "layers"}
    notebook.cells.insert(notebook.cells.index(code[0]) + 1, answer)
    nbformat.write(notebook, copy / f"{COPY}.ipynb")
    return course


if __name__ == "__main__":
    main()
