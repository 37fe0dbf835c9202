"""Comparison of two answers inside a kernel's sandbox, by what they return and what they bind.

The source of this module is run as a cell of the solution's notebook, so it needs nothing but the standard library.
Functions are watched while notebook and tests call them. Then both answers are called with these arguments, and with
others drawn near them: of the same types and shapes, and within the ranges that the calls showed. An input that the
instructor's answer refuses with an exception counts for nothing.
"""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import io
import itertools
import json
import linecache
import math
import random
import signal
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

MAX_CALLS = 12
"""Watched calls of a function that are kept."""
MAX_INPUTS = 300
MAX_SHOWN = 160
"""Characters of an example."""
SCALES = (1e-6, 1e3)
"""Factors of the numbers in a call that was seen: comparisons of floats, and sums of powers, go wrong there first."""
CHANGES, CALL = "changes", "call"
"""What differs: an argument after a call, or what the call gives."""
MAX_NUMBERS = 200_000
"""Numbers of an argument up to which a call is kept."""
_calls: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {}


class Unclear(Exception):
    """A value that cannot be compared."""


# --- watching ------------------------------------------------------------------------------------------


def watch(namespace: dict[str, Any], names: list[str]) -> None:
    """Keep the arguments of calls of these functions from now on."""
    for name in names:
        function = namespace.get(name)
        if callable(function) and not isinstance(function, type) and not hasattr(function, "__watched__"):
            namespace[name] = _watched(name, function)


def _watched(name: str, function: Any) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        calls = _calls.setdefault(name, [])
        if len(calls) < MAX_CALLS:
            try:
                if sum(map(_size, [*args, *kwargs.values()])) <= MAX_NUMBERS:
                    calls.append((copy.deepcopy(args), copy.deepcopy(kwargs)))
            except Exception:  # a call that cannot be kept is only one example less
                pass
        return function(*args, **kwargs)

    call.__watched__ = function  # type: ignore[attr-defined]
    return call


def _size(value: Any) -> int:
    if getattr(value, "shape", None) is not None:
        return math.prod(value.shape)
    return sum(map(_size, value)) if isinstance(value, (list, tuple)) else 1


# --- comparing -----------------------------------------------------------------------------------------


def compare(
    namespace: dict[str, Any],
    right: str,
    answer: str,
    names: list[str],
    seconds: float,
    seed: int,
    has_order: bool = True,
) -> None:
    """Print as JSON whether two sources of a cell behave alike: ``alike``, ``different`` or ``unclear``, and why.

    Args:
        namespace: the notebook's names.
        right: the instructor's source.
        answer: the other source.
        names: what later cells and tests use of the cell.
        seconds: time for both.
        seed: of the drawn arguments.
        has_order: whether the order of a table's rows counts.
    """
    quiet = io.StringIO()
    began = time.monotonic()
    with redirect_stdout(quiet), redirect_stderr(quiet):
        try:
            verdict = _Comparison(began + seconds, seed, has_order).verdict(namespace, right, answer, names)
        except Unclear as error:
            verdict = {"verdict": "unclear", "why": str(error)}
        except Exception as error:
            verdict = {"verdict": "unclear", "why": f"{type(error).__name__}: {error}"}
    sys.stdout.write("\n" + json.dumps(verdict) + "\n")


class _Comparison:
    """A comparison of two answers: its deadline, the seed of drawn arguments, whether the order of rows counts."""

    def __init__(self, deadline: float, seed: int, has_order: bool) -> None:
        self.deadline, self.seed, self.has_order = deadline, seed, has_order

    def verdict(self, namespace: dict[str, Any], right: str, answer: str, names: list[str]) -> dict[str, str]:
        """Compare what two sources of a cell bind."""
        (first, early), (again, late), (second, error) = (
            _executed(namespace, source, names, self.deadline) for source in (right, right, answer)
        )
        if early is not None or late is not None:
            raise Unclear("the solution's cell cannot be run a second time")
        functions = [name for name in names if _is_function(first.get(name))]
        for name in (name for name in names if name not in functions and name in first):
            if not alike(self.plain(first[name]), self.plain(again.get(name))):
                raise Unclear(f"`{name}` differs from run to run")
            if name not in second or not alike(self.plain(first[name]), self.plain(second[name])):
                if hasattr(first[name], "get_weights"):
                    raise Unclear("networks with other weights may be equally good")
                wanted, actual = as_code(first[name]), as_code(second.get(name))
                return {"verdict": "different", "why": f"`{name}` is {actual} instead of {wanted}", "name": name}
        tried = 0
        for name in functions:
            if not _is_function(second.get(name)):
                return {"verdict": "different", "why": f"`{name}` is no function", "name": name}
            difference, count = self.calls_differ(name, first[name], second[name])
            tried += count
            if difference:
                return difference
        if functions and not tried:
            raise Unclear("no call of it was seen from which arguments could be drawn")
        reason = f"equal for {tried} inputs" if functions else "equal values"
        ending = "" if error is None else f"; its cell raises {type(error).__name__} after that"
        return {"verdict": "alike", "why": reason + ending}

    def calls_differ(self, name: str, right: Any, answer: Any) -> tuple[dict[str, str], int]:
        """Call both functions with many arguments; return what differs, and how many inputs were tried."""
        calls = _calls.get(name, [])
        dice = random.Random(self.seed)
        drawn = [(args, kwargs) for args, kwargs in calls]
        drawn += [_scaled(call, factor) for call in calls[:3] for factor in SCALES]
        drawn += [_drawn(dice, calls) for _ in range(MAX_INPUTS if calls else 0)]
        differences: list[tuple[int, dict[str, str]]] = []
        tried = 0
        for args, kwargs in drawn:
            if time.monotonic() > self.deadline - 0.5 or len(differences) >= 5:
                break
            wanted, before = _called(right, args, kwargs, self.deadline)
            if isinstance(wanted, BaseException):
                continue
            try:
                expected = self.plain(wanted)
                if not tried and not alike(expected, self.plain(_called(right, args, kwargs, self.deadline)[0])):
                    raise Unclear(f"`{name}` gives another result each time")
                tried += 1
                actual, after = _called(answer, args, kwargs, self.deadline)
                same = not isinstance(actual, BaseException) and alike(expected, self.plain(actual))
            except Unclear:
                if not tried:
                    raise
                continue
            if same and not self.same_arguments(before, after):
                reason = f"`{name}` changes its argument, and the solution leaves it as it is"
                if self.same_arguments(before, (args, kwargs)):
                    return {"verdict": "different", "why": reason, "kind": CHANGES, "name": name}, tried
            if not same:
                arguments = ", ".join(
                    [*map(as_code, args), *(f"{key}={as_code(value)}" for key, value in kwargs.items())]
                )
                result = _ending(actual) if isinstance(actual, BaseException) else f"gives {as_code(actual)}"
                call = f"{name}({arguments})"
                reason = f"`{call}` {result} instead of {as_code(wanted)}"
                ending = "," if len(args) == 1 else ""
                case = f"(({arguments}{ending}), {as_code(wanted)})" if not kwargs else ""
                difference = {"verdict": "different", "why": reason, "kind": CALL, "name": name, "case": case}
                differences.append((len(reason), difference))
        return (min(differences, key=lambda pair: pair[0])[1] if differences else {}), tried

    def same_arguments(self, first: Arguments, second: Arguments) -> bool:
        """Tell whether the arguments of two calls are equal; also where they cannot be compared."""
        try:
            return alike(self.plain(first), self.plain(second))
        except Unclear:
            return True

    def plain(self, value: Any) -> Any:
        """Turn a value into a plain one."""
        return plain(value, self.has_order)


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, type) and not hasattr(value, "get_weights")


def _executed(
    namespace: dict[str, Any], source: str, names: list[str], deadline: float
) -> tuple[dict[str, Any], BaseException | None]:
    """Execute a cell in a copy of the namespace; return the copy, and what the cell raised."""
    namespace_copy = {name: getattr(value, "__watched__", value) for name, value in namespace.items()}
    for name in names:
        if _is_function(namespace_copy.get(name)):
            del namespace_copy[name]  # the cell defines it
    _seed()
    outcome = _within(deadline, lambda: exec(compile(source, "<answer>", "exec"), namespace_copy))
    return namespace_copy, outcome if isinstance(outcome, BaseException) else None


def _ending(error: BaseException) -> str:
    return "takes too long" if isinstance(error, _TimeIsUp) else f"raises {type(error).__name__}"


Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def _called(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], deadline: float) -> tuple[Any, Arguments]:
    """Call a function with copies; return its result, or what it raised, and the copies."""
    _seed()
    limit = min(deadline, time.monotonic() + 5)
    copied, keywords = copy.deepcopy(args), copy.deepcopy(kwargs)
    return _within(limit, lambda: _listed(function(*copied, **keywords))), (copied, keywords)


def _listed(result: Any) -> Any:
    """Return the values of a generator as a list; of an endless one, only the first."""
    is_lazy = hasattr(result, "__next__") and not hasattr(result, "read")
    return list(itertools.islice(result, MAX_NUMBERS)) if is_lazy else result


class _TimeIsUp(BaseException):
    pass


def _within(deadline: float, act: Any) -> Any:
    def expire(signum: int, frame: Any) -> None:
        raise _TimeIsUp

    try:
        before = signal.signal(signal.SIGALRM, expire)
    except ValueError:  # not the main thread
        before = None
    try:
        if before is not None:
            signal.setitimer(signal.ITIMER_REAL, max(0.01, deadline - time.monotonic()))
        return act()
    except (Exception, _TimeIsUp, SystemExit) as error:
        return error
    finally:
        if before is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def _seed() -> None:
    """Let both answers draw the same random numbers."""
    random.seed(7)
    for module, name in (("numpy", "random.seed"), ("keras", "utils.set_random_seed"), ("torch", "manual_seed")):
        function = sys.modules.get(module)
        try:
            for part in name.split("."):
                function = getattr(function, part)
            function(7)  # type: ignore[misc, operator]
        except Exception:
            continue


# --- values --------------------------------------------------------------------------------------------


def plain(value: Any, has_order: bool = True, depth: int = 0) -> Any:
    """Turn a value into numbers, texts, lists and dictionaries that can be compared.

    Args:
        value: any value.
        has_order: whether the order of the rows of a table counts.
        depth: levels above it.

    Raises:
        Unclear: it is none of these.
    """
    if depth > 8:
        raise Unclear("a value is nested too deeply")
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(one, has_order, depth + 1) for one in value]
    if isinstance(value, dict):
        return {str(key): plain(one, has_order, depth + 1) for key, one in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(one, has_order, depth + 1) for one in value), key=repr)
    if hasattr(value, "get_weights"):
        return [_settings(value), *(_array(one) for one in value.get_weights())]
    if hasattr(value, "get_params") and hasattr(value, "fit"):
        return _estimator(value, has_order, depth)
    if hasattr(value, "to_numpy") and hasattr(value, "index"):
        return _table(value, has_order, depth)
    for method_name in ("numpy", "get_value", "to_numpy"):
        method = getattr(value, method_name, None)
        if callable(method) and not isinstance(value, type):
            detached = value.detach() if hasattr(value, "detach") else value  # a tensor of PyTorch gives tensors
            return plain(getattr(detached, method_name)(), has_order, depth + 1)
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return _array(value)
    raise Unclear(f"a {type(value).__name__} cannot be compared")


def _table(value: Any, has_order: bool, depth: int) -> Any:
    """Turn a table or a column of pandas into lists; numbers of rows are no matter, names of rows are."""
    names = {} if str(value.index.dtype).startswith("int") else {"": [str(name) for name in value.index]}
    if not has_order and hasattr(value, "columns"):
        texts = list(map(repr, value.to_numpy().tolist()))
        value = value.iloc[sorted(range(len(value)), key=texts.__getitem__)]
    columns = [(str(name), value[name]) for name in value.columns] if hasattr(value, "columns") else [("values", value)]
    return names | {name: [plain(one, has_order, depth + 1) for one in column.tolist()] for name, column in columns}


def _estimator(value: Any, has_order: bool, depth: int) -> Any:
    """Turn a model of scikit-learn's into its settings and what it learned, as far as they can be compared."""
    learned: dict[str, Any] = {"": type(value).__name__}
    for name, part in vars(value).items():
        try:
            learned[name] = plain(part, has_order, depth + 1)
        except Unclear:
            learned[name] = None
    return learned


def _settings(model: Any) -> Any:
    """Describe how a network is built and compiled, without the names that each network and layer has of its own."""
    settings = []
    for method_name in ("get_config", "get_compile_config"):
        try:
            settings.append(_without_names(getattr(model, method_name)()))
        except Exception:
            settings.append(None)
    return json.dumps(settings, default=repr, sort_keys=True)


def _without_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _without_names(one) for key, one in value.items() if key not in ("name", "inbound_nodes")}
    if isinstance(value, (list, tuple)):
        return [_without_names(one) for one in value]
    return value


class _Array:
    """An array, with the tolerance of its type."""

    def __init__(self, shape: tuple[int, ...], numbers: list[Any], is_single: bool) -> None:
        self.shape, self.numbers, self.is_single = shape, numbers, is_single


def _array(value: Any) -> Any:
    if getattr(value, "size", 0) > MAX_NUMBERS:
        raise Unclear("an array is too large")
    if str(value.dtype) == "object":
        raise Unclear("an array of objects cannot be compared")
    if value.shape == ():
        return value.item() if not _is_single(value) else _Array((), [value.item()], True)
    return _Array(tuple(value.shape), value.ravel().tolist(), _is_single(value))


def _is_single(value: Any) -> bool:
    return str(value.dtype) in ("float32", "float16", "bfloat16")


def alike(first: Any, second: Any) -> bool:
    """Tell whether two plain values are equal, numbers up to rounding."""
    if isinstance(first, _Array) or isinstance(second, _Array):
        return _arrays_alike(first, second)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(alike, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(alike(first[key], second[key]) for key in first)
    return _numbers_alike(first, second, 1e-7)


def _arrays_alike(first: Any, second: Any) -> bool:
    shapes = [value.shape if isinstance(value, _Array) else _shape(value) for value in (first, second)]
    if shapes[0] != shapes[1]:
        return False
    single = any(isinstance(value, _Array) and value.is_single for value in (first, second))
    flat = [value.numbers if isinstance(value, _Array) else _flat(value) for value in (first, second)]
    scale = max((abs(x) for x in flat[0] if isinstance(x, (int, float)) and math.isfinite(x)), default=0.0)
    tolerance = 1e-4 if single else 1e-7
    return all(map(lambda a, b: _numbers_alike(a, b, tolerance, scale), *flat))


def _shape(value: Any) -> tuple[int, ...] | None:
    if not isinstance(value, list):
        return ()
    inner = {_shape(one) if not isinstance(one, _Array) else one.shape for one in value}
    return (len(value), *(inner.pop() or ())) if len(inner) == 1 else (len(value),)


def _flat(value: Any) -> list[Any]:
    if isinstance(value, _Array):
        return value.numbers
    return [one for part in value for one in _flat(part)] if isinstance(value, list) else [value]


def _numbers_alike(first: Any, second: Any, tolerance: float, scale: float = 0.0) -> bool:
    numbers = (int, float, complex)
    if isinstance(first, numbers) and isinstance(second, numbers):
        if first != first or second != second:
            return first != first and second != second
        if first == second:
            return True
        if abs(first) == math.inf or abs(second) == math.inf:
            return False
        return abs(first - second) <= tolerance * max(abs(first), abs(second)) + 1e-3 * tolerance * max(1.0, scale)
    return type(first) is type(second) and bool(first == second)


def as_code(value: Any) -> str:
    """Show a value as it could be written in a test."""
    try:
        if hasattr(value, "dtype") and hasattr(value, "tolist") and getattr(value, "shape", ()) != ():
            size = math.prod(value.shape)
            text = f"np.array({value.tolist()!r})" if size <= 24 else f"<array of shape {tuple(value.shape)}>"
        elif hasattr(value, "columns") and hasattr(value, "to_dict"):
            text = f"pd.DataFrame({value.to_dict('list')!r})"
        elif hasattr(value, "item") and getattr(value, "shape", None) == ():
            text = repr(value.item() if not hasattr(value, "numpy") else value.numpy().item())
        else:
            text = _function_text(value) if callable(value) else repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def _function_text(value: Any) -> str:
    """Show a function by its name and a lambda by its source, so that a case can be copied."""
    code = getattr(value, "__code__", None)
    if code is None or code.co_name != "<lambda>":
        module = {"numpy": "np."}.get(getattr(value, "__module__", None) or type(value).__module__, "")
        return f"{module}{value.__name__}"
    source = "".join(linecache.getlines(code.co_filename)) or inspect.getsource(value)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Lambda) or node.lineno != code.co_firstlineno:
            continue
        if compile(ast.Expression(node), "<lambda>", "eval").co_consts[0].co_code == code.co_code:
            return ast.unparse(node)
    return repr(value)


# --- arguments -----------------------------------------------------------------------------------------


def _drawn(
    dice: random.Random, calls: list[tuple[tuple[Any, ...], dict[str, Any]]]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Draw arguments near those of a call that was seen."""
    args, kwargs = copy.deepcopy(dice.choice(calls))
    drawn = [_near(dice, value, [a[place] for a, _ in calls if len(a) > place]) for place, value in enumerate(args)]
    drawn_keywords = {key: _near(dice, value, [k[key] for _, k in calls if key in k]) for key, value in kwargs.items()}
    if len(drawn) + len(drawn_keywords) > 1 and dice.random() < 0.5:  # only one of them
        position = dice.randrange(len(args)) if args else -1
        drawn = [value if index == position else args[index] for index, value in enumerate(drawn)]
    return tuple(drawn), drawn_keywords


def _scaled(call: Arguments, factor: float) -> Arguments:
    """Multiply the floats of a call, unless they are shares."""
    args, kwargs = copy.deepcopy(call)
    return tuple(_times(value, factor) for value in args), {key: _times(value, factor) for key, value in kwargs.items()}


def _times(value: Any, factor: float) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)([_times(one, factor) for one in value])
    if isinstance(value, float) and not 0 <= value <= 1:
        return value * factor
    is_float = hasattr(value, "min") and "float" in str(getattr(value, "dtype", ""))
    return value * factor if is_float and not (value.min() >= 0 and value.max() <= 1) else value


def _near(dice: random.Random, value: Any, examples: list[Any]) -> Any:
    """Draw a value near ``value``, within the range of those that were seen in its place."""
    if hasattr(value, "iloc"):
        return _near_table(dice, value)
    if hasattr(value, "dtype") and hasattr(value, "astype"):
        return _near_array(dice, value)
    numbers = [x for one in examples for x in _flat_numbers(one)]
    low = _lower_bound(numbers)
    high = 1.0 if numbers and all(0 <= x <= 1 for x in numbers) and any(x != int(x) for x in numbers) else math.inf
    return _near_plain(dice, value, low, high)


def _flat_numbers(value: Any) -> list[float]:
    if isinstance(value, (list, tuple)):
        return [x for one in value for x in _flat_numbers(one)]
    return [float(value)] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


def _lower_bound(numbers: list[float]) -> float:
    if numbers and min(numbers) >= 0:
        whole = all(x == int(x) for x in numbers)
        return 0.0 if min(numbers) == 0 else 1.0 if whole else 1e-9
    return -math.inf


def _near_plain(dice: random.Random, value: Any, low: float, high: float) -> Any:
    if isinstance(value, bool):
        return dice.random() < 0.5
    if isinstance(value, int):
        near = (value - 1, value + 1, 2 * value, -value, dice.randint(0, max(4, 2 * abs(value))))
        whole = dice.choice((value, *near, value + dice.randint(-30, 30)))
        return whole if low <= whole <= high else value
    if isinstance(value, float):
        drawn = dice.choice(
            (value, value * dice.uniform(0, 2), value + dice.gauss(0, 1), -value, 0.0, 10 * value, round(value, 1))
        )
        return drawn if low <= drawn <= high else value
    if isinstance(value, str):
        signs = "".join(dice.choice("abcxyzABCXYZ 0179-") for _ in range(max(1, len(value))))
        marked = (signs, signs, f" {value}", f"{value}.", f"({value}), {value}!", value.title(), value.swapcase())
        return dice.choice((value, value[::-1], value.upper(), value.lower(), value + value, value[:1], *marked))
    if isinstance(value, (list, tuple)) and value:
        return type(value)(_near_list(dice, list(value), low, high))
    if isinstance(value, dict):
        return {key: _near_plain(dice, one, low, high) for key, one in value.items()}
    return value


def _near_list(dice: random.Random, items: list[Any], low: float, high: float) -> list[Any]:
    choice = dice.randrange(8)
    if choice == 0:
        return [_near_plain(dice, one, low, high) for one in items]
    if choice == 1:
        position = dice.randrange(len(items))
        return [_near_plain(dice, one, low, high) if index == position else one for index, one in enumerate(items)]
    if choice == 2:
        dice.shuffle(items)
        return items
    if choice == 3 and len(items) > 1:
        return items[: dice.randint(1, len(items) - 1)]
    if choice == 4:
        return items + [dice.choice(items) for _ in range(dice.randint(1, 3))]
    if choice == 5:  # ties
        return [dice.choice(items) if dice.random() < 0.4 else one for one in items]
    if choice == 6:
        return [dice.choice(items)] * len(items)
    try:
        return sorted(items, reverse=dice.random() < 0.5)
    except TypeError:
        return items


def _near_table(dice: random.Random, value: Any) -> Any:
    """Draw a table of the same columns: rows exchanged or twice, numbers of a column exchanged or changed."""
    rows = [dice.randrange(len(value)) for _ in range(len(value))]
    drawn = value.iloc[rows].reset_index(drop=True) if len(value) else value
    for name in drawn.columns if hasattr(drawn, "columns") else ():
        if str(drawn[name].dtype).startswith(("int", "float")) and dice.random() < 0.5:
            drawn[name] = _near_array(dice, drawn[name].to_numpy())
    return drawn


def _near_array(dice: random.Random, value: Any) -> Any:
    """Draw an array of the same shape and type: other numbers within its range, rows exchanged, ties."""
    np = sys.modules.get("numpy")
    if np is None or not isinstance(value, np.ndarray) or value.size == 0:
        return value
    rng = np.random.default_rng(dice.getrandbits(32))
    choice = dice.randrange(6)
    rows = value.reshape(len(value), -1) if value.ndim else value.reshape(1, 1)
    is_whole = value.dtype.kind in "iub" or bool(np.all(value == np.round(value)))
    is_share = value.ndim > 1 and bool(np.allclose(rows.sum(axis=1), 1)) and bool((value >= 0).all())
    if choice == 0 or value.dtype.kind not in "iuf" or is_share:
        return rng.permutation(value) if value.ndim else value
    low, high = float(value.min()), float(value.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        return value
    if is_whole:
        return rng.integers(int(low), int(high) + 1, size=value.shape).astype(value.dtype)
    if low >= 0 and high <= 1:
        return rng.uniform(low, high, size=value.shape).astype(value.dtype)
    if choice == 1:
        return (value * rng.uniform(0.1, 3)).astype(value.dtype)
    if choice == 2:
        return np.where(rng.random(value.shape) < 0.3, value.reshape(-1)[0], value).astype(value.dtype)
    if choice == 3 and low < 0:
        return (-value).astype(value.dtype)
    if low < 0:
        return rng.normal(0, max(1e-3, float(np.std(value))), size=value.shape).astype(value.dtype)
    return rng.uniform(low, high + 1e-9, size=value.shape).astype(value.dtype)
