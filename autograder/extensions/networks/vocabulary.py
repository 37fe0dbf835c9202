"""The meaning of names in a pattern: the classes of the registered libraries."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from types import EllipsisType
from typing import Any

from autograder._util.model_families import ModelFamily, families, family
from autograder.errors import CourseError
from autograder.extensions.networks.pattern import ANY_KIND, AnyOf, Item, LayerPattern, Repeat, Run, as_run, singles


def read_pattern(layers: Any, model_library: str, libraries: Sequence[str] | None = None) -> tuple[str, Run]:
    """Return the library whose names a pattern uses, and the validated pattern in its canonical form.

    A name that two libraries have (``Dropout``) belongs to the model's own library. Whether a pattern is valid does not
    depend on the model.

    Args:
        layers: what the test's author wrote.
        model_library: the model's library; any other text if it has none.
        libraries: the libraries to consider; None for all.

    Raises:
        CourseError: it is not a list of patterns, or names a layer or an attribute that no library has.
    """
    libraries = list(families()) if libraries is None else libraries
    if not isinstance(layers, list | tuple):
        raise CourseError("check.architecture: layers is a list of check.layer(...), check.dense(...) and ... .")
    run = as_run(layers, "check.architecture") if layers else ()
    kinds = {pattern.kind for pattern in singles(run)} - {ANY_KIND}
    errors: dict[str, CourseError] = {}
    for library in sorted(libraries, key=lambda library: library != model_library):
        if all(class_of(library, kind) for kind in kinds):
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
        if not any(class_of(library, kind) for library in libraries):
            near = difflib.get_close_matches(kind, [name for library in libraries for name in _names(library)], 1)
            absent = [
                registration.title
                for library, registration in families().items()
                if library in libraries and not _names(library)
            ]
            hint = f" Did you mean {near[0]}?" if near else ""
            return f"check.layer: there is no {kind!r}.{hint}" + (
                f" ({' and '.join(absent)} cannot be looked up: not installed here.)" if absent else ""
            )
    return f"check.architecture: {', '.join(kinds)} are not of one library."


def known_names(library: str) -> Collection[str]:
    """Return the names of the library's classes, as the examiner has them."""
    return _names(library).keys()


def _names(library: str) -> Mapping[str, type]:
    """Return the classes that a pattern may name; none if the library is not installed."""
    registered = family(library)
    return {} if registered is None else _imported(library, registered)


@cache
def _imported(library: str, registered: ModelFamily) -> Mapping[str, type]:
    if importlib.util.find_spec(library) is None:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return registered.words()


def class_of(library: str, kind: str) -> type | None:
    """Return the class of a library that has a name in patterns; None if there is none."""
    return _names(library).get(kind)


def _canonical(run: Run, library: str) -> Run:
    run = without_aliases(run, library)
    registered = family(library)
    if registered is not None and registered.canonical is not None:
        return registered.canonical(run)  # type: ignore[no-any-return]
    return _map_layers(run, lambda pattern: validated(pattern, library))


def without_aliases(run: Run, library: str) -> Run:
    """Return a run with the classes' own names, and without layers that change nothing: a model may have them anywhere.

    ``MaxPool2D`` is a name of ``MaxPooling2D``.
    """

    def own_name(pattern: LayerPattern) -> LayerPattern | None:
        cls = class_of(library, pattern.kind)
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


def validated(pattern: LayerPattern, library: str) -> LayerPattern:
    """Return a pattern, of which the library's class has all arguments.

    Raises:
        CourseError: it has not.
    """
    if pattern.kind == ANY_KIND:
        return pattern
    parameters = _settings_of(class_of(library, pattern.kind))
    for key in pattern.attributes:
        if key not in parameters:
            near = difflib.get_close_matches(key, parameters, 1)
            hint = f" Did you mean {near[0]}?" if near else f" It has: {', '.join(parameters)}."
            raise CourseError(f"check.layer: {pattern.kind} has no attribute {key!r}.{hint}")
    return pattern
