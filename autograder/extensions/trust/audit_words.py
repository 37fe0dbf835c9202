"""Sentences of an audit: what a weak test looks at, and which check would see a survivor."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from autograder._util.syntax import parsed
from autograder.extensions.trust.audit_equivalence import Comparison
from autograder.extensions.trust.audit_records import MutantVerdict, QuestionTally, Result
from autograder.extensions.trust.mutants import Mutant, cheats, network_slips
from autograder.extensions.trust.probe import CALL, CHANGES
from autograder.lint.certain import certain
from autograder.records.exam import Exam
from autograder.syntax.magics import without_magics

MIN_TO_JUDGE = 3
"""Wrong answers without which a question is called neither weak nor strong."""
WEAK_SHARE = 0.8
"""Share of caught answers below which a question is called weak."""


def with_remarks(
    exams: Sequence[Exam], tallies: Iterable[QuestionTally], results: Sequence[Result]
) -> Iterator[QuestionTally]:
    """Add to each question what its survivors, and its own text, show about its tests."""
    sources = {(exam.notebook, str(cell.grade_id)): cell.source for exam in exams for cell in exam.cells}
    for tally in tallies:
        fed = [r for r in results if r.mutant.notebook == tally.notebook and tally.id in r.mutant.feeds.direct]
        tree = parsed(without_magics(sources[tally.notebook, tally.id])) or ast.Module([], [])
        sentences = [*remarks(tally, fed), *idle_lines(tree)]
        has_holes = any(r.verdict is MutantVerdict.SURVIVED and r.is_decided for r in fed)
        if has_holes and is_single_example(tree) and not any("one example" in remark for remark in sentences):
            sentences.append("It tries one example only.")
        yield replace(tally, remarks=tuple(sentences))


def idle_lines(tree: ast.Module) -> Iterator[str]:
    """Name the lines of a test that can fail nobody: ``assert x or True``, an ``if`` that only passes."""
    for node, reason, _ in certain(tree, {}):
        yield f"Line {getattr(node, 'lineno', 1)} of its test can fail nobody: {reason}."
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and all(isinstance(one, ast.Pass) for one in (*node.body, *node.orelse)):
            yield f"Line {node.lineno} of its test can fail nobody: the `if` does nothing."


def is_single_example(tree: ast.Module) -> bool:
    """Tell whether a test calls one function of its own notebook, once, and not in a loop."""
    if any(isinstance(node, ast.For | ast.While | ast.comprehension) for node in ast.walk(tree)):
        return False
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    asserted = [node.func.id for node in calls if isinstance(node.func, ast.Name)]
    functions = [name for name in asserted if not hasattr(builtins, name)]
    return len(functions) == 1 and not any(
        isinstance(node.func, ast.Attribute) and node.func.attr == "function" for node in calls
    )


def remarks(tally: QuestionTally, fed: Sequence[Result]) -> Iterator[str]:
    """Say in words what a question's tests look at, where they look at too little.

    Args:
        tally: the question.
        fed: results of the mutants of answers that feed it directly.
    """
    survivors = [result for result in fed if result.verdict is MutantVerdict.SURVIVED]
    surviving = {result.mutant.operator for result in survivors}
    telling = [sentence for operators, sentence in _PROBES if surviving & operators]
    yield from telling[:1]
    caught = [result for result in fed if result.is_caught_by(tally.id) and result.verdict is MutantVerdict.CAUGHT]
    if not caught and tally.by_others >= MIN_TO_JUDGE:
        yield f"It catches nothing itself: other questions caught all {tally.by_others} wrong answers."
    if len(caught) >= MIN_TO_JUDGE and all(result.raised for result in caught):
        yield "It catches only answers that raise an error: no wrong result loses points."
    decided = [result for result in survivors if result.is_decided and result.mutant.family != "cheat"]
    if not decided:
        return
    share = (tally.mutants - tally.survived) / tally.mutants
    if tally.mutants >= MIN_TO_JUDGE and share < WEAK_SHARE:
        yield f"Weak: {tally.survived} of {tally.mutants} wrong answers keep all their points."
    if not telling:
        yield f"It does not see: {'; '.join(dict.fromkeys(result.mutant.operator for result in decided[:4]))}."


def by_telling(results: Iterable[Result]) -> list[Result]:
    """Order survivors: first those that tell most of a test, then those that were shown to differ."""
    ranks = {operator: rank for rank, (operators, _) in enumerate(_PROBES) for operator in operators}
    last = len(_PROBES)
    return sorted(results, key=lambda r: (ranks.get(r.mutant.operator, last), not r.is_decided, len(r.reason)))


_PROBES: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({cheats.NOTHING}), "It looks at nothing: an answer of `None` keeps all points."),
    (
        frozenset({cheats.SAME_TYPE}),
        "It looks at the type alone: a value of the right type with another content and shape keeps all points.",
    ),
    (
        frozenset({cheats.UNTRAINED, cheats.EQUAL_ODDS, cheats.PATCHED}),
        "Its threshold is met without learning: an untrained network keeps all points.",
    ),
    (
        frozenset({cheats.SAME_SHAPE}),
        "It looks at the shape alone: zeros of the right type and shape keep all points.",
    ),
    (frozenset({cheats.ITS_INPUT}), "It does not ask for work: a function that returns its argument keeps all points."),
    (
        frozenset({cheats.CONSTANT}),
        "It tries one example only: a function that always returns this one result keeps all points.",
    ),
    (
        frozenset({cheats.TABLE}),
        "It tries only the examples that students see: a table of them keeps all points.",
    ),
    (
        frozenset({cheats.TABLE_COLUMNS, cheats.TABLE_GAP, cheats.TABLE_PAIRS, cheats.TABLE_TEXTS}),
        "It looks at a part of the table: other columns, pairs, types or missing values keep all points.",
    ),
    (
        frozenset({cheats.STATED}),
        "It believes a number that the answer states: one that is 5 % away keeps all points.",
    ),
    (
        frozenset({cheats.NEARLY}),
        "Its tolerance is wide: results that are 5 % too large keep all points.",
    ),
    (
        frozenset({network_slips.LINEAR}),
        "A linear model passes: nothing in its threshold needs the hidden layers.",
    ),
    (
        frozenset({"copy left out"}),
        "It does not look at what becomes of the argument: an answer that changes it keeps all points.",
    ),
    (
        frozenset({"no training", "one epoch", "labels in the reverse order", "all labels of one class"}),
        "Its threshold is met by a network that was hardly trained, or trained on wrong labels.",
    ),
)
"""Wrong answers that tell what a test looks at, the most telling first → the sentence if one of them survives."""


def advice(mutant: Mutant, comparison: Comparison) -> str:
    """Name the check of the vocabulary that would see a survivor; empty where none is known."""
    if mutant.family == "network":
        return next((text for words, text in _FOR_NETWORKS if any(word in mutant.operator for word in words)), _HOLDOUT)
    if mutant.family == "data" or (mutant.family == "cheat" and mutant.operator in _OF_NETWORKS):
        return _HOLDOUT
    if comparison.kind == CHANGES:
        line = f"# examine: {comparison.name} changes …"
        return f"Compare the argument after the call with a copy, and let the call change it: `{line}`."
    if comparison.case and "…" not in comparison.case and "<" not in comparison.case:
        return f"It would be seen by `check.function({comparison.name}, cases=[{comparison.case}])`."
    if comparison.kind == CALL:
        return f"More cases of `check.function({comparison.name}, …)` would see it; one of them is shown below."
    if comparison.name:
        return f"It would be seen by `check.close({comparison.name}, …)` in a hidden test."
    return ""


_HOLDOUT = (
    "What it learned shows on rows that students do not have: `check.loss(model, on=check.hidden_data(…), below=…)` "
    "or `check.accuracy`, with a threshold that it misses (`autograder calibrate` proposes one)."
)
_OF_NETWORKS = frozenset({cheats.UNTRAINED, cheats.EQUAL_ODDS, cheats.PATCHED})
_ARCHITECTURE = (
    "`check.architecture(model, [...])` would see it, if this layer is part of the task: name it as in "
    '`check.dense(64, "relu")`.'
)
_COMPILED = "`check.compiled(model, …)` would see it, if this setting is part of the task."
_FOR_NETWORKS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("learning rate", "optimizer", "adam", "sgd", "mse", "mae", "crossentropy"), _COMPILED),
    (
        ("units", "unit too many", "bias", "frozen"),
        "`check.parameters(model, exactly=…)` or `check.architecture` would see it, if the size is part of the task.",
    ),
    (("layer too many", " left out", "sigmoid", "softmax", "relu", "start at zero"), _ARCHITECTURE),
    (
        ("for val_loss", "for val_accuracy", "for loss", "for accuracy"),
        "`check.close` against what the model itself gives on the validation rows would see it.",
    ),
)
"""Words of an operator → the check that would see it."""
