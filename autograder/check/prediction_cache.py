"""A cache of a rebuilt model's predictions, so that regrading the same model on the same rows needs no TensorFlow.

While models are examined, their predictions and parameter counts are recorded. When a run is graded again, a
:class:`CachedModel` takes the place of a model in tests that pass it to some checks and do nothing else with it. It
answers with the recorded figures. Any other use raises an error that says that the library is needed, and the attempt
is repeated with the real model.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from autograder._util import libraries
from autograder.codec import CodecError, Packed, decode, encode

CHECKS = frozenset({"loss", "accuracy", "parameters"})
"""Checks whose every use of a model can be answered from the cache."""
MAX_NUMBERS = 2_000_000
"""Most numbers kept of one model's predictions (16 MB)."""


@dataclass
class ModelFigures:
    """The recorded figures of one model."""

    parameters: tuple[int, int, int, int] | None = None
    """Counts of all parameters, of the trainable ones, of constants beside the weights, and of what prepares inputs."""
    predictions: dict[str, np.ndarray] = field(default_factory=dict)
    """Digest of the rows → the outputs, float64, rows first; digest of a training → its values on the holdout."""
    diagnoses: dict[str, Any] = field(default_factory=dict)
    """Digest of what a diagnosis was made from → the diagnosis as plain data."""


@dataclass
class PredictionCache:
    """The figures of all models of one notebook."""

    figures: dict[str, ModelFigures] = field(default_factory=dict)
    """Digest of the kernel's claim about a model → the model's figures."""
    models: dict[int, tuple[Any, ModelFigures]] = field(default_factory=dict)
    """The rebuilt models, by ``id``."""
    changed: bool = False

    def watch(self, model: Any, claim: Any) -> None:
        """Record what is measured of this model from now on."""
        key = digest(claim)
        if key:
            self.models[id(model)] = model, self.figures.setdefault(key, ModelFigures())

    def cached(self, claim: Any) -> CachedModel | None:
        """Return a stand-in for the model that the claim describes; None if that model was not measured before."""
        figures = self.figures.get(digest(claim))
        if figures is None or figures.parameters is None:
            return None
        return CachedModel(figures, "unrolled" if claim[0].get("kind") == "Unrolled" else "")

    def packed(self) -> Packed:
        """Return the figures as plain data."""
        return encode({key: (f.parameters, f.predictions, f.diagnoses) for key, f in self.figures.items()})

    def diagnoses_of(self, model: Any) -> dict[str, Any]:
        """Return what is kept of a model's diagnoses, to be read and added to."""
        entry = self.models.get(id(model))
        return {} if entry is None else entry[1].diagnoses


def read_predictions(packed: Packed) -> PredictionCache:
    """Read what :meth:`PredictionCache.packed` wrote.

    Raises:
        ValueError, TypeError, AttributeError: the data are something else.
    """
    cache = PredictionCache()
    for key, (parameters, predictions, diagnoses) in decode(packed.text, packed.buffers).items():
        if type(key) is not str or not (parameters is None or list(map(type, parameters)) == [int] * 4):
            raise TypeError("no figures")
        if not all(type(p) is np.ndarray and p.dtype == np.float64 and p.ndim for p in predictions.values()):
            raise TypeError("no predictions")
        if not all(type(name) is str and type(plain) is dict for name, plain in diagnoses.items()):
            raise TypeError("no diagnoses")
        cache.figures[key] = ModelFigures(parameters, dict(predictions), dict(diagnoses))
    return cache


_caches: list[PredictionCache] = []
"""The nested active caches; measurements go into the last one."""


@contextlib.contextmanager
def caching_in(cache: PredictionCache | None) -> Iterator[None]:
    """Record measurements of models in this cache inside the block."""
    if cache is None:
        yield
        return
    _caches.append(cache)
    try:
        yield
    finally:
        _caches.remove(cache)


class CachedModel:
    """A stand-in for a model that is not loaded but whose figures are known."""

    dtype = None
    """Keeps numpy from taking the stand-in for an array."""

    def __init__(self, figures: ModelFigures, read_as: str = "") -> None:
        object.__setattr__(self, "_figures", figures)
        object.__setattr__(self, "read_as", read_as)

    def __getattr__(self, name: str) -> NoReturn:
        _require_model()


def _require_model() -> NoReturn:
    libraries.want("keras")
    raise ImportError("the model itself is needed for this", name="keras")


def cached_parameters(model: Any) -> tuple[int, int, int, int]:
    """Return the counts of a model's parameters, as :class:`ModelFigures` has them."""
    figures: ModelFigures = object.__getattribute__(model, "_figures")
    return figures.parameters if figures.parameters is not None else _require_model()


def predictions_of(model: Any, inputs: Any, predict: Callable[[], np.ndarray]) -> np.ndarray:
    """Return the cached predictions, or those that ``predict`` makes, which are then cached."""
    if isinstance(model, CachedModel):
        figures_known: ModelFigures = object.__getattribute__(model, "_figures")
        predictions = figures_known.predictions.get(digest(inputs))
        return _require_model() if predictions is None else predictions.copy()
    outputs = predict()
    if (figures := _figures_of(model)) is not None:
        _keep(figures, digest(inputs), outputs)
    return outputs


def trained_values(model: Any, key: str, train: Callable[[], np.ndarray]) -> np.ndarray:
    """Return the kept values, (rows,), of a training of this model, or those that ``train`` returns, which are kept.

    Args:
        model: a rebuilt model.
        key: a digest of all that the training is made from but the model; empty: nothing is kept.
        train: trains.
    """
    figures = _figures_of(model)
    earlier = figures.predictions.get(key) if figures is not None else None
    if earlier is not None and earlier.ndim == 1:
        return earlier.copy()
    values = train()
    if figures is not None:
        _keep(figures, key, values)
    return values


def _keep(figures: ModelFigures, key: str, numbers: np.ndarray) -> None:
    if not key or key in figures.predictions:
        return
    if sum(kept.size for kept in figures.predictions.values()) + numbers.size <= MAX_NUMBERS:
        figures.predictions[key] = np.asarray(numbers, dtype=np.float64).copy()
        _caches[-1].changed = True


def note_parameters(model: Any, counts: tuple[int, int, int, int]) -> None:
    """Record how many parameters a model has."""
    figures = _figures_of(model)
    if figures is not None and figures.parameters is None:
        figures.parameters = counts
        _caches[-1].changed = True


def _figures_of(model: Any) -> ModelFigures | None:
    entry = _caches[-1].models.get(id(model)) if _caches else None
    return entry[1] if entry is not None else None


def digest(value: Any) -> str:
    """Return the digest of plain data; empty if the value cannot be copied to another process."""
    try:
        packed = encode(value)
    except (CodecError, RecursionError):
        return ""
    large = MIN_REMEMBERED_BYTES <= sum(map(len, packed.buffers)) <= MAX_REMEMBERED_BYTES
    stored = next((made for other, made in _digests if other == packed), "") if large else ""
    if stored:
        return stored
    hasher = hashlib.blake2b(packed.text, digest_size=32)
    for buffer in packed.buffers:
        hasher.update(b"%d\0" % len(buffer))
        hasher.update(buffer)
    if large:
        _digests.append((packed, hasher.hexdigest()))
    return hasher.hexdigest()


MIN_REMEMBERED_BYTES, MAX_REMEMBERED_BYTES = 65_536, 16 * 1024 * 1024
"""Values in this range of sizes are remembered with their digest: comparing them is much faster than hashing them
again."""
_digests: deque[tuple[Packed, str]] = deque(maxlen=2)
"""Digests of the last large values; hidden rows are the same for every submission."""


def names_only_checked(sources: Iterable[str]) -> frozenset[str]:
    """Return the names that code uses only as first arguments of :data:`CHECKS` and in comparisons with None.

    Args:
        sources: all code that may use the names: tests, and the definitions in the instructor's cells.
    """
    return _names_only_checked(tuple(sources))


@functools.lru_cache(maxsize=64)
def _names_only_checked(sources: tuple[str, ...]) -> frozenset[str]:
    checked: set[str] = set()
    mentioned: set[str] = set()
    for source in sources:
        tree = ast.parse(source)
        passing: set[ast.AST] = set()
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="check"), attr=attr), args=[ast.Name() as argument, *_]
                ):
                    if attr in CHECKS:
                        passing.add(argument)
                        checked.add(argument.id)
                case ast.Compare(ast.Name() as argument, [ast.Is() | ast.IsNot()], [ast.Constant(None)]):
                    passing.add(argument)
                case ast.Constant(str(text)) if text.startswith("__main__"):
                    mentioned.add("__main__")
        mentioned |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in passing}
    return frozenset() if mentioned & _INDIRECT_ACCESS else frozenset(checked - mentioned)


_INDIRECT_ACCESS = frozenset(["globals", "locals", "vars", "eval", "exec", "dir", "__main__"])
"""Names that give access to other names without naming them."""
