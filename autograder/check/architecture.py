"""Compares a model's layers with a pattern, and says in a student's words where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from autograder.check.activations import same_activation
from autograder.check.pattern import AnyOf, Item, LayerPattern, normalized
from autograder.check.results import report
from autograder.check.shapes import shape_difference
from autograder.check.steps import Step, steps
from autograder.check.subject import not_rebuilt
from autograder.records import CheckResult

_MISSING, _EXTRA, _OTHER_KIND, _ATTRIBUTE = 2.0, 2.0, 3.0, 0.75


def architecture(
    model: Any,
    layers: Sequence[Any],
    *,
    input_shape: Any = None,
    output_shape: Any = None,
    show: bool = True,
    name: str = "layers",
    weight: float = 1.0,
) -> CheckResult:
    """Checks a model's layers against a pattern.

    The comparison is by meaning: a fused activation and one in a layer of its own are the same, Sequential
    and functional models are the same, models inside the model are opened, input layers are ignored.

    Args:
        model: a ``keras.Model``.
        layers: :func:`layer`, :func:`dense` and :func:`any_of` patterns, and ``...`` for any run of layers,
            also none.
        input_shape, output_shape: shapes of one row, ``(93,)``; a list or dict of them for several.
        show: False keeps the expected layers out of the student's message.

    Raises:
        CourseError: the pattern is wrong.

    >>> check.architecture(model, [..., check.dense(9, "softmax")], input_shape=(93,))  # doctest: +SKIP
    ✓ layers: as asked: Dense(units=100) → Dense(units=9, activation=softmax)
    """
    pattern = normalized(layers)
    problem = not_rebuilt(model)
    if problem:
        return report(name, 0.0, problem, weight=weight)
    found = steps(model)
    differences = list(_differences(pattern, found))
    for label, expected in (("input", input_shape), ("output", output_shape)):
        differences += shape_difference(model, label, expected)
    summary = " → ".join(map(str, found)) or "no layers"
    detail = f"expected: {' → '.join('...' if p is ... else str(p) for p in pattern)}; found: {summary}"
    if not differences:
        return report(name, 1.0, f"as asked: {summary}", weight=weight, detail=detail)
    message = "; ".join(differences[:8]) if show else "The layers are not as asked."
    return report(name, 0.0, message, weight=weight, detail="; ".join([*differences, detail]))


def _differences(pattern: list[Item], found: list[Step]) -> Iterator[str]:
    """The differences in the alignment that has the fewest of them (edit distance; ``...`` costs nothing)."""
    costs = _costs(pattern, found)
    i = j = 0
    while i < len(pattern) or j < len(found):
        here = costs[i][j]
        item = pattern[i] if i < len(pattern) else None
        if item is ...:
            i, j = (i + 1, j) if costs[i + 1][j] == here else (i, j + 1)
            continue
        if item is not None and j < len(found):
            lines = _mismatch(item, found[j], i > 0 and pattern[i - 1] is ...)
            if _weigh(lines) + costs[i + 1][j + 1] == here:
                yield from lines
                i, j = i + 1, j + 1
                continue
        if item is not None and _MISSING + costs[i + 1][j] == here:
            place = f"after layer {found[j - 1].number}" if j else "at the beginning"
            yield f"{place}: {item} is missing"
            i += 1
        else:
            yield f"layer {found[j].number}: {found[j]} is one too many"
            j += 1


def _costs(pattern: list[Item], found: list[Step]) -> list[list[float]]:
    """costs[i][j]: of the best alignment of pattern[i:] with found[j:]."""
    rows, columns = len(pattern), len(found)
    costs = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows, -1, -1):
        for j in range(columns, -1, -1):
            if i == rows:
                costs[i][j] = _EXTRA * (columns - j)
                continue
            item = pattern[i]
            free = item is ...
            choices = [costs[i + 1][j] + (0.0 if free else _MISSING)]
            if j < columns:
                choices.append(costs[i][j + 1] + (0.0 if free else _EXTRA))
                if not isinstance(item, type(...)):
                    lines = _mismatch(item, found[j], i > 0 and pattern[i - 1] is ...)
                    choices.append(_weigh(lines) + costs[i + 1][j + 1])
            costs[i][j] = min(choices)
    return costs


class _Lines(list[str]):
    """The differences between one pattern and one step."""

    other_kind = False


def _weigh(lines: _Lines) -> float:
    return _OTHER_KIND if lines.other_kind else _ATTRIBUTE * min(len(lines), 2)


def _mismatch(item: LayerPattern | AnyOf, step: Step, after_run: bool) -> _Lines:
    """How the step differs from the pattern. ``after_run``: the pattern follows ``...``, so that an
    activation alone may be the one of a layer whose other half belongs to the run."""
    if isinstance(item, AnyOf):
        return min((_mismatch(option, step, after_run) for option in item.options), key=_weigh)
    activation = item.activation
    if item.kind == "Activation" and (after_run or step.kind == "Activation"):
        lines = _Lines()
        if step.activation is None or (activation and not same_activation(activation, step.activation)):
            lines.append(f"layer {step.number}: {_with_activation(step)}, expected activation {activation}")
        return lines
    if item.kind != step.kind:
        lines = _Lines([f"layer {step.number}: {step}, expected {item}"])
        lines.other_kind = True
        return lines
    return _Lines(_attribute_lines(item, step))


def _attribute_lines(item: LayerPattern, step: Step) -> Iterator[str]:
    from autograder.check.attributes import attribute_difference

    for key, expected in item.attributes.items():
        if key == "activation":
            if not same_activation(expected, step.activation or "linear"):
                yield f"layer {step.number}: {_with_activation(step)}, expected {expected}"
        else:
            difference = attribute_difference(step.layer, key, expected)
            if difference:
                yield f"layer {step.number}: {step.kind} with {difference}"


def _with_activation(step: Step) -> str:
    if step.activation in (None, "linear"):
        return f"{step.kind} without an activation"
    return f"{step.kind} with activation {step.activation}"
