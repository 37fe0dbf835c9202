"""The families of models: what the examiner knows of the models of one library, of which a kernel gives claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from autograder._util import registry
from autograder.records.compiled import CompiledAs


class EvaluationsOfFamily(Protocol):
    """How the models of a family are evaluated in a test, see :class:`autograder.examiner.evaluations.Evaluations`."""

    def note(self, model: Any, name: str) -> None:
        """Let a rebuilt model be evaluated as the solution's of that name; models of other families are left alone."""

    def observed(self) -> Mapping[str, CompiledAs]:
        """Return how the solution's models are compiled, by their names."""


@dataclass(frozen=True, eq=False)
class ModelFamily:
    """Entry of an extension, under the name by which a library is imported. It imports no library itself.

    Beside its module lies a folder ``kernel_side`` with a module ``family_<library>``, see
    :mod:`autograder.kernel.model_family`.
    """

    title: str
    """The library's name in messages: ``PyTorch``."""
    noun: str
    """Noun for a model of it there: ``PyTorch module``."""
    words: Callable[[], Mapping[str, type]]
    """Imports the classes that a pattern may name, by their names."""
    canonical: Callable[[Any], Any] | None = None
    """Takes a pattern without aliases, and returns the one that models are compared with; None: as it is."""
    rebuild: Callable[..., Any] | None = None
    """Rebuilds a model, as :func:`autograder.models.rebuild` says; None: its models are only asked."""
    twin: Callable[..., Any] | None = None
    """Returns a model from what :class:`autograder.models.computing_process.Computed` has of it, and its weights."""
    described: Callable[[Mapping[str, Any], int], tuple[Any, Any]] | None = None
    """Makes a network anew from its description without weights and a seed, with rows for it."""
    evaluations: Callable[[Mapping[str, CompiledAs] | None], EvaluationsOfFamily] | None = None
    """Guards evaluations in tests, for how the solution's models are compiled; None: its models are not compiled."""
    layers: Callable[[Any], Any] | None = None
    """Reads the layers of a rebuilt model for checks of networks; None: a rebuilt model tells of them itself."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """A kernel's word for why a model cannot predict now → a sentence for the student."""
    speed_up: Callable[[bool], None] | None = None
    """Changes an imported library as in a kernel: the same numbers, sooner; True: where a course allows more, too."""
    modules: Sequence[str] = ()
    """Modules that rebuild models: templates of examiners import them after the library."""
    late_parts: Sequence[str] = ()
    """Modules that the library imports at a first use: all templates import them after it."""


def family(library: str) -> ModelFamily | None:
    """Return the family of a library; None if no extension registers it.

    Raises:
        HostError: it cannot be imported.
    """
    if library not in registry.names(registry.MODELS):
        return None
    registered: ModelFamily = registry.load(registry.MODELS, library)
    return registered


def families() -> dict[str, ModelFamily]:
    """Return the families of all registered libraries.

    Raises:
        HostError: one cannot be imported.
    """
    return {library: registry.load(registry.MODELS, library) for library in registry.names(registry.MODELS)}
