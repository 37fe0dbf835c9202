"""benchmarks/tutorial_numbers.py finds its numbers in the lessons, and its protocols train what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from helpers.lessons import ROOT, cell_of, lesson_names, source_notebook

pytestmark = pytest.mark.prose

SCRIPT = ROOT / "benchmarks/tutorial_numbers.py"


@pytest.fixture(scope="module")
def benchmark() -> Any:
    """The script as a module."""
    sys.path.insert(0, str(SCRIPT.parent))
    import tutorial_numbers

    return tutorial_numbers


@pytest.fixture(scope="module")
def rows(benchmark: Any) -> Any:
    dice = np.random.default_rng(5)
    X = dice.normal(size=(640, 93)).astype("float32")
    return benchmark.Rows(X, X[:, :9].argmax(axis=1))


def test_the_help_says_how_to_run_it_and_loads_no_tensorflow() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(SCRIPT), "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "benchmarks/tutorial_numbers.py --train data/otto/train.csv" in done.stdout
    assert "--spread N" in done.stdout
    assert not re.search(r"\| *(tensorflow|keras)$", done.stderr, re.M)


@pytest.mark.parametrize(
    ("words", "said"), [(["--train", "nowhere.csv"], "there is no such file"), (["--spread", "1"], "at least 2")]
)
def test_a_wrong_option_is_explained(benchmark: Any, words: list[str], said: str, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        benchmark.arguments(words)
    assert said in capsys.readouterr().err


def test_the_table_names_cells_that_print(benchmark: Any) -> None:
    """That they print just this is tested where the lessons run, in test_numbers.py."""
    keys = [row.key for row in benchmark.TABLE]
    assert len(set(keys)) == len(keys)
    for row in benchmark.TABLE:
        assert bool(row.lesson) is bool(row.cells)
        for grade_id, pattern in row.cells:
            assert row.lesson in lesson_names()
            assert re.search(r"print\(|report\(", cell_of(source_notebook(row.lesson), grade_id).source)
            assert re.compile(pattern).groups == 1


def test_a_number_that_a_cell_does_not_print_is_an_error(benchmark: Any) -> None:
    notebook = source_notebook("keras-fully-connected")
    with pytest.raises(LookupError, match="worked-fit prints nothing like"):
        benchmark.read(notebook, "worked-fit", r"loss ([\d.]+)")


def test_the_table_has_a_dash_where_a_column_has_no_number(benchmark: Any) -> None:
    lines = list(benchmark.table({"today": {"steps": "0.1 → 0.2"}}))
    assert lines[0] == "| | tutorial, 2017 | today |"
    assert sum("| 0.1 → 0.2 |" in line for line in lines) == 1
    assert sum(line.endswith("| – |") for line in lines) == len(benchmark.TABLE) - 1


def test_a_split_keeps_every_row_and_depends_on_its_seed_alone(rows: Any) -> None:
    (X, y), (X_valid, y_valid) = rows.split(3)
    assert (len(X), len(X_valid)) == (544, 96)
    assert len(y) == 544
    assert len(y_valid) == 96
    assert sorted(map(bytes, np.concatenate([X, X_valid]))) == sorted(map(bytes, rows.X))
    assert np.array_equal(rows.split(3)[0][0], X)
    assert not np.array_equal(rows.split(4)[0][0], X)


def test_the_protocols_without_keras_are_gradient_descent(benchmark: Any, rows: Any) -> None:
    """From weights 0 every score has the sign of the bias, which ten steps have made negative."""
    found = benchmark.PROTOCOLS[0](rows) | benchmark.PROTOCOLS[1](rows)
    assert set(found) == {"theano-random", "theano-zero", "theano-no", "steps"}
    assert 0.8 < float(found["theano-no"]) < 0.95
    first, last = map(float, found["steps"].split(" → "))
    assert 0.5 < first <= last


@pytest.mark.keras
@pytest.mark.slow
def test_the_protocols_with_keras_fill_the_rest_of_the_table(benchmark: Any, rows: Any) -> None:
    found = benchmark.PROTOCOLS[2](rows) | benchmark.PROTOCOLS[3](rows)
    rest = {row.key for row in benchmark.TABLE} - {"theano-random", "theano-zero", "theano-no", "steps"}
    assert set(found) == rest
    assert found["small-size"] == "846"
    assert found["wide-size"] == "10,309"
    before, after = map(float, found["sigmoid"].split(" → "))
    assert 1.372 < after < before
