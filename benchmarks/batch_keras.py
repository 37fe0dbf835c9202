"""A batch of Keras submissions: this kit beside nbgrader, otter, bare scripts, and the students' own work.

    benchmarks/batch_keras.py                       40 submissions, 5 for the slow ones: about a quarter of an hour
    benchmarks/batch_keras.py --quick               4 submissions, 2 for the slow ones: about three minutes
    benchmarks/batch_keras.py --short               the rows that decide: about three minutes
    benchmarks/batch_keras.py --make-otter-venv .otter
    benchmarks/batch_keras.py --otter .otter/bin/python

The exercise: 12,000 rows of the stand-in (93 features, 9 classes), a small network, five epochs, five questions, one
with a threshold for the validation loss. No two submissions are the same, and some are partly wrong. Every grader must
give the right scores, or no table is printed.

The table (Markdown, standard output) has for each grader the wall-clock and CPU seconds of a submission, which are
those of the whole command divided by the number of submissions; how many times faster than `nbgrader autograde` this
is; and how many times the floor. The floor is the students' own work, two at a time, forked from a process that has
imported everything. Each figure is the median of the rounds, which run in turn. Otter is measured only if its python is
given; it grades one notebook after the other (`otter grade` needs Docker).
"""

from __future__ import annotations

from pathlib import Path

from exercise import Exercise, Question
from graders import (
    NBGRADER,
    ROOT,
    Competitor,
    compared,
    floors,
    make_otter,
    nbgrader,
    otter,
    ours,
    own,
    parser,
    scripts,
)
from measurement import machine

SETUP = """\
import numpy as np
import keras
from kaggle_data import make_synthetic, preprocess_data, preprocess_labels

counts, labels = make_synthetic(12_000, seed=7)
X, scaler = preprocess_data(counts)
y, encoder = preprocess_labels(labels)
X_train, X_val, y_train, y_val = X[:10_000], X[10_000:], y[:10_000], y[10_000:]"""


def network(number: int) -> str:
    return f"""\
keras.utils.set_random_seed({number})
model = keras.Sequential([
    keras.Input((93,)),
    keras.layers.Dense({64 + number % 50}, activation="relu"),
    keras.layers.Dense(9, activation="softmax"),
])
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])"""


def parameters(number: int) -> str:
    return "parameters = model.count_params()" + (" - 9" if number % 7 == 3 else "")


TRAINING = """\
history = model.fit(X_train, y_train, batch_size=128, epochs=5, validation_data=(X_val, y_val), verbose=0)
losses = history.history["loss"]"""


def most_likely(number: int) -> str:
    return f"def most_likely(rows):\n    return np.argmax(rows, axis=1){'' if number % 4 == 2 else ' + 1'}"


EXERCISE = Exercise(
    name="network",
    setup=SETUP,
    questions=(
        Question(
            "network",
            network,
            "assert model.input_shape == (None, 93)",
            "assert model.output_shape == (None, 9)",
        ),
        Question(
            "parameters",
            parameters,
            "assert parameters < 50_000",
            "assert parameters == model.count_params()",
        ),
        Question("training", lambda number: TRAINING, "assert len(losses) == 5", "assert losses[-1] < losses[0]"),
        Question(
            "loss",
            lambda number: "probabilities = model.predict(X_val, verbose=0)",
            "assert probabilities.shape == (2_000, 9)",
            "chosen = model.predict(X_val, verbose=0)[np.arange(2_000), y_val.argmax(axis=1)]\n"
            "assert -np.log(chosen).mean() < 0.7",
        ),
        Question(
            "most_likely",
            most_likely,
            "assert list(most_likely(np.eye(3))) == [1, 2, 3]",
            "assert list(most_likely(np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]]))) == [3, 1]",
        ),
    ),
    score=lambda number: 5.0 - (number % 7 == 3) - (number % 4 == 2),
    imports=("numpy", "keras", "tensorflow", "kaggle_data"),
    files={"kaggle_data.py": ROOT / "kaggle_data.py"},
)


def main() -> None:
    options = parser(__doc__, 40, 5)
    options.add_argument("--otter", type=Path, metavar="PYTHON", help="the python that otter-grader is installed for")
    options.add_argument("--make-otter-venv", type=Path, metavar="DIR", help="make that environment first, if need be")
    given = options.parse_args()
    described = machine("keras", "tensorflow", "nbgrader")
    python = given.otter
    if given.make_otter_venv:
        python = make_otter(given.make_otter_venv.absolute(), ["numpy", "keras", "tensorflow"])
    competitors = [
        *own([1, 2]),
        Competitor(
            "`autograder grade --workers 2`, warm start, `training: exact`", ours(2, "warm", "exact"), extra=True
        ),
        Competitor(NBGRADER, nbgrader, slow=True),
        *([Competitor("`otter run`, one after the other", otter(python.absolute()), slow=True)] if python else []),
        Competitor("`python script.py`, imports included, no test", scripts, slow=True, extra=True),
        *floors(),
    ]
    print(f"{described}. {compared(EXERCISE, competitors, given)}")


if __name__ == "__main__":
    main()
