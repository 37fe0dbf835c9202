"""A batch of small submissions that need only numpy: this kit with two workers beside nbgrader.

    benchmarks/batch_numpy.py            200 submissions, 20 for nbgrader and the scripts: about five minutes
    benchmarks/batch_numpy.py --quick    4 submissions, 2 for the slow ones: half a minute
    benchmarks/batch_numpy.py --short    the rows that decide: about a minute and a half

The students' own work is next to nothing here, so the figures show the grader's own cost. The table is that of
batch_keras.py; no two submissions are the same, some are partly wrong, and the scores must be right.
"""

from __future__ import annotations

from exercise import Exercise, Question
from graders import NBGRADER, Competitor, compared, floors, nbgrader, own, parser, scripts
from measurement import machine


def mean(number: int) -> str:
    return f"# {number}\ndef mean(values):\n    return sum(values) / len(values)"


def squares(number: int) -> str:
    return f"squares = [n * n for n in range({5 if number % 5 else 4})]"


def rescale(number: int) -> str:
    by = "values.max()" if number % 3 else "values.sum()"
    return f"def rescale(values):\n    values = np.asarray(values, float)\n    return values / {by}"


EXERCISE = Exercise(
    name="numbers",
    setup="import numpy as np",
    questions=(
        Question("mean", mean, "assert mean([1, 2, 3]) == 2", "assert mean([10, 1]) == 5.5"),
        Question("squares", squares, "assert squares[:3] == [0, 1, 4]", "assert squares == [0, 1, 4, 9, 16]"),
        Question(
            "line",
            lambda number: "x = np.arange(6.0)\nline = np.polyfit(x, 3 * x + 1, 1)",
            "assert line.shape == (2,)",
            "np.testing.assert_allclose(line, [3, 1], atol=1e-6)",
        ),
        Question(
            "rescale",
            rescale,
            "assert rescale([2, 4]).shape == (2,)",
            "np.testing.assert_allclose(rescale([1.5, 1.8, 2.0]), [0.75, 0.9, 1.0])",
        ),
    ),
    score=lambda number: 4.0 - (number % 5 == 0) - (number % 3 == 0),
    imports=("numpy",),
    limits={"memory_mib": 768},
)


def main() -> None:
    given = parser(__doc__, 200, 20).parse_args()
    described = machine("numpy", "nbgrader")
    competitors = [
        *own([2]),
        Competitor(NBGRADER, nbgrader, slow=True),
        Competitor("`python script.py`, imports included, no test", scripts, slow=True, extra=True),
        *floors(),
    ]
    print(f"{described}. {compared(EXERCISE, competitors, given)}")


if __name__ == "__main__":
    main()
