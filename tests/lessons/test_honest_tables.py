"""A lesson on tables: however students write the right answer, they earn its points, or a person decides."""

from __future__ import annotations

import dataclasses
import functools
from typing import NamedTuple

import pytest
from helpers.examination import graded, observed
from helpers.exams import exam_of

from autograder.records.exam import Exam, Role

GIVEN = """
import io
import numpy as np
import pandas as pd

CSV = '''Species,Body Mass,Island
Adelie,3750,Torgersen
Adelie,,Biscoe
Gentoo,5050,Biscoe
Chinstrap,3500,Dream
Gentoo,5650,Biscoe
Adelie,3450,Dream
'''
"""
BIRDS = "birds = pd.DataFrame({'species': ['Adelie', 'Gentoo', 'Chinstrap', 'Gentoo', 'Adelie'], 'mass': [3750.0, 5050.0, 3500.0, 5650.0, 3450.0], 'island': ['Torgersen', 'Biscoe', 'Dream', 'Biscoe', 'Dream']})\n"


class Question(NamedTuple):
    """A question: its tests, as a teacher writes them, and right answers, of which the first is the solution."""

    test: str
    answers: tuple[str, ...]


QUESTIONS = {
    "a table that is read and cleaned": Question(
        """
assert list(birds.columns) == ["species", "mass", "island"]
assert birds.shape == (5, 3)
assert birds["mass"].isna().sum() == 0
assert birds["mass"].mean() == 4280
assert set(birds["species"]) == {"Adelie", "Gentoo", "Chinstrap"}
assert birds.loc[birds["mass"] > 5000, "island"].unique().tolist() == ["Biscoe"]
""",
        (
            "birds = pd.read_csv(io.StringIO(CSV)).dropna()\nbirds.columns = ['species', 'mass', 'island']",
            "birds = pd.read_csv(io.StringIO(CSV), names=['species', 'mass', 'island'], header=0).dropna()",
            "birds = pd.read_csv(io.StringIO(CSV)).rename(columns={'Species': 'species', 'Body Mass': 'mass', 'Island': 'island'})\n"
            "birds = birds[birds['mass'].notna()].reset_index(drop=True)",
            "birds = pd.read_csv(io.StringIO(CSV), dtype_backend='numpy_nullable')\n"
            "birds.columns = birds.columns.str.replace('Body ', '').str.lower()\nbirds = birds[~birds.mass.isna()]",
            "birds = pd.read_csv(io.StringIO(CSV), dtype={'Species': 'category', 'Island': 'category'})\n"
            "birds.columns = ['species', 'mass', 'island']\nbirds = birds.dropna(subset=['mass']).astype({'mass': int})",
            "rows = [line.split(',') for line in CSV.split()[2:]]\n"
            "birds = pd.DataFrame([(s, float(m), i) for s, m, i in rows if m], columns=['species', 'mass', 'island'])",
            "import csv\nkept = [r for r in csv.DictReader(CSV.splitlines()) if r['Body Mass']]\n"
            "birds = pd.DataFrame({'species': [r['Species'] for r in kept], 'mass': [int(r['Body Mass']) for r in kept], "
            "'island': [r['Island'] for r in kept]})",
            "table = np.genfromtxt(io.StringIO(CSV), delimiter=',', names=True, dtype=None, encoding='utf-8')\n"
            "birds = pd.DataFrame(table)\nbirds.columns = ['species', 'mass', 'island']\nbirds = birds[birds['mass'] > 0]",
            "birds = pd.read_csv(io.StringIO(CSV)).set_axis(['species', 'mass', 'island'], axis=1).query('mass == mass')",
        ),
    ),
    "means by group": Question(
        BIRDS
        + """
means = mean_mass(birds)
assert np.isclose(means["Gentoo"], 5350)
assert np.isclose(means["Adelie"], 3600)
assert len(means) == 3
assert sorted(means.keys()) == ["Adelie", "Chinstrap", "Gentoo"]
assert mean_mass(birds.iloc[:1])["Adelie"] == 3750
""",
        (
            "def mean_mass(table):\n    return table.groupby('species')['mass'].mean()",
            "def mean_mass(table):\n    return table.groupby('species').mass.agg('mean').to_dict()",
            "def mean_mass(table):\n    return {s: table[table.species == s].mass.mean() for s in table.species.unique()}",
            "def mean_mass(table):\n    return table.pivot_table(values='mass', index='species')['mass']",
            "def mean_mass(table):\n    sums, counts = {}, {}\n    for _, row in table.iterrows():\n"
            "        sums[row['species']] = sums.get(row['species'], 0) + row['mass']\n"
            "        counts[row['species']] = counts.get(row['species'], 0) + 1\n"
            "    return {k: sums[k] / counts[k] for k in sums}",
            "from collections import defaultdict\ndef mean_mass(table):\n    found = defaultdict(list)\n"
            "    for s, m in zip(table['species'], table['mass']):\n        found[s].append(m)\n"
            "    return pd.Series({s: np.mean(m) for s, m in found.items()})",
            "from collections import OrderedDict\ndef mean_mass(table):\n"
            "    return OrderedDict((s, np.float32(g.mass.mean())) for s, g in table.groupby('species'))",
            "def mean_mass(table):\n    totals = table.groupby('species', sort=False).agg(total=('mass', 'sum'), n=('mass', 'size'))\n"
            "    return totals.total / totals.n",
            "class Means(dict):\n    pass\n\ndef mean_mass(table):\n"
            "    return Means(table.groupby('species')['mass'].mean())",
            "def mean_mass(table):\n    return table.groupby(table.species.astype('category'), observed=True)['mass'].mean()",
        ),
    ),
    "a new column": Question(
        BIRDS
        + """
before = birds.copy()
heavy = with_kilograms(birds)
assert "kilograms" in heavy.columns
np.testing.assert_allclose(heavy["kilograms"], birds["mass"] / 1000)
assert heavy["species"].tolist() == before["species"].tolist()
pd.testing.assert_frame_equal(birds, before)
""",
        (
            "def with_kilograms(table):\n    table = table.copy()\n    table['kilograms'] = table['mass'] / 1000\n    return table",
            "def with_kilograms(table):\n    return table.assign(kilograms=table.mass / 1000)",
            "def with_kilograms(table):\n    return table.assign(kilograms=lambda t: t['mass'].div(1000).round(3))",
            "def with_kilograms(table):\n    return pd.concat([table, (table['mass'] / 1000).rename('kilograms')], axis=1)",
            "def with_kilograms(table):\n    new = pd.DataFrame(table)\n    new = new.eval('kilograms = mass / 1000')\n    return new",
            "def with_kilograms(table):\n    new = table.copy()\n    new.insert(0, 'kilograms', [m / 1000 for m in new['mass']])\n    return new",
            "def with_kilograms(table):\n    return table.join(table[['mass']].rename(columns={'mass': 'kilograms'}) / 1000)",
            "def with_kilograms(table):\n    rows = table.to_dict('records')\n    for row in rows:\n"
            "        row['kilograms'] = row['mass'] * 0.001\n    return pd.DataFrame(rows)",
            "import copy\ndef with_kilograms(table):\n    new = copy.deepcopy(table)\n"
            "    new.loc[:, 'kilograms'] = new['mass'].apply(lambda grams: grams / 1000)\n    return new",
        ),
    ),
    "labels": Question(
        BIRDS
        + """
sizes = label(birds)
assert list(sizes) == ["small", "large", "small", "large", "small"]
assert len(sizes) == len(birds)
assert (pd.Series(sizes) == "large").sum() == 2
assert list(label(birds.iloc[[1]])) == ["large"]
""",
        (
            "def label(table):\n    return table['mass'].apply(lambda m: 'large' if m > 5000 else 'small')",
            "def label(table):\n    return np.where(table['mass'] > 5000, 'large', 'small')",
            "def label(table):\n    return ['large' if m > 5000 else 'small' for m in table.mass]",
            "def label(table):\n    return tuple('large' if m > 5000 else 'small' for m in table.mass)",
            "def label(table):\n    return pd.cut(table['mass'], [0, 5000, np.inf], labels=['small', 'large'])",
            "def label(table):\n    sizes = pd.Series('small', index=table.index)\n    sizes[table.mass > 5000] = 'large'\n    return sizes",
            "def label(table):\n    return (table.mass > 5000).map({True: 'large', False: 'small'})",
            "def label(table):\n    names = np.array(['small', 'large'])\n    return [names[int(m > 5000)] for m in table['mass']]",
            "def label(table):\n    return np.select([table.mass > 5000], [np.str_('large')], np.str_('small')).tolist()",
            "from enum import Enum\nclass Size(str, Enum):\n    SMALL = 'small'\n    LARGE = 'large'\n\n"
            "def label(table):\n    return [Size.LARGE if m > 5000 else Size.SMALL for m in table['mass']]",
            "def label(table):\n    return pd.Series(pd.Categorical.from_codes((table.mass > 5000).astype(int), ['small', 'large']))",
        ),
    ),
    "the heaviest": Question(
        BIRDS
        + """
top = heaviest(birds, 2)
assert len(top) == 2
assert list(top["mass"]) == [5650, 5050]
assert (top["species"] == "Gentoo").all()
assert heaviest(birds, 1).iloc[0]["mass"] == 5650
assert heaviest(birds, 5)["mass"].is_monotonic_decreasing
""",
        (
            "def heaviest(table, n):\n    return table.sort_values('mass', ascending=False).head(n)",
            "def heaviest(table, n):\n    return table.nlargest(n, 'mass')",
            "def heaviest(table, n):\n    return table.iloc[np.argsort(-table['mass'].to_numpy())[:n]]",
            "def heaviest(table, n):\n    return table.sort_values('mass')[::-1][:n].reset_index(drop=True)",
            "def heaviest(table, n):\n    return table.loc[table['mass'].sort_values(ascending=False).index[:n]]",
            "def heaviest(table, n):\n    ranks = table['mass'].rank(ascending=False)\n"
            "    return table[ranks <= n].sort_values(by='mass', ascending=False)",
            "def heaviest(table, n):\n    rows = sorted(table.to_dict('records'), key=lambda row: row['mass'], reverse=True)\n"
            "    return pd.DataFrame(rows[:n])",
            "def heaviest(table, n):\n    table.sort_values('mass', ascending=False, inplace=True)\n    return table.head(n)",
            "def heaviest(table, n):\n    return table.set_index('mass', drop=False).sort_index(ascending=False).iloc[:n]",
        ),
    ),
    "numbers of groups": Question(
        BIRDS
        + """
found = counts(birds)
assert found["Biscoe"] == 2
assert found["Torgersen"] == 1
assert sum(found[island] for island in ["Biscoe", "Dream", "Torgersen"]) == 5
assert max(found.keys(), key=lambda island: (found[island], island)) == "Dream"
""",
        (
            "def counts(table):\n    return table['island'].value_counts()",
            "def counts(table):\n    return table.groupby('island').size()",
            "def counts(table):\n    return dict(table['island'].value_counts())",
            "from collections import Counter\ndef counts(table):\n    return Counter(table['island'])",
            "def counts(table):\n    return {name: list(table.island).count(name) for name in set(table.island)}",
            "def counts(table):\n    return dict(zip(*np.unique(table['island'].astype(str), return_counts=True)))",
            "def counts(table):\n    return table.groupby('island')['mass'].count()",
            "def counts(table):\n    return pd.crosstab(table['island'], 'n')['n']",
            "from collections import defaultdict\ndef counts(table):\n    found = defaultdict(int)\n"
            "    for name in table['island']:\n        found[name] += 1\n    return found",
            "class Tally(dict):\n    def __missing__(self, key):\n        return 0\n\ndef counts(table):\n    tally = Tally()\n"
            "    for name in table.island:\n        tally[name] += 1\n    return tally",
        ),
    ),
    "standardized numbers": Question(
        """
X = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 60.0]])
Z = standardize(X)
assert np.shape(Z) == (3, 2)
assert np.allclose(np.mean(Z, axis=0), 0)
assert np.allclose(np.std(Z, axis=0), 1)
np.testing.assert_allclose(X[0], [1, 10])
""",
        (
            "def standardize(X):\n    return (X - X.mean(axis=0)) / X.std(axis=0)",
            "def standardize(X):\n    X = X.copy()\n    X -= X.mean(0)\n    X /= X.std(0)\n    return X",
            "def standardize(X):\n    return ((pd.DataFrame(X) - pd.DataFrame(X).mean()) / pd.DataFrame(X).std(ddof=0)).values",
            "def standardize(X):\n    return pd.DataFrame(X).apply(lambda c: (c - c.mean()) / c.std(ddof=0))",
            "def standardize(X):\n    columns = [(c - np.mean(c)) / np.std(c) for c in X.T]\n    return np.stack(columns, axis=1)",
            "def standardize(X):\n    return [[(x - m) / s for x, m, s in zip(row, X.mean(0), X.std(0))] for row in X]",
            "def standardize(X):\n    means, stds = np.average(X, axis=0), np.sqrt(np.var(X, axis=0))\n"
            "    return np.divide(np.subtract(X, means), stds)",
            "def standardize(X):\n    return ((X - X.mean(axis=0, keepdims=True)) / X.std(axis=0, keepdims=True)).astype(np.float64, order='F')",
        ),
    ),
    "one row": Question(
        BIRDS
        + """
name, mass = lightest(birds)
assert name == "Adelie"
assert mass == 3450
assert lightest(birds)[1] < 3500
assert tuple(lightest(birds[birds["species"] == "Gentoo"])) == ("Gentoo", 5050)
""",
        (
            "def lightest(table):\n    row = table.loc[table['mass'].idxmin()]\n    return row['species'], row['mass']",
            "def lightest(table):\n    return table.sort_values('mass').iloc[0][['species', 'mass']].tolist()",
            "def lightest(table):\n    return min(zip(table.species, table.mass), key=lambda pair: pair[1])",
            "def lightest(table):\n    return list(table.nsmallest(1, 'mass')[['species', 'mass']].to_numpy()[0])",
            "from collections import namedtuple\nBird = namedtuple('Bird', 'species mass')\ndef lightest(table):\n"
            "    return Bird(*table.loc[table.mass.idxmin(), ['species', 'mass']])",
            "from typing import NamedTuple\nclass Bird(NamedTuple):\n    species: str\n    mass: float\n\n"
            "def lightest(table):\n    i = int(table['mass'].to_numpy().argmin())\n"
            "    return Bird(table['species'].iloc[i], float(table['mass'].iloc[i]))",
            "def lightest(table):\n    least = None\n    for row in table.itertuples():\n"
            "        if least is None or row.mass < least.mass:\n            least = row\n    return least.species, int(least.mass)",
            "def lightest(table):\n    found = table[table.mass == table.mass.min()]\n    return found.species.item(), found.mass.item()",
        ),
    ),
}
ANSWERS = [(name, number) for name, question in QUESTIONS.items() for number in range(len(question.answers))]


@functools.cache
def exam(name: str) -> Exam:
    question = QUESTIONS[name]
    made = exam_of((Role.READ_ONLY, GIVEN), (Role.ANSWER, question.answers[0]), (Role.TEST, question.test))
    return dataclasses.replace(made, observations=observed(made))


def test_the_class_has_sixty_answers() -> None:
    assert len(ANSWERS) >= 60
    assert all(len(set(question.answers)) == len(question.answers) >= 8 for question in QUESTIONS.values())


@pytest.mark.parametrize(("name", "number"), ANSWERS)
def test_a_right_answer_earns_its_points(name: str, number: int) -> None:
    answer = QUESTIONS[name].answers[number]
    (result,) = graded(exam(name), cell1=answer)
    assert result.fraction == 1, f"{answer}\n{result.message}\n{result.detail}"
