"""Hidden data in texts that students read: a release warns of them."""

from __future__ import annotations

import ast

import pytest

from autograder.lint.hidden_words import hidden_words

DATA = 'h = check.hidden_data("rows.npz")\n'
IMPORTS = {"check": "autograder.check"}


def warned(source: str) -> int:
    return len(list(hidden_words(ast.parse(DATA + source), IMPORTS)))


@pytest.mark.parametrize(
    "source",
    [
        "check.report('all', 0, f\"wrong, such as {h['texts'][0]}\")",
        "check.report('all', 0, message='wrong: ' + str(h['texts'][0]))",
        "check.report('all', 0, message='wrong: {}'.format(h['texts']))",
        "print(h['x'])",
        "rows = h['x']\nprint('rows', rows[:3])",
        "for text in h['texts']:\n    assert f(text), f'{text} is wrong'",
        "assert f(1), check.hidden_data('rows.npz')['x'][0]",
        "rows = np.loadtxt(check.hidden_data('rows.csv'), skiprows=1)\nprint(rows[0])",
        "print(pd.read_csv(check.hidden_data('rows.csv')).iloc[0])",
        "print(json.loads(check.hidden_data('rows.json').read_text())['x'])",
        "check.close(f(h['x']), 3, name=f\"row {h['x'][0]}\")",
    ],
)
def test_a_text_with_a_hidden_value_is_warned_of(source: str) -> None:
    assert warned(source) == 1


@pytest.mark.parametrize(
    "source",
    [
        "check.report('all', 0, f\"{len(h['texts'])} rows\")",
        "check.report('all', f(h['x']), 'not right')",
        "print(h['x'].shape, np.mean(h['x']))",
        "print(f(3))",
        "rows = np.loadtxt(check.hidden_data('rows.csv'))\nprint(len(rows), f(rows), rows.mean())",
        "check.close(f(h['x']), 3, name=f\"{len(h['x'])} rows\")",
        "assert f(h['x'][0]) == 3, 'the first row'",
    ],
)
def test_counts_and_what_the_students_function_gives_are_no_hidden_values(source: str) -> None:
    assert warned(source) == 0
