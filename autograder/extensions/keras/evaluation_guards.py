"""Evaluations of models in a test, with the loss and metrics of the solution's model, not of the student's choice."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from autograder.check.prediction_cache import CachedModel
from autograder.errors import UnreadableError
from autograder.extensions.networks.subject import is_keras
from autograder.records.compiled import CompiledAs

_MEASURING = ("evaluate", "test_on_batch")
_TRAINING = ("fit", "train_on_batch")


class KerasEvaluations:
    """The knowledge of how the solution's models are compiled.

    Attributes:
        solution: name → how the solution's model of that name was compiled; empty text → how one that a call returned
            was. Empty if nothing was observed. None while the solution itself runs, whose models are evaluated as they
            are and observed.
    """

    def __init__(self, solution: Mapping[str, CompiledAs] | None) -> None:
        self.solution = solution
        self.guards: dict[int, EvaluationGuard] = {}
        self.found: dict[str, list[CompiledAs]] = {}

    def observed(self) -> dict[str, CompiledAs]:
        """Return how the solution's models are compiled, after it has run.

        A name that several models have stands for none of them, and each is listed under a name of its own. A student's
        model may be compiled as one of them.
        """
        listed: dict[str, CompiledAs] = {}
        for name, compiled in self.found.items():
            keys = [name] if len(compiled) == 1 else [f"{name} ({number})" for number, _ in enumerate(compiled, 1)]
            listed |= dict(zip(keys, compiled, strict=True))
        return listed

    def note(self, model: Any, name: str = "") -> None:
        """Let a rebuilt model be evaluated as the solution's of that name; without a name, as a plain one.

        A model that has names of two different models of the solution is evaluated as a plain one.
        """
        if not is_keras(model) or type(model) is CachedModel:
            return
        if self.solution is None:
            self._observe(model, name)
            return
        wanted = self.solution.get(name)
        guard = self.guards.get(id(model))
        if guard is None or guard.model is not model:
            self.guards[id(model)] = EvaluationGuard(model, wanted, self.solution.values())
        elif name and guard.wanted != wanted:
            guard.wanted = None

    def _observe(self, model: Any, name: str) -> None:
        from autograder.extensions.keras.evaluation import compiled_as

        settings = compiled_as(model)
        if settings is not None and settings not in (settings_of_name := self.found.setdefault(name, [])):
            settings_of_name.append(settings)


class EvaluationGuard:
    """The methods of one model that measure it, as long as it is compiled as the student did.

    A test may compile it anew.
    """

    def __init__(self, model: Any, wanted: CompiledAs | None, observed: Collection[CompiledAs]) -> None:
        self.model = model
        self.wanted = wanted
        self.known = observed
        self.training = False
        """Whether ``fit`` runs, which evaluates by the model's own settings."""
        self.compilation = getattr(model, "_compile_config", None)
        self.trained = {method: getattr(model, method) for method in _TRAINING}
        """The model's own methods: a training may be computed in another process."""
        for method in _MEASURING:
            setattr(model, method, functools.partial(self.measure, method))
        for method in _TRAINING:
            setattr(model, method, functools.partial(self.train, method))

    def measure(self, method: str, *args: Any, **keywords: Any) -> Any:
        """Evaluate the model.

        Raises:
            UnreadableError: the solution's settings are unknown or do not fit, and the model's are not plain.
        """
        from autograder.extensions.keras.evaluation import compiled_as, may_be_negative

        settings = compiled_as(self.model)
        run = functools.partial(getattr(type(self.model), method), self.model)
        if settings is not None and not self.training:
            bound = inspect.signature(run).bind(*args, **keywords).arguments
            if self._is_the_students() and self.wanted is None:
                self._require_plain(settings, bound.get("y"))
            elif self._is_the_students() and self.wanted != settings:
                model, settings = self._as_solved(settings)
                run = functools.partial(getattr(type(model), method), model)
            if may_be_negative(self.model, settings, bound.get("x")):
                raise _unread("its outputs may be no probabilities")
        return run(*args, **keywords)

    def train(self, method: str, *args: Any, **keywords: Any) -> Any:
        """Train the model; what its own settings measure on the way can be read only if they are plain."""
        from autograder.extensions.keras.evaluation import compiled_as, peculiarity

        compiled = compiled_as(self.model) if self._is_the_students() else None
        self.training = True
        try:
            result = self.trained[method](*args, **keywords)
        finally:
            self.training = False
        if (
            compiled is None
            or compiled in (self.wanted, *self.known)
            or not (reason := peculiarity(self.model, compiled))
        ):
            return result
        if not hasattr(result, "history"):
            raise _unread(reason)
        result.history = _UnreadHistory(reason)
        return result

    def _is_the_students(self) -> bool:
        """Return whether the model is still compiled as the student did."""
        return getattr(self.model, "_compile_config", None) is self.compilation

    def _as_solved(self, compiled: CompiledAs) -> tuple[Any, CompiledAs]:
        """Return a model of the same weights that is compiled as the solution's, and how that is."""
        from autograder.extensions.keras.evaluation import like, with_outputs_of
        from autograder.models.argument_values import RefusedModel

        assert self.wanted is not None
        try:
            settings = with_outputs_of(self.wanted, compiled)
            return like(self.model, settings), settings
        except RefusedModel as error:
            raise _unread("the loss and metrics of the exercise do not fit it") from error

    def _require_plain(self, compiled: CompiledAs, labels: Any) -> None:
        from autograder.extensions.keras.evaluation import doubt_about_labels, peculiarity

        if compiled not in self.known and (
            reason := peculiarity(self.model, compiled) or doubt_about_labels(compiled, labels)
        ):
            raise _unread(reason)


class _UnreadHistory(dict[str, Any]):
    """A learning curve that no test may read, because it is measured with peculiar settings."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.why = reason

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise _unread(self.why)

    __getitem__ = __iter__ = __contains__ = __len__ = get = keys = values = items = _refuse


def _unread(reason: str) -> UnreadableError:
    return UnreadableError(f"this model is not evaluated as it is compiled: {reason}")
