"""The share of a course's changed cells that `autograder import` makes questions of, and what an audit says.

The course is a folder with students' notebooks and their solutions in pairs: `lab.ipynb` beside
`solutions/lab_Solution.ipynb`, as in MITDeepLearning/introtodeeplearning, which is to be fetched and is no part of the
project. Packages that are not here have stand-ins that do nothing, or, of the course's own package, what needs no
other one. Each lab is imported into a new course.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from measurement import machine, markdown  # noqa: E402 - found by the line above

from autograder.errors import AutograderError  # noqa: E402

COMET = """\
class Experiment:
    def __init__(self, *args, **kwargs):
        pass

    def __getattr__(self, name):
        return lambda *args, **kwargs: None


def init(*args, **kwargs):
    return Experiment()
"""
TQDM = """\
class tqdm:
    def __new__(cls, items, **options):
        return items
"""
DEMANDS = {
    'COMET_API_KEY = \\"\\"': 'COMET_API_KEY = \\"none\\"',
    "assert torch.cuda.is_available()": "assert True",
    "assert len(tf.config.list_physical_devices('GPU')) > 0": "assert True",
}
"""A key and a GPU, which the labs ask for: they run without."""
SONGS = 'os.path.join(cwd, "data", "irish.abc")'
LIMITS = "course: labs\nlimits:\n  cell_seconds: %d\n"


def pairs(course: Path) -> list[tuple[Path, Path]]:
    """Find the students' notebooks that have a solution."""
    found = []
    for solution in sorted(course.rglob("solutions/*_Solution.ipynb")):
        students = solution.parents[1] / f"{solution.stem.removesuffix('_Solution')}.ipynb"
        found += [(students, solution)] if students.is_file() else []
    return found


def laid_out(course: Path, students: Path, solution: Path, folder: Path) -> list[Path]:
    """Copy a pair into a folder, with stand-ins beside it."""
    package = folder / "mitdeeplearning"
    package.mkdir(parents=True)
    (folder / "comet_ml.py").write_text(COMET)
    (folder / "tqdm.py").write_text(TQDM)
    (package / "__init__.py").write_text("import mitdeeplearning.util\nimport mitdeeplearning.lab1\n")
    for name in ("util.py", "lab1.py"):
        text = (course / "mitdeeplearning" / name).read_text(encoding="utf-8")
        text = text.replace("import regex as re", "import re").replace(", overlapped=True", "")
        text = text.replace(SONGS, '"irish.abc"')
        (package / name).write_text(text, encoding="utf-8")
    shutil.copy(course / "mitdeeplearning/data/irish.abc", folder)
    copies = [folder / students.name, folder / solution.name]
    for path, copy in zip((students, solution), copies, strict=True):
        text = path.read_text(encoding="utf-8")
        for demand, other in DEMANDS.items():
            text = text.replace(demand, other)
        copy.write_text(text, encoding="utf-8")
    return copies


def audited(root: Path, minutes: float) -> list[str]:
    """Audit an imported assignment: caught of wrong answers, and honest rewrites that lost points."""
    from click.testing import CliRunner

    from autograder.cli import main

    page = root / "audit.json"
    words = ["audit", "lab", "--course", str(root), "--minutes", str(minutes), "--quiet", "--json", str(page)]
    said = CliRunner().invoke(main, words).output
    if not page.is_file():
        return [said.strip()[-100:], "–"]
    audit = json.loads(page.read_text())
    lost = sum(question["honest_lost"] for question in audit["questions"])
    return [f"{audit['caught']} of {audit['wrong']}", f"{lost} of {sum(q['honest'] for q in audit['questions'])}"]


def main() -> None:
    """Import each pair, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("course", type=Path, help="the folder with the labs")
    parser.add_argument("--only", default="", help="labs whose name has this in it")
    parser.add_argument("--seconds", type=int, default=40, help="time of a cell (default: 40)")
    parser.add_argument("--no-run", action="store_true", help="pair the cells, and run nothing")
    parser.add_argument("--audit", type=float, default=0.0, help="audit each for this many minutes")
    options = parser.parse_args()
    from autograder.extensions.authoring.course_import import import_assignment

    rows, notes = [], []
    for students, solution in (pair for pair in pairs(options.course) if options.only in pair[0].name):
        with tempfile.TemporaryDirectory() as folder:
            copies = laid_out(options.course, students, solution, Path(folder, "lab"))
            root = Path(folder, "course")
            root.mkdir()
            (root / "course.yaml").write_text(LIMITS % options.seconds)
            began = time.monotonic()
            try:
                made = import_assignment(
                    root, "lab", copies, seconds=options.seconds, run=not options.no_run, say=lambda step: None
                )
            except AutograderError as error:
                rows.append([students.stem, f"{error}"[:300], *["–"] * 5])
                continue
            seconds = time.monotonic() - began
            (notebook,) = made.values()
            tested = [name for name, question in notebook.questions.items() if question.test]
            is_audited = options.audit and tested
            rows.append(
                [
                    students.stem,
                    str(len(notebook.questions)),
                    str(len(tested)),
                    str(len(notebook.texts)),
                    f"{seconds:.0f}",
                    *(audited(root, options.audit) if is_audited else ["–", "–"]),
                ]
            )
            notes += [f"{students.stem}: {note}" for note in (*notebook.notes, f"tested: {', '.join(tested)}")]
        print(rows[-1], file=sys.stderr)
    print(machine())
    head = ["lab", "changed code cells", "with a test", "texts", "seconds", "wrong caught", "honest lost"]
    print(markdown(head, rows))
    print("\n".join(notes))


if __name__ == "__main__":
    main()
