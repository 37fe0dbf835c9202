"""Patterns of layers for comparison with an architecture. :mod:`vocabulary` gives their names a meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any, TypeAlias

from autograder.errors import CourseError

ANY_KIND = "*"


@dataclass(frozen=True)
class Range:
    """A number between bounds, both included; made by :func:`between`, :func:`at_least` and :func:`at_most`."""

    low: float | None = None
    high: float | None = None

    def __contains__(self, value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        if self.low is None:
            return f"at most {self.high:,}"
        return f"at least {self.low:,}" if self.high is None else f"{self.low:,} to {self.high:,}"


@dataclass(frozen=True)
class LayerPattern:
    """A kind of layer with required attributes; made by :func:`layer`."""

    kind: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def activation(self) -> str | None:
        """The canonical name of the activation; None if any activation is accepted."""
        return self.attributes.get("activation")

    @property
    def fusable(self) -> bool:
        """Whether the next layer, if it is an activation, may count as this layer's own activation."""
        return fuses(self.kind) and self.activation in (None, "linear")

    def with_activation(self, activation: str) -> LayerPattern:
        """Return the pattern with this activation."""
        return LayerPattern(self.kind, {**self.attributes, "activation": activation})

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={value}" for key, value in self.attributes.items())
        kind = "any layer" if self.kind == ANY_KIND else self.kind
        return f"{kind}({inside})" if inside else kind


@dataclass(frozen=True)
class AnyOf:
    """A choice between several runs of layers; made by :func:`any_of`."""

    options: tuple[Run, ...]

    def __str__(self) -> str:
        return " or ".join(run_text(option, brackets=True) for option in self.options)


@dataclass(frozen=True)
class Repeat:
    """A run of layers that occurs several times; made by :func:`repeat` and :func:`optional`."""

    run: Run
    low: int
    high: int | None

    def __str__(self) -> str:
        run = run_text(self.run, brackets=True)
        if (self.low, self.high) == (0, 1):
            return f"perhaps {run}"
        if self.low == self.high:
            return f"{self.low} × {run}"
        return f"{Range(self.low, self.high)} × {run}"


Item: TypeAlias = "LayerPattern | AnyOf | Repeat | EllipsisType"
Run: TypeAlias = "tuple[Item, ...]"


def run_text(run: Run, *, brackets: bool = False) -> str:
    """Return the text of a run for a message."""
    text = " → ".join("..." if item is ... else str(item) for item in run)
    return f"({text})" if brackets and len(run) > 1 else text


def layer(kind: str | type, **attributes: Any) -> LayerPattern:
    """Return a pattern for a layer of this kind; attributes that are not named may have any value.

    Args:
        kind: a class of ``keras.layers`` or its name, ``"Dense"``; a class of scikit-learn or ``torch.nn``; or ``"*"``
            for one layer of any kind.
        attributes: any arguments of the class: ``units=512, activation="relu", kernel_size=3``. A number may be a
            range: ``units=check.between(64, 512)``.

    Raises:
        CourseError: attributes are given for ``"*"``.

    >>> layer("Dropout", rate=0.5)
    LayerPattern(kind='Dropout', attributes={'rate': 0.5})
    """
    name = kind if isinstance(kind, str) else getattr(kind, "__name__", repr(kind))
    if name == ANY_KIND and attributes:
        raise CourseError('check.layer: "*" is a layer of any kind, and has no attributes.')
    return LayerPattern(name, attributes)


def dense(units: int | Range | None = None, activation: Any = None) -> LayerPattern:
    """Return a pattern for a Dense layer.

    Args:
        units: number of units; None accepts any number.
        activation: the activation; None accepts any activation.

    >>> dense(9, "softmax")
    LayerPattern(kind='Dense', attributes={'units': 9, 'activation': 'softmax'})
    """
    attributes = {"units": units, "activation": activation}
    return LayerPattern("Dense", {key: value for key, value in attributes.items() if value is not None})


def any_of(*options: Any) -> AnyOf:
    """Return a pattern that fits if at least one of the options fits.

    Args:
        options: layers, or lists of layers.

    Raises:
        CourseError: there is no option, or one is not a pattern.

    >>> str(any_of(layer("LSTM"), layer("GRU")))
    'LSTM or GRU'
    """
    if not options:
        raise CourseError(
            "check.any_of takes one or more check.layer(...) or check.dense(...) patterns, or lists of them."
        )
    return AnyOf(tuple(as_run(option, "check.any_of") for option in options))


def repeat(pattern: Any, *, at_least: int = 1, at_most: int | None = None) -> Repeat:
    """Return a pattern for a layer, or a list of layers, that occurs several times in a row.

    Args:
        pattern: what is repeated: ``[check.dense(), check.layer("Dropout")]``. The layers may differ from one
            repetition to the next, as long as each fits.
        at_least: the smallest number of repetitions.
        at_most: the largest number of repetitions; None for no limit.

    Raises:
        CourseError: the numbers are not whole numbers in order, or ``pattern`` is not a pattern.

    >>> str(repeat(dense(), at_least=2, at_most=3))
    '2 to 3 × Dense'
    """
    whole = type(at_least) is int and (at_most is None or type(at_most) is int)
    if not whole or at_least < 0 or (at_most is not None and (at_most < at_least or at_most < 1)) or at_least > 500:
        raise CourseError("check.repeat: at_least and at_most are whole numbers, at_least the smaller one.")
    return Repeat(as_run(pattern, "check.repeat"), at_least, at_most)


def optional(pattern: Any) -> Repeat:
    """Return a pattern for a layer, or a list of layers, that may be missing.

    Args:
        pattern: the layer or list of layers.

    >>> str(optional(layer("Dropout")))
    'perhaps Dropout'
    """
    return Repeat(as_run(pattern, "check.optional"), 0, 1)


def between(low: float, high: float) -> Range:
    """Return a range from ``low`` to ``high``, both included: ``check.dense(check.between(64, 512))``.

    Raises:
        CourseError: the bounds are not two numbers in order.
    """
    if not _is_number(low) or not _is_number(high) or low > high:
        raise CourseError("check.between takes two numbers, the smaller one first.")
    return Range(low, high)


def at_least(low: float) -> Range:
    """Return a range of numbers that are not smaller than ``low``.

    Raises:
        CourseError: ``low`` is not a number.
    """
    if not _is_number(low):
        raise CourseError("check.at_least takes a number.")
    return Range(low=low)


def at_most(high: float) -> Range:
    """Return a range of numbers that are not larger than ``high``.

    Raises:
        CourseError: ``high`` is not a number.
    """
    if not _is_number(high):
        raise CourseError("check.at_most takes a number.")
    return Range(high=high)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def as_run(value: Any, check_name: str) -> Run:
    """Return one pattern or a list of patterns as a run.

    Raises:
        CourseError: the value is something else, or an empty list.
    """
    items = tuple(value) if isinstance(value, list | tuple) else (value,)
    for item in items:
        if item is not ... and not isinstance(item, LayerPattern | AnyOf | Repeat):
            raise CourseError(f"{check_name}: {item!r} is not a pattern. Write check.layer('Dense', units=9).")
    if not items:
        raise CourseError(f"{check_name}: an empty list stands for no layer; use check.optional.")
    return items


def fuses(kind: str) -> bool:
    """Return whether layers of this kind have an activation argument that a separate layer could replace."""
    return kind in ("Dense", "EinsumDense") or (
        "Conv" in kind and not kind.startswith("ConvLSTM") and kind[-2:] in ("1D", "2D", "3D", "se")
    )


def singles(run: Run) -> Iterator[LayerPattern]:
    """Yield all patterns of single layers in a run, also those nested in other patterns."""
    for item in run:
        if isinstance(item, LayerPattern):
            yield item
        elif isinstance(item, AnyOf):
            for option in item.options:
                yield from singles(option)
        elif isinstance(item, Repeat):
            yield from singles(item.run)


def kinds_of(run: Run) -> set[str]:
    """Return the classes of layers that a run names."""
    return {single.kind for single in singles(run)}


def is_fixed(run: Run) -> bool:
    """Return whether the pattern leaves nothing open except attributes that it does not name."""
    return all(
        isinstance(item, LayerPattern)
        and item.kind != ANY_KIND
        and not any(isinstance(value, Range) for value in item.attributes.values())
        for item in run
    )
