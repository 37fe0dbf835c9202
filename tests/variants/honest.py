"""Honest variants: the instructor's answers, said otherwise. Each must earn what the solution earns.

A rule is a table's row (a pattern and what is written in its place) or a function of a source; it gives the sources
that it can make of one answer, none where it does not apply. :func:`variants` draws rules with a fixed seed and applies
a few of them, one after the other, to every answer of a lesson.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from autograder.records.exam import Exam, Role
from variants.networks import FORMS, Network, network_of, split_activations
from variants.rewriting import Renamed, normalised, rewrites
from variants.spellings import BLOCKS, TABLES

Way = Callable[[str, frozenset[str]], list[str]]
"""From an answer and the names that other cells use, to the same answer in other words."""


@dataclass(frozen=True)
class Rule:
    """One way to say the same."""

    name: str
    apply: Way


@dataclass(frozen=True)
class Variant:
    """The answers of one notebook that are not the instructor's, and the rules that made them."""

    lesson: str
    answers: dict[str, str]
    rules: dict[str, tuple[str, ...]]


def _rules() -> list[Rule]:
    rows = [row.split(" -> ") for table in TABLES for row in table.split("\n") if row]
    pairs = [(old.strip(), new.strip()) for old, new in rows]
    named = {" ".join(f"{old} → {new}".split()): (old, new) for old, new in [*pairs, *BLOCKS]}
    made = [Rule(name, _rewriting(old, new)) for name, (old, new) in named.items()]
    made += [Rule(f"network: {form.__name__[1:]}", _formed(form)) for form in FORMS]
    return [*made, *(Rule(way.__name__[1:], way) for way in WAYS)]


def _rewriting(old: str, new: str) -> Way:
    return lambda source, asked: rewrites(source, old, new)


def _formed(form: Callable[[Network], str]) -> Way:
    def way(source: str, asked: frozenset[str]) -> list[str]:
        network = network_of(source)
        return [form(network)] if network else []

    return way


# --- rules of whole answers -----------------------------------------------------------------------------


def _activations_apart(source: str, asked: frozenset[str]) -> list[str]:
    """Every activation as a layer of its own."""
    network = network_of(source)
    return split_activations(network) if network else []


def _other_names(source: str, asked: frozenset[str]) -> list[str]:
    """Other names for what no other cell uses."""
    tree = ast.parse(source)
    bound = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    bound += [n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    names = {name: f"my_{name.strip('_')}" for name in bound if name not in asked and name != "_"}
    return [ast.unparse(Renamed(names).visit(tree))] if names else []


def _in_a_function(source: str, asked: frozenset[str]) -> list[str]:
    """The whole cell as a function that returns what is asked for."""
    tree = ast.parse(source)
    assigned = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    results = sorted(assigned & asked)
    if not results or any(isinstance(node, ast.FunctionDef) for node in ast.walk(tree)):
        return []
    body = "\n".join(f"    {line}" for line in ast.unparse(tree).splitlines())
    listed = ", ".join(results)
    return [f"def solve():\n{body}\n    return {listed}\n\n{listed} = solve()"]


def _a_lambda(source: str, asked: frozenset[str]) -> list[str]:
    """A function of one expression as a lambda."""
    tree = ast.parse(source)
    match tree.body:
        case [ast.FunctionDef(decorator_list=[], body=[*texts, ast.Return(value=value)]) as function] if value:
            if all(isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) for text in texts):
                arguments = ", ".join(argument.arg for argument in function.args.args)
                return [f"{function.name} = lambda {arguments}: {ast.unparse(value)}"]
    return []


def _a_helper(source: str, asked: frozenset[str]) -> list[str]:
    """The work in a helper function, which the asked one calls."""
    tree = ast.parse(source)
    match tree.body:
        case [ast.FunctionDef(decorator_list=[]) as function]:
            arguments = ", ".join(argument.arg for argument in function.args.args)
            helper = ast.unparse(Renamed({function.name: f"{function.name}_helper"}).visit(ast.parse(source)))
            return [f"{helper}\n\ndef {function.name}({arguments}):\n    return {function.name}_helper({arguments})"]
    return []


def _type_hints(source: str, asked: frozenset[str]) -> list[str]:
    """Annotated arguments and results."""
    tree = ast.parse(source)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for function in functions:
        function.returns = ast.Name("object", ast.Load())
        for argument in function.args.args:
            argument.annotation = ast.Constant("np.ndarray")
    return [ast.unparse(tree)] if functions else []


def _chatty(source: str, asked: frozenset[str]) -> list[str]:
    """Prints, a comment and a warning on standard error."""
    return [f"import sys\nprint('here I am')\n{source}\n# that is all\nprint('done', file=sys.stderr)"]


def _from_numpy(source: str, asked: frozenset[str]) -> list[str]:
    """``from numpy import log`` for ``np.log``."""
    used = sorted(set(re.findall(r"\bnp\.(\w+)(?!\w*\.)", source)) - {"random"})
    if not used or re.search(r"\bnp\.random", source):
        return []
    imports = ", ".join(f"{name} as np_{name}" for name in used)
    return [f"from numpy import {imports}\n" + re.sub(r"\bnp\.(\w+)", r"np_\1", source)]


def _bare_layers(source: str, asked: frozenset[str]) -> list[str]:
    """``from keras.layers import Dense`` for ``layers.Dense``."""
    used = sorted(set(re.findall(r"\blayers\.(\w+)", source)))
    if not used:
        return []
    bare = re.sub(r"\blayers\.(\w+)", r"\1", source).replace("keras.Sequential", "Sequential")
    return [f"from keras.layers import {', '.join(used)}\nfrom keras import Sequential\n{bare}"]


def _tf_keras(source: str, asked: frozenset[str]) -> list[str]:
    """``tf.keras`` for ``keras``."""
    if not re.search(r"\b(?<!\.)(keras|layers)\.", source) or "from keras" in source:
        return []
    source = source.replace("keras.saving.load_model", "keras.models.load_model")  # tf.keras has no saving
    long = re.sub(r"\b(?<!\.)layers\.", "tf.keras.layers.", re.sub(r"\b(?<!\.)keras\.", "tf.keras.", source))
    return [f"import tensorflow as tf\n{long}"]


def _star_import(source: str, asked: frozenset[str]) -> list[str]:
    """``import keras as K`` and ``import keras.layers as L``."""
    if not re.search(r"\b(?<!\.)(keras|layers)\.", source) or "from keras" in source:
        return []
    short = re.sub(r"\b(?<!\.)layers\.", "L.", re.sub(r"\b(?<!\.)keras\.", "K.", source))
    return [f"import keras as K\nimport keras.layers as L\n{short}"]


def _named_numbers(source: str, asked: frozenset[str]) -> list[str]:
    """A number of the cell under a name of its own."""
    numbers = {n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant) and type(n.value) is int}
    made = []
    for value in sorted(number for number in numbers if number > 9):
        for named in rewrites(source, str(value), f"SIZE_{value}"):
            made.append(f"SIZE_{value} = {value}\n{named}")
    return made


def _tidied_up(source: str, asked: frozenset[str]) -> list[str]:
    """What is not asked for is deleted at the end."""
    tree = ast.parse(source)
    bound = {n.id for s in tree.body if isinstance(s, ast.Assign) for n in s.targets if isinstance(n, ast.Name)}
    spare = sorted(bound - asked)
    return [f"{source}\ndel {', '.join(spare)}"] if spare else []


def _twice(source: str, asked: frozenset[str]) -> list[str]:
    """A first attempt that fails, and is caught."""
    body = "\n".join(f"    {line}" for line in ast.unparse(ast.parse(source)).splitlines())
    return [f"try:\n    not_there\nexcept NameError:\n{body}"]


WAYS: tuple[Way, ...] = (
    _activations_apart, _other_names, _in_a_function, _a_lambda, _a_helper, _type_hints, _chatty, _from_numpy,
    _bare_layers, _tf_keras, _star_import, _named_numbers, _tidied_up, _twice,
)  # fmt: skip
RULES = tuple(_rules())

# --- the draw -------------------------------------------------------------------------------------------

SEED = 20_170_523


def asked_names(exam: Exam, grade_id: str | None) -> frozenset[str]:
    """Every word of the other cells: what an answer must go on calling by its name."""
    others = "\n".join(cell.source for cell in exam.cells if cell.grade_id != grade_id)
    return frozenset(re.findall(r"\w+", others))


def variants(exam: Exam, count: int) -> list[Variant]:
    """So many honest notebooks of a lesson, all different; every rule that applies to an answer is in one of them, if
    there are enough of them."""
    dice = random.Random(f"{SEED} {exam.assignment}")
    made: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for cell in exam.cells:
        if cell.role is Role.ANSWER:
            made[str(cell.grade_id)] = _said_otherwise(cell.source, asked_names(exam, cell.grade_id), count, dice)
    notebooks = []
    for index in range(count):
        answers = {name: rows[index][0] for name, rows in made.items()}
        notebooks.append(Variant(exam.assignment, answers, {name: rows[index][1] for name, rows in made.items()}))
    return notebooks


def _said_otherwise(
    solution: str, asked: frozenset[str], count: int, dice: random.Random
) -> list[tuple[str, tuple[str, ...]]]:
    """``count`` forms of an answer, each with its rules. The first two of each go round all that apply."""
    first = [rule for rule in RULES if rule.apply(solution, asked)]
    dice.shuffle(first)
    made, seen = [], {normalised(solution)}
    turn = 0
    while len(made) < count:
        chosen = [first[2 * turn % len(first)], first[(2 * turn + 1) % len(first)], *dice.choices(RULES, k=40)]
        turn += 1
        source, used = solution, []
        for rule in chosen:
            forms = rule.apply(source, asked) if len(used) < 2 + turn % 2 else []
            if forms:
                source, used = dice.choice(forms), [*used, rule.name]
        if normalised(source) not in seen or turn > 4 * count:
            seen.add(normalised(source))
            made.append((source, tuple(used)))
    return made
