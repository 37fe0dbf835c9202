"""Seeds: which integers are drawn anew, and that nothing else of a notebook changes."""

from __future__ import annotations

import ast

import pytest
from helpers.exams import exam_of

from autograder.extensions.trust.calibration_seeds import CELL, Redrawing, redraw, seeds_of
from autograder.records.exam import Role

SEEDS = {
    "keras.utils.set_random_seed(7)": "import keras",
    "set_random_seed(7)": "from keras.utils import set_random_seed",
    "np.random.seed(7)": "import numpy as np",
    "numpy.random.default_rng(7).normal()": "import numpy",
    "rng = np.random.RandomState(7)": "import numpy as np",
    "tf.random.set_seed(7)": "import tensorflow as tf",
    "tf.keras.utils.set_random_seed(7)": "import tensorflow as tf",
    "random.seed(7)": "import random",
    "torch.manual_seed(7)": "import torch",
    "train_test_split(X, y, random_state=7, test_size=7)": "from sklearn.model_selection import train_test_split",
    "keras.layers.Dropout(0.7, seed=7)": "import keras",
    "np.random.seed(SEED)": "import numpy as np\nSEED = 7",
}
OTHERS = {
    "f(7)": "",
    "np.random.normal(7)": "import numpy as np",
    "np.random.seed(n)": "import numpy as np\nn = 3\nn = 4",
    "default_rng(seed)": "from numpy.random import default_rng\nseed = 7\ndef f(seed): pass",
    "np.random.seed(True)": "import numpy as np",
    "np.random.default_rng()": "import numpy as np",
    "split(rows, seed=7)": "def split(rows, seed): pass",
    "random.seed(7)": "import secrets as random",
    "text = 'np.random.seed(7)'": "import numpy as np",
    "np.random.seed(7": "import numpy as np",
}


def redrawn(source: str, before: str, seed: int = 1) -> str:
    return redraw([before, source], [[], []], Redrawing(seed))[1]


@pytest.mark.parametrize(("source", "before"), SEEDS.items(), ids=SEEDS)
def test_an_integer_in_a_known_seeding_call_is_drawn_anew(source: str, before: str) -> None:
    one, other = redrawn(source, before, 1), redrawn(source, before, 2)
    assert one != source != other
    assert one != other
    assert redrawn(source, before, 1) == one
    pattern = source.replace("SEED", "7").replace("test_size=7", "test_size=8")
    numbers = [n for n in ast.walk(ast.parse(one)) if isinstance(n, ast.Constant) and type(n.value) is int]
    new = next(n.value for n in numbers if n.value > 8)
    assert one.replace(str(new), "7").replace("test_size=7", "test_size=8") == pattern


@pytest.mark.parametrize(("source", "before"), OTHERS.items(), ids=OTHERS)
def test_all_other_numbers_stay(source: str, before: str) -> None:
    assert redrawn(source, before) == source


def test_equal_seeds_stay_equal_and_the_characters_around_them_stay() -> None:
    source = "%matplotlib inline\nimport random  # ä\nx = 'ü'; random.seed( 7 ) ;random.seed(8)\nrandom.seed(7)"
    (made,) = redraw([source], [[]], Redrawing(3))
    new = Redrawing(3)
    first, second = new(7), new(8)
    assert made == source.replace("8", str(second)).replace("7", str(first))


def test_a_tagged_cell_keeps_its_seeds() -> None:
    source = "import random\nrandom.seed(7)"
    assert redraw([source, source], [["keep-seeds"], []], Redrawing(1))[0] == source


def test_seeds_of_locked_cells_are_looked_up_in_a_cell_that_each_run_has() -> None:
    """The exam is the same for all runs: only the submission differs."""
    exam = exam_of(
        (Role.READ_ONLY, "import random\nrandom.seed(7)"), (Role.ANSWER, "x = random.random()"), (Role.TEST, "")
    )
    found = seeds_of(exam)
    assert found.exam.cells[0].grade_id == CELL
    assert (found.literals, found.count) == ({7}, 1)
    for cell in (found.exam.cells[1].source, found.exam.cells[1].released):
        values = []
        for start in ("", Redrawing(1).cell(found.literals), Redrawing(2).cell(found.literals)):
            names: dict[str, object] = {}
            exec(f"{start}\n{cell}\nx = random.random()", names)
            values.append(names["x"])
        original: dict[str, object] = {}
        exec("import random\nrandom.seed(7)\nx = random.random()", original)
        assert values[0] == original["x"]
        assert len(set(values)) == 3


def test_seeds_of_tests_stay() -> None:
    exam = exam_of((Role.ANSWER, "x = 1"), (Role.TEST, "import random\nrandom.seed(7)"))
    assert seeds_of(exam).exam == exam
    assert seeds_of(exam).count == 0
