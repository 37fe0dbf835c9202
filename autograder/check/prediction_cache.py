"""What was measured of a rebuilt model, kept: the same model on the same rows needs no TensorFlow a second time.

While models are examined, their predictions and their numbers of parameters are written down. Where a run is graded
again, a :class:`Measured` stands for a model in a test that gives it to some checks and does nothing else with it. It
knows those figures; whatever else it is asked, it says that the library is needed, and the attempt is thrown away.
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
from autograder.kernel.codec import CodecError, Packed, decode, encode

CHECKS = frozenset({"loss", "accuracy", "parameters"})
"""Those of which all is known that they ask of a model."""
MAX_NUMBERS = 2_000_000
"""Of one model's predictions that are kept (16 MB)."""


@dataclass
class Figures:
    """Of one model."""

    parameters: tuple[int, int, int] | None = None
    """All, those that are trained, and those that are constants beside the weights."""
    predictions: dict[str, np.ndarray] = field(default_factory=dict)
    """Digest of the rows → the outputs, float64, rows first."""


@dataclass
class PredictionCache:
    """Of all models of one notebook."""

    figures: dict[str, Figures] = field(default_factory=dict)
    """Digest of what the kernel said of a model → its figures."""
    models: dict[int, tuple[Any, Figures]] = field(default_factory=dict)
    """The models that were rebuilt, by ``id``."""
    changed: bool = False

    def watch(self, model: Any, claim: Any) -> None:
        """From now on, what is measured of the model is written down."""
        key = digest(claim)
        if key:
            self.models[id(model)] = model, self.figures.setdefault(key, Figures())

    def cached(self, claim: Any) -> CachedModel | None:
        """What stands for the model that would be rebuilt of a claim, where it was measured before."""
        found = self.figures.get(digest(claim))
        return CachedModel(found) if found is not None and found.parameters is not None else None

    def packed(self) -> Packed:
        """As plain data."""
        return encode({key: (f.parameters, f.predictions) for key, f in self.figures.items()})


def read_predictions(packed: Packed) -> PredictionCache:
    """What :meth:`PredictionCache.packed` wrote.

    Raises:
        ValueError, TypeError, AttributeError: it is none.
    """
    cache = PredictionCache()
    for key, (parameters, predictions) in decode(packed.text, packed.buffers).items():
        if type(key) is not str or not (parameters is None or list(map(type, parameters)) == [int, int, int]):
            raise TypeError("no figures")
        if not all(type(p) is np.ndarray and p.dtype == np.float64 and p.ndim for p in predictions.values()):
            raise TypeError("no predictions")
        cache.figures[key] = Figures(parameters, dict(predictions))
    return cache


_caches: list[PredictionCache] = []
"""The one that is written in now, last."""


@contextlib.contextmanager
def caching_in(cache: PredictionCache | None) -> Iterator[None]:
    """Inside, what is measured of models is written down there."""
    if cache is None:
        yield
        return
    _caches.append(cache)
    try:
        yield
    finally:
        _caches.remove(cache)


class CachedModel:
    """A model that is not there, and whose figures are known."""

    dtype = None
    """It is no array."""

    def __init__(self, figures: Figures) -> None:
        object.__setattr__(self, "_figures", figures)

    def __getattr__(self, name: str) -> NoReturn:
        _require_model()


def _require_model() -> NoReturn:
    libraries.want("keras")
    raise ImportError("the model itself is needed for this", name="keras")


def cached_parameters(model: Any) -> tuple[int, int, int]:
    """All of a measured model's parameters, those that are trained, and those that are constants."""
    found: Figures = object.__getattribute__(model, "_figures")
    return found.parameters if found.parameters is not None else _require_model()


def predictions_of(model: Any, inputs: Any, predict: Callable[[], np.ndarray]) -> np.ndarray:
    """The predictions: those that are known, else those that ``predict`` makes, which are written down."""
    if isinstance(model, CachedModel):
        known: Figures = object.__getattribute__(model, "_figures")
        found = known.predictions.get(digest(inputs))
        return _require_model() if found is None else found.copy()
    outputs = predict()
    figures = _figures_of(model)
    if figures is not None and sum(p.size for p in figures.predictions.values()) + outputs.size <= MAX_NUMBERS:
        key = digest(inputs)
        if key and key not in figures.predictions:
            figures.predictions[key] = outputs.copy()
            _caches[-1].changed = True
    return outputs


def note_parameters(model: Any, total: int, trainable: int, constants: int) -> None:
    """Write down how many parameters a model has."""
    figures = _figures_of(model)
    if figures is not None and figures.parameters is None:
        figures.parameters = total, trainable, constants
        _caches[-1].changed = True


def _figures_of(model: Any) -> Figures | None:
    found = _caches[-1].models.get(id(model)) if _caches else None
    return found[1] if found is not None else None


def digest(value: Any) -> str:
    """Of plain data; empty where it is none."""
    try:
        packed = encode(value)
    except (CodecError, RecursionError):
        return ""
    large = MIN_REMEMBERED_BYTES <= sum(map(len, packed.buffers)) <= MAX_REMEMBERED_BYTES
    known = next((made for other, made in _digests if other == packed), "") if large else ""
    if known:
        return known
    made = hashlib.blake2b(packed.text, digest_size=32)
    for buffer in packed.buffers:
        made.update(b"%d\0" % len(buffer))
        made.update(buffer)
    if large:
        _digests.append((packed, made.hexdigest()))
    return made.hexdigest()


MIN_REMEMBERED_BYTES, MAX_REMEMBERED_BYTES = 65_536, 16 * 1024 * 1024
"""So many bytes are compared in a fraction of the time that a digest of them takes, and are not too many to keep."""
_digests: deque[tuple[Packed, str]] = deque(maxlen=2)
"""Those of the last large values: hidden rows are the same for one submission after the other."""


def names_only_checked(sources: Iterable[str]) -> frozenset[str]:
    """The names that code gives to :data:`CHECKS`, first of all arguments, or compares with None, and uses in no other
    way.

    Args:
        sources: all code that may run where the names are: tests, and what the instructor's cells define.
    """
    return _names_only_checked(tuple(sources))


@functools.lru_cache(maxsize=64)
def _names_only_checked(sources: tuple[str, ...]) -> frozenset[str]:
    given: set[str] = set()
    others: set[str] = set()
    for source in sources:
        tree = ast.parse(source)
        passing: set[ast.AST] = set()
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="check"), attr=attr), args=[ast.Name() as one, *_]):
                    if attr in CHECKS:
                        passing.add(one)
                        given.add(one.id)
                case ast.Compare(ast.Name() as one, [ast.Is() | ast.IsNot()], [ast.Constant(None)]):
                    passing.add(one)
                case ast.Constant(str(text)) if text.startswith("__main__"):
                    others.add("__main__")
        others |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in passing}
    return frozenset() if others & _INDIRECT_ACCESS else frozenset(given - others)


_INDIRECT_ACCESS = frozenset(["globals", "locals", "vars", "eval", "exec", "dir", "__main__"])
"""What gets at a name without naming it."""
