"""The meaning of names in a pattern: Keras layers, scikit-learn estimators, PyTorch modules."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from types import EllipsisType
from typing import Any

from autograder.check.activations import KINDS, expected_activation, layer_activation
from autograder.check.external_model import LIBRARIES
from autograder.check.pattern import ANY_KIND, AnyOf, Item, LayerPattern, Repeat, Run, as_run, singles
from autograder.errors import CourseError


def read_pattern(layers: Any, family: str, libraries: Sequence[str] = tuple(LIBRARIES)) -> tuple[str, Run]:
    """Return the library whose names a pattern uses, and the validated pattern in its canonical form.

    A name that two libraries have (``Dropout``) belongs to the model's own library. Whether a pattern is valid does not
    depend on the model.

    Args:
        layers: what the test's author wrote.
        family: the model's library; any other text if it has none.
        libraries: the libraries to consider.

    Raises:
        CourseError: it is not a list of patterns, or names a layer or an attribute that no library has.
    """
    if not isinstance(layers, list | tuple):
        raise CourseError("check.architecture: layers is a list of check.layer(...), check.dense(...) and ... .")
    run = as_run(layers, "check.architecture") if layers else ()
    kinds = {pattern.kind for pattern in singles(run)} - {ANY_KIND}
    errors: dict[str, CourseError] = {}
    for library in sorted(libraries, key=lambda library: library != family):
        if all(_class(library, kind) for kind in kinds):
            try:
                return library, _canonical(run, library)
            except CourseError as error:
                errors[library] = error
    for library in libraries:
        if library in errors:
            raise errors[library]
    raise CourseError(_unknown(sorted(kinds), libraries))


def _unknown(kinds: list[str], libraries: Sequence[str]) -> str:
    for kind in kinds:
        if not any(_class(library, kind) for library in libraries):
            near = difflib.get_close_matches(kind, [name for library in libraries for name in _names(library)], 1)
            absent = [LIBRARIES[library] for library in libraries if not _names(library)]
            hint = f" Did you mean {near[0]}?" if near else ""
            return f"check.layer: there is no {kind!r}.{hint}" + (
                f" ({' and '.join(absent)} cannot be looked up: not installed here.)" if absent else ""
            )
    return f"check.architecture: {', '.join(kinds)} are not of one library."


def known_names(library: str) -> Collection[str]:
    """Return the names of the library's classes, as the examiner has them."""
    return _names(library).keys()


@cache
def _names(library: str) -> Mapping[str, type]:
    """Return the classes that a pattern may name; none if the library is not installed."""
    if importlib.util.find_spec({"sklearn": "sklearn", "torch": "torch", "keras": "keras"}[library]) is None:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if library == "sklearn":
            from sklearn.utils.discovery import all_estimators

            return dict(all_estimators())
        module = importlib.import_module({"torch": "torch.nn", "keras": "keras.layers"}[library])
        classes = {name: found for name, found in vars(module).items() if inspect.isclass(found)}
        return {found.__name__: found for found in classes.values()} | classes


def _class(library: str, kind: str) -> type | None:
    return _names(library).get(kind)


def _canonical(run: Run, library: str) -> Run:
    run = _without_aliases(run, library)
    if library == "keras":
        return _fuse(run)
    return _map_layers(run, lambda pattern: _validate(pattern, library))


def _without_aliases(run: Run, library: str) -> Run:
    """Return a run with the classes' own names, and without layers that change nothing: a model may have them anywhere.

    ``MaxPool2D`` is a name of ``MaxPooling2D``.
    """

    def own_name(pattern: LayerPattern) -> LayerPattern | None:
        cls = _class(library, pattern.kind)
        kind = pattern.kind if cls is None else cls.__name__
        return None if kind == "Identity" else LayerPattern(kind, pattern.attributes)

    return _map_layers(run, own_name)


def _map_layers(run: Run, change: Callable[[LayerPattern], LayerPattern | None]) -> Run:
    """Return a run with its layers changed, and without those of which nothing is left."""

    def item(entry: Item) -> Item | None:
        if isinstance(entry, AnyOf):
            return AnyOf(tuple(_map_layers(option, change) for option in entry.options))
        if isinstance(entry, Repeat):
            return Repeat(_map_layers(entry.run, change), entry.low, entry.high)
        return entry if isinstance(entry, EllipsisType) else change(entry)

    return tuple(changed for entry in run if (changed := item(entry)) is not None)


def _settings_of(cls: Any) -> list[str]:
    """List the arguments of a class, or of the base to which it passes them on, as ``torch.nn.GRU`` does."""
    for base in cls.__mro__:
        parameters = inspect.signature(base.__init__).parameters
        if not any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters.values()):
            return [key for key in parameters if key not in ("self", "kwargs")]
    return []


def _validate(pattern: LayerPattern, library: str) -> LayerPattern:
    if pattern.kind == ANY_KIND:
        return pattern
    parameters = _settings_of(_class(library, pattern.kind))
    for key in pattern.attributes:
        if key not in parameters:
            near = difflib.get_close_matches(key, parameters, 1)
            hint = f" Did you mean {near[0]}?" if near else f" It has: {', '.join(parameters)}."
            raise CourseError(f"check.layer: {pattern.kind} has no attribute {key!r}.{hint}")
    return pattern


# --- Keras: activations become arguments of the layers before them ------------------------------------


def _fuse(run: Run) -> Run:
    items: list[Item] = []
    for entry in run:
        if isinstance(entry, EllipsisType):
            if not items or items[-1] is not ...:
                items.append(entry)
        elif isinstance(entry, AnyOf):
            _append_alternatives(items, AnyOf(tuple(_fuse(option) for option in entry.options)))
        elif isinstance(entry, Repeat):
            items.append(Repeat(_fuse(entry.run), entry.low, entry.high))
        else:
            _append(items, _keras_pattern(_validate(entry, "keras")))
    return tuple(items)


def _append(items: list[Item], pattern: LayerPattern) -> None:
    activation = pattern.activation if pattern.kind == "Activation" else None
    if activation is None or not items or items[-1] is ...:
        if activation != "linear":
            items.append(pattern)
        return
    previous = items[-1]
    if isinstance(previous, LayerPattern) and previous.fusable:
        items[-1] = previous.with_activation(activation)
    elif isinstance(previous, AnyOf) and all(_ends_fusable(option) for option in previous.options):
        items[-1] = AnyOf(tuple(_with_last_activation(option, activation) for option in previous.options))
    elif activation != "linear":
        items.append(pattern)


def _append_alternatives(items: list[Item], entry: AnyOf) -> None:
    """Append a choice of activations, which may be arguments of the layer before it or layers of their own."""
    previous = items[-1] if items else None
    choices = [option[0] for option in entry.options if len(option) == 1]
    names = [
        choice.activation for choice in choices if isinstance(choice, LayerPattern) and choice.kind == "Activation"
    ]
    if isinstance(previous, LayerPattern) and previous.fusable and len(names) == len(entry.options) and all(names):
        fused = tuple((previous.with_activation(str(name)),) for name in names)
        entry = AnyOf(fused + tuple((previous, *option) for option in entry.options))
        items.pop()
    items.append(entry)


def _ends_fusable(run: Run) -> bool:
    return bool(run) and isinstance(run[-1], LayerPattern) and run[-1].fusable


def _with_last_activation(run: Run, activation: str) -> Run:
    last = run[-1]
    assert isinstance(last, LayerPattern)
    return (*run[:-1], last.with_activation(activation))


def _keras_pattern(pattern: LayerPattern) -> LayerPattern:
    if pattern.kind in KINDS:
        return _activation_pattern(pattern)
    inner = {
        key: _inner_patterns(value, f"check.layer({pattern.kind!r}, {key}=...)")
        for key, value in pattern.attributes.items()
        if key in _HOLDING
    }
    pattern = LayerPattern(pattern.kind, {**pattern.attributes, **inner}) if inner else pattern
    if "activation" in pattern.attributes:
        return pattern.with_activation(expected_activation(pattern.attributes["activation"]))
    return pattern


_HOLDING = ("layer", "backward_layer", "cell", "cells")
"""Arguments of wrappers that are layers: a pattern gives patterns for them."""


def _inner_patterns(value: Any, check_name: str) -> Any:
    if isinstance(value, list | tuple):
        return [_inner_patterns(item, check_name) for item in value]
    if not isinstance(value, LayerPattern):
        raise CourseError(f"{check_name}: give a check.layer(...) for the layer inside.")
    (value,) = _without_aliases((value,), "keras") or (value,)
    return _keras_pattern(_validate(value, "keras"))


def _activation_pattern(pattern: LayerPattern) -> LayerPattern:
    if pattern.kind in ("LeakyReLU", "ELU") and not pattern.attributes:
        any_argument = {"LeakyReLU": "leaky_relu*", "ELU": "elu*"}[pattern.kind]
        return LayerPattern("Activation", {"activation": any_argument})
    if pattern.kind == "Activation":
        if "activation" not in pattern.attributes:
            return pattern
        return LayerPattern("Activation", {"activation": expected_activation(pattern.attributes["activation"])})
    cls: Any = _class("keras", pattern.kind)
    name = layer_activation(cls(**pattern.attributes))
    return LayerPattern("Activation", {"activation": name}) if name else pattern
