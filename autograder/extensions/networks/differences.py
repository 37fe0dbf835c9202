"""The fewest differences between a pattern of layers and a model's steps.

The pattern becomes an automaton whose states are numbered in the order of the computation. As in the edit distance of
texts, ``costs[state][j]`` is the cost of the best path that starts in the state and goes through all steps from ``j``
on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any

from autograder.errors import CourseError
from autograder.extensions.networks.activations import same_activation
from autograder.extensions.networks.attributes import attribute_difference
from autograder.extensions.networks.pattern import ANY_KIND, AnyOf, LayerPattern, Repeat, Run
from autograder.extensions.networks.readings import LayerReading, own_reading, same_axis
from autograder.extensions.networks.steps import Step

MISSING, EXTRA, OTHER_KIND, ATTRIBUTE = 2.0, 2.0, 3.0, 0.75
MAX_STATES = 10_000
MAX_CELLS = 1_500_000
"""Limit for the states of a pattern times the steps of a model, which takes about ten seconds."""


class TooManyLayers(Exception):
    """The model is too large to be compared; ``str(error)`` is the message for the student."""


@dataclass(frozen=True)
class Difference:
    """A place where the model differs from the pattern."""

    text: str
    step: Step | None = None
    """The layer that differs or is one too many; if a layer is missing, the one before it."""
    pattern: LayerPattern | None = None
    """The layer that is expected there; None if the model's layer is one too many."""
    attribute: str = ""
    """The attribute that differs, or ``kind`` if several kinds are accepted; empty if the layer is a wrong one, missing
    or too many."""
    missing: bool = False


def differences(pattern: Run, steps: list[Step]) -> Iterator[Difference]:
    """Yield the differences in the order of the layers; none if the model fits.

    Raises:
        CourseError: the pattern is too large for any model.
        TooManyLayers: the pattern is too large for this model.
    """
    if len(Automaton(pattern, 0).states) > MAX_STATES:
        raise CourseError("check.architecture: the pattern is too large.")
    states = Automaton(pattern, len(steps)).states
    if len(states) > MAX_STATES or len(states) * (len(steps) + 1) > MAX_CELLS:
        raise TooManyLayers(
            f"The model has {len(steps):,} layers, which are too many to be compared with what is asked."
        )
    matches = PatternMatches(steps)
    costs = _costs(states, matches, len(steps))
    state = j = 0
    while state < len(states) - 1 or j < len(steps):
        state, j, step_differences = _best(states, costs, matches, state, j)
        yield from step_differences


# --- the automaton -----------------------------------------------------------------------------------


@dataclass
class PatternState:
    """A state of a pattern."""

    free: bool = False
    """Whether any number of arbitrary layers may stand here."""
    edges: list[tuple[LayerPattern, int]] = field(default_factory=list)
    jumps: list[int] = field(default_factory=list)


class Automaton:
    """The states of a pattern, from its start (the first) to its end (the last)."""

    def __init__(self, pattern: Run, length: int) -> None:
        self.length = length
        self.states = [PatternState()]
        self.end([self.run(pattern, 0)])

    def new(self, *, free: bool = False) -> int:
        """Add a state and return its number."""
        self.states.append(PatternState(free))
        return len(self.states) - 1

    def end(self, ends: list[int]) -> int:
        """Join the states ``ends`` in a new state and return its number."""
        last = self.new()
        for state in ends:
            self.states[state].jumps.append(last)
        return last

    def run(self, pattern: Run, start: int) -> int:
        """Add a run after ``start`` and return the state after it."""
        for item in pattern:
            if isinstance(item, EllipsisType):
                free = self.new(free=True)
                self.states[start].jumps.append(free)
                start = free
            elif isinstance(item, LayerPattern):
                after = self.new()
                self.states[start].edges.append((item, after))
                start = after
            elif isinstance(item, AnyOf):
                start = self.end([self.run(option, start) for option in item.options])
            else:
                start = self.repeated(item, start)
        return start

    def repeated(self, item: Repeat, start: int) -> int:
        """Add a repetition after ``start`` and return the state after it."""
        if len(self.states) > MAX_STATES:
            return start  # too large already
        for _ in range(item.low):
            start = self.run(item.run, start)
        ends = [start]
        most = self.length // max(1, _shortest(item.run)) + 1
        for _ in range(most if item.high is None else min(most, item.high - item.low)):
            ends.append(self.run(item.run, ends[-1]))
        return self.end(ends)


def _shortest(run: Run) -> int:
    total = 0
    for item in run:
        if isinstance(item, LayerPattern):
            total += 1
        elif isinstance(item, AnyOf):
            total += min(_shortest(option) for option in item.options)
        elif isinstance(item, Repeat):
            total += item.low * _shortest(item.run)
    return total


# --- the best way through it -------------------------------------------------------------------------


class PatternMatches:
    """A cache of the differences between steps and patterns."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        self.known: dict[tuple[int, int, bool], tuple[float, list[Difference]]] = {}

    def __call__(self, pattern: LayerPattern, j: int, after_run: bool) -> tuple[float, list[Difference]]:
        """Return the cost and the differences of a step, and a pattern that perhaps follows ``...``."""
        key = (id(pattern), j, after_run)
        if key not in self.known:
            mismatches = list(_mismatch(pattern, self.steps[j], after_run))
            other = any(not difference.attribute for difference in mismatches)
            self.known[key] = (OTHER_KIND if other else ATTRIBUTE * min(len(mismatches), 2), mismatches)
        return self.known[key]


def _costs(states: list[PatternState], matches: PatternMatches, length: int) -> list[list[float]]:
    costs = [[float("inf")] * (length + 1) for _ in states]
    costs[-1][length] = 0.0
    for number in range(len(states) - 1, -1, -1):
        state, row = states[number], costs[number]
        for j in range(length, -1, -1):
            choices = [row[j], *(costs[target][j] for target in state.jumps)]
            choices += [MISSING + costs[target][j] for _, target in state.edges]
            if j < length:
                choices.append(row[j + 1] + (0.0 if state.free or matches.steps[j].free else EXTRA))
                choices += [matches(p, j, state.free)[0] + costs[target][j + 1] for p, target in state.edges]
            row[j] = min(choices)
    return costs


def _best(
    states: list[PatternState], costs: list[list[float]], matches: PatternMatches, number: int, j: int
) -> tuple[int, int, list[Difference]]:
    """Take one step on the best path; return the next state, the next layer, and the differences between."""
    state, cost_here, steps = states[number], costs[number][j], matches.steps
    if j < len(steps):
        for pattern, target in state.edges:
            cost, mismatches = matches(pattern, j, state.free)
            if cost + costs[target][j + 1] == cost_here:
                return target, j + 1, _with_alternatives(mismatches, steps[j], state)
    for target in state.jumps:
        if costs[target][j] == cost_here:
            return target, j, []
    for pattern, target in state.edges:
        if MISSING + costs[target][j] == cost_here:
            position = f"after layer {steps[j - 1].number}" if j else "at the beginning"
            text = f"{position}: {_alternatives(state)} is missing"
            return target, j, [Difference(text, steps[j - 1] if j else None, pattern, missing=True)]
    step = steps[j]
    extra = [] if state.free or step.free else [Difference(f"{step.place}: {step} is one too many", step)]
    return number, j + 1, extra


def _alternatives(state: PatternState) -> str:
    return " or ".join(dict.fromkeys(str(pattern) for pattern, _ in state.edges))


def _with_alternatives(mismatches: list[Difference], step: Step, state: PatternState) -> list[Difference]:
    if not mismatches or mismatches[0].attribute or len(state.edges) == 1:
        return mismatches
    text = f"{step.place}: {step}, expected {_alternatives(state)}"
    return [Difference(text, step, attribute="kind")]


# --- one pattern, one step ---------------------------------------------------------------------------


def _mismatch(item: LayerPattern, step: Step, after_run: bool) -> Iterator[Difference]:
    """Yield the differences between a step and a pattern.

    If ``after_run``, the pattern follows ``...``. Then an activation alone may belong to a layer of which the rest is
    part of the run.
    """
    if item.kind == ANY_KIND and not (step.free and step.operation):
        return
    activation = item.activation
    if item.kind == "Activation" and (after_run or step.kind == "Activation"):
        if step.activation is None or (activation and not same_activation(activation, step.activation)):
            text = f"{step.place}: {_with_activation(step)}, expected activation {activation}"
            yield Difference(text, step, item, "activation")
    else:
        readings = [reading for reading in step.named(item.kind) if reading.only_with <= item.attributes.keys()]
        alternatives = [list(_attributes(item, step, reading)) for reading in readings]
        if alternatives:
            yield from min(alternatives, key=len)
        else:
            yield Difference(f"{step.place}: {step}, expected {item}", step, item)


def _attributes(item: LayerPattern, step: Step, reading: LayerReading) -> Iterator[Difference]:
    for key, expected in item.attributes.items():
        text: str | None = None
        if key in reading.parts:
            inner = _inner_difference(expected, reading.parts[key])
            text = inner and f"{step.kind} with {key} {inner}"
        elif key == "axis" and same_axis(step.layer, expected):
            continue
        elif key != "activation" or step.reported:
            is_own = step.reported or (reading.kind == step.kind and key not in reading.config)
            text = attribute_difference(step.layer if is_own else reading, key, expected)
            text = text and f"{reading.kind} with {text}"
        elif not same_activation(expected, reading.activation or "linear"):
            text = f"{_with_activation(step, reading)}, expected {expected}"
        if text:
            yield Difference(f"{step.place}: {text}", step, item, key)


def _inner_difference(expected: Any, held: Any) -> str | None:
    """Return how the layers that a wrapper holds differ from the patterns for them; None if they fit."""
    patterns, layers = (list(one) if isinstance(one, list | tuple) else [one] for one in (expected, held))
    inner = [Step(0, type(layer).__name__, layer, own_reading(layer).activation) for layer in layers]
    texts = " and ".join(map(str, patterns))
    if len(patterns) != len(inner):
        return f"{' and '.join(map(str, inner))}, expected {texts}"
    fits = all(not list(_mismatch(pattern, step, False)) for pattern, step in zip(patterns, inner, strict=True))
    return None if fits else f"{' and '.join(map(str, inner))}, expected {texts}"


def _with_activation(step: Step, reading: LayerReading | None = None) -> str:
    kind, activation = (step.kind, step.activation) if reading is None else (reading.kind, reading.activation)
    return f"{kind} without an activation" if activation in (None, "linear") else f"{kind} with activation {activation}"
