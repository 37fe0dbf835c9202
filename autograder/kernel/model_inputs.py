"""The rows of several inputs in the form that a model wants.

Runs in the student's kernel and in the examiner.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

MAX_PERMUTED = 6
"""Most inputs of which every order is tried."""


def arranged(model: Any, inputs: Any) -> Any:
    """Return the rows of several inputs as a Keras model takes them: ordered, or as a named dict.

    Rows with names go to the inputs of these names. Otherwise they go by place; if their shapes do not fit there and
    fit in one other order, they go in that order.

    Args:
        model: a ``keras.Model``; one without a graph gets the rows as they are.
        inputs: an array, or a list or dict of arrays with rows first.
    """
    wanted = _wanted(model)
    if wanted is None or not isinstance(inputs, (list, dict)):
        return inputs
    keys, tensors = list(wanted), list(wanted.values())
    arrays = list(inputs.values()) if isinstance(inputs, dict) else list(inputs)
    chosen = None
    if isinstance(inputs, dict):
        chosen = _by_names(list(inputs), [(str(key), str(t.name)) for key, t in wanted.items()])
    if chosen is None and len(arrays) == len(tensors):
        chosen = _by_shapes(arrays, tensors)
    if chosen is None:
        return inputs
    rows = [arrays[place] for place in chosen]
    structure = _structure(model)
    if isinstance(structure, dict):
        return dict(zip(keys, rows))  # noqa: B905 - not in Python 3.9
    return rows if isinstance(structure, (list, tuple)) else rows[0]


def leaves(described: Any) -> list[dict[str, Any]]:
    """Return what a test knows of each input: its ``shape`` and ``dtype``, from a list or dict of such dicts."""
    if isinstance(described, list):
        return [leaf for item in described for leaf in leaves(item)]
    if "shape" in described and not isinstance(described["shape"], dict):
        return [described]
    return [leaf for item in described.values() for leaf in leaves(item)]


def passed(function: Callable[..., Any], inputs: Any) -> Any:
    """Return the result of a function for the rows of several inputs, passed in the first way that works.

    The ways are: as they are, by name, as a list, one by one. If none works, the exception of the first is raised.
    """
    first: Exception | None = None
    for form in _forms(inputs):
        try:
            return form(function)
        except Exception as error:
            first = first or error
    raise first if first is not None else ValueError("no inputs")


def single_precision(inputs: Any) -> Any:
    """Convert float64 to float32, in which most networks compute; None if there is nothing to convert."""
    import numpy as np

    if isinstance(inputs, dict):
        converted = single_precision(list(inputs.values()))
        return None if converted is None else dict(zip(inputs, converted))  # noqa: B905 - not in Python 3.9
    if isinstance(inputs, list):
        singles = [single_precision(array) for array in inputs]
        changed = any(array is not None for array in singles)
        pairs = zip(inputs, singles)  # noqa: B905 - not in Python 3.9
        return [old if new is None else new for old, new in pairs] if changed else None
    return inputs.astype(np.float32) if isinstance(inputs, np.ndarray) and inputs.dtype == np.float64 else None


def _forms(inputs: Any) -> Iterator[Callable[[Callable[..., Any]], Any]]:
    yield lambda function: function(inputs)
    if isinstance(inputs, dict):
        if all(isinstance(name, str) for name in inputs):
            yield lambda function: function(**inputs)
        yield lambda function: function(list(inputs.values()))
        yield lambda function: function(*inputs.values())
    elif isinstance(inputs, list):
        yield lambda function: function(*inputs)


def _structure(model: Any) -> Any:
    graph = getattr(model, "_functional", None) or model
    return getattr(graph, "_inputs_struct", None)


def _wanted(model: Any) -> dict[Any, Any] | None:
    """Return the model's inputs by name or place; None if they are unknown or nested."""
    try:
        structure = _structure(model)
        if isinstance(structure, dict):
            tensors = dict(structure)
        else:
            tensors = dict(enumerate(structure if isinstance(structure, (list, tuple)) else [structure]))
        return tensors if all(hasattr(t, "shape") and hasattr(t, "dtype") for t in tensors.values()) else None
    except Exception:
        return None


def _by_names(names_given: list[Any], wanted: list[tuple[str, str]]) -> list[int] | None:
    """Return the place of each input's rows; None unless every input has rows of its name."""
    for change in (str, _plain):
        table = {change(str(name)): place for place, name in enumerate(names_given)}
        positions = [next((table[change(n)] for n in names if change(n) in table), -1) for names in wanted]
        if -1 not in positions and len(set(positions)) == len(wanted):
            return positions
    return None


def _plain(name: str) -> str:
    """Return a name without what students add to it: ``title`` for ``Title_input``."""
    return re.sub(r"[^a-z0-9]|inputs?", "", name.lower()) or name.lower()


def _by_shapes(inputs: list[Any], tensors: list[Any]) -> list[int] | None:
    """Return the place of each input's rows: the same place, or the only order that fits."""
    import numpy as np

    arrays = [np.asarray(array) for array in inputs]
    same_order = list(range(len(inputs)))
    orders = (
        [same_order, *(list(p) for p in itertools.permutations(same_order))]
        if len(inputs) <= MAX_PERMUTED
        else [same_order]
    )
    for fits in (_fits_exactly, _fits):
        fitting = [o for o in orders if all(fits(arrays[p], t) for p, t in zip(o, tensors))]  # noqa: B905
        if same_order in fitting:
            return same_order
        if len(fitting) == 1:
            return fitting[0]
    return None


def _fits(array: Any, tensor: Any) -> bool:
    shape, wanted = array.shape, tuple(tensor.shape)
    if len(shape) == 1 and len(wanted) == 2:
        shape = (*shape, 1)  # Keras adds this axis
    texts = str(tensor.dtype) == "string"
    pairs = zip(shape[1:], wanted[1:])  # noqa: B905 - not in Python 3.9
    sizes = len(shape) == len(wanted) and all(w is None or s == w for s, w in pairs)
    return sizes and texts is (array.dtype.kind in "OUS")


def _fits_exactly(array: Any, tensor: Any) -> bool:
    """Return whether the kinds of numbers agree, too: whole numbers for an input of whole numbers."""
    return _fits(array, tensor) and ("int" in str(tensor.dtype)) is (array.dtype.kind in "iu")
