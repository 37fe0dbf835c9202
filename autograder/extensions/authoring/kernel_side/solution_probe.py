"""Questions about a solution's values, asked in its kernel: texts of Python that a test can hold."""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import json
import math
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

MAX_NUMBERS = 16
"""Most numbers that a test writes out."""
MAX_TEXT = 200
"""Most characters of an argument or a result in a test."""
MARK = "autograder-solution:"
"""Beginning of an answer to the importer, on standard output."""


def answer(value: object) -> None:
    """Print an answer for the importer."""
    print(MARK + json.dumps(value))


def shift_seeds(functions: Sequence[str]) -> None:
    """Let functions that seed a generator take another seed, and seed the shared generators.

    Args:
        functions: dotted names; those whose library is not there are left out.
    """
    for function in functions:
        module, _, path = function.partition(".")
        with contextlib.suppress(ImportError, AttributeError):
            *owners, name = path.split(".")
            owner = functools.reduce(getattr, owners, importlib.import_module(module))
            seeding = getattr(owner, name)
            setattr(owner, name, _shifted(seeding))
            if name.endswith("seed"):
                seeding(secrets.randbelow(2**31))


def _shifted(seeding: Any) -> Any:
    def other(value: Any) -> Any:
        return value + 1 if type(value) is int else value

    def shifted(*arguments: Any, **keywords: Any) -> Any:
        return seeding(*map(other, arguments), **{key: other(value) for key, value in keywords.items()})

    def start(self: Any, *arguments: Any, **keywords: Any) -> None:
        seeding.__init__(self, *map(other, arguments), **{key: other(value) for key, value in keywords.items()})

    return type(seeding.__name__, (seeding,), {"__init__": start}) if isinstance(seeding, type) else shifted


def evaluated(namespace: Mapping[str, Any], expressions: Sequence[str]) -> dict[str, dict[str, str]]:
    """Describe what expressions give, if they give it twice and a test can hold it.

    Returns:
        Expression → its form (``close``, ``equal`` or ``parameters``) and the expected text.
    """
    results = {}
    for expression in expressions:
        with contextlib.suppress(Exception):  # the solution's own, or no test can hold it
            first, second = (_described(eval(expression, dict(namespace))) for _ in range(2))
            if first and first == second:
                results[expression] = first
    return results


def literal_calls(namespace: Mapping[str, Any], calls: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> list[str]:
    """Write the calls that a notebook shows with their arguments as literals.

    Args:
        namespace: the notebook's names.
        calls: for each call the function's name, and the texts of its arguments with ``name=`` before those by keyword.

    Returns:
        The calls whose arguments a test can hold.
    """
    texts: dict[str, None] = {}
    for name, arguments in calls:
        with contextlib.suppress(Exception):  # the solution's own, or no test can hold it
            values = [(key, copy.deepcopy(eval(text, dict(namespace)))) for key, text in arguments]
            if len(values) == 1 and isinstance(values[0][1], (str, list, tuple)):
                values = [(values[0][0], values[0][1][:MAX_NUMBERS])]  # of a long text, its beginning
            literals = [key + _text(value) for key, value in values]
            texts[f"{name}({', '.join(literals)})"] = None
    return list(texts)


def _text(value: Any) -> str:
    """Write a plain value or an array.

    Raises:
        TypeError: a test cannot hold it.
    """
    if type(value) in (str, bool, int, type(None)):
        text = repr(value)
    elif isinstance(value, float) and math.isfinite(value):
        text = repr(float(f"{value:.8g}"))
    elif type(value) in (list, tuple):
        inside = ", ".join(map(_text, value)) + ("," if type(value) is tuple and len(value) == 1 else "")
        text = "[" + inside + "]" if type(value) is list else "(" + inside + ")"
    elif type(value) is dict:
        text = "{" + ", ".join(_text(key) + ": " + _text(part) for key, part in value.items()) + "}"
    else:
        library = type(value).__module__.partition(".")[0]
        array = _array(value)
        maker = {"torch": "torch.tensor", "tensorflow": "tf.constant"}.get(library, "np.array")
        is_scalar = library == "numpy" and not array.ndim
        text = _text(array.item()) if is_scalar else f"{maker}({_numbers(array)})"
    if len(text) > MAX_TEXT:
        raise TypeError(text)
    return text


def _array(value: Any) -> Any:
    import numpy

    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        raise TypeError(type(value))
    array = numpy.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    if array.dtype.kind not in "biuf" or not numpy.isfinite(array).all():
        raise TypeError(array.dtype)
    return array


def _numbers(array: Any) -> str:
    if array.size > MAX_NUMBERS:
        raise TypeError(array.shape)
    return _text(array.tolist())


def _described(value: Any) -> dict[str, str] | None:
    """Describe a result; None if it is nothing that a test compares."""
    if callable(value):
        return _model(value)
    if value is None or isinstance(value, (str, bool)):
        return None if value is None else {"form": "equal", "expected": _text(value)}
    if isinstance(value, (int, float)) or _is_numeric(value):
        return {"form": "close", "expected": _text(value)}
    if isinstance(value, (list, tuple, dict)):
        return {"form": type(value).__name__, "expected": _text(value)} if _is_exact(value) else None
    array = _array(value)
    first = array.flat[:1]
    if array.size > MAX_NUMBERS and (array == first).all():
        return {"form": "close", "expected": f"np.full({array.shape}, {_text(first.item())})"}
    return {"form": "close", "expected": _numbers(array)}


def _is_numeric(value: Any) -> bool:
    """Tell whether a value is a list or tuple of numbers alone, also a nested one."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(_is_numeric, value))
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_exact(value: Any) -> bool:
    """Tell whether a value holds no float: another order of a sum would give another one."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return all(map(_is_exact, value)) if isinstance(value, (list, tuple)) else not isinstance(value, float)


def _model(value: Any) -> dict[str, str] | None:
    """Describe a network by its number of parameters."""
    if hasattr(value, "count_params"):
        count = int(value.count_params())
    elif hasattr(value, "parameters") and hasattr(value, "state_dict"):
        count = sum(one.numel() for one in value.parameters())
    else:
        return None
    return {"form": "parameters", "expected": str(count)} if count else None
