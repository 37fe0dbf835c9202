"""The parts that a notebook's function needs to run in another process: source text, imports and plain values.

``collect`` follows the names that the function's source reads, and those of the functions and classes behind them.
``rebuild`` puts the same names into an empty namespace, in the other process. Nothing is pickled. The parts are a
list of steps, each of them plain data:

    ["module", name, module]            import module as name
    ["import", name, module, path]      from module import path as name
    ["value", name, value]              a constant; a tensor becomes a numpy array
    ["source", names, defined, text]    a def, class or lambda statement; its object gets all the names

The names that a definition reads come before it, so that base classes, decorators and default values exist in time.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import inspect
import linecache
import symtable
import sys
import types
from collections.abc import Iterator
from typing import Any

from .... import codec

BACKENDS = ("tensorflow", "jax", "torch")
TARGET = "<function>"
"""The name of the function that is to be called; no source can have this name."""


class ElsewhereError(RuntimeError):
    """An error of the kit's: a function could not be run in another process.

    ``code`` is ``carry`` (it needs something that cannot go there), ``missing`` (no such backend here), ``died`` or
    ``slow``. Or it is ``result`` (its result cannot come back) or ``raised`` (the other process's traceback).
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def collect(function: Any, backend: str = "") -> list[list[Any]]:
    """List the steps that make ``function`` in a process that has only this Keras backend.

    Raises:
        ElsewhereError: it reads a name that cannot go there; the message says which, and what to do.
    """
    collector = _Collector(backend)
    collector.bind(TARGET, function)
    return collector.steps


class _Collector:
    def __init__(self, backend: str) -> None:
        self.backend = backend
        self.steps: list[list[Any]] = []
        self.bound: dict[str, Any] = {}
        self.definitions: dict[int, list[Any]] = {}

    def bind(self, name: str, value: Any) -> None:
        """Let ``name`` stand for ``value`` in the other process."""
        if name in self.bound:
            if self.bound[name] is not value:
                raise _cannot(name, "stands for two different things in the functions that use it. Rename one of them")
            return
        self.bound[name] = value
        if isinstance(value, types.ModuleType):
            self._installed(name, value.__name__)
            self.steps.append(["module", name, value.__name__])
            return
        original = _original(value)
        path = None if _is_of_notebook(original) else _import_path(value)
        if _is_of_notebook(original):
            self._define(name, original)
        elif path is not None:
            self._installed(name, path[0])
            self.steps.append(["import", name, path[0], path[1]])
        else:
            self._constant(name, value)

    def _installed(self, name: str, module: str) -> None:
        library = module.split(".")[0]
        if self.backend and library in BACKENDS and library != self.backend:
            raise _cannot(
                name,
                f"belongs to {library}, which is not there where {self.backend} is the backend. Use keras.ops for it",
            )

    def _define(self, name: str, value: Any) -> None:
        step = self.definitions.get(id(value))
        if step is not None:
            step[1].append(name)
            return
        defined, text = _source(name, value)
        step = self.definitions[id(value)] = ["source", [name], defined, text]
        surrounding = _names_around(value)
        for used in _global_names(text):
            if used in surrounding:
                self.bind(used, surrounding[used])
        self.steps.append(step)

    def _constant(self, name: str, value: Any) -> None:
        value = plain(value)
        try:
            codec.encode(value)
        except codec.CodecError:
            kind = type(value).__name__
            raise _cannot(
                name,
                f"is a {kind}, which is no plain value. Make it inside the function, or hand over plain values "
                "and arrays as arguments",
            ) from None
        self.steps.append(["value", name, value])


def _cannot(name: str, reason: str) -> ElsewhereError:
    subject = "this function" if name == TARGET else f"`{name}`"
    return ElsewhereError("carry", f"{subject} cannot go to another process: it {reason}.")


def _original(value: Any) -> Any:
    """Return the function behind its decorators' wrappers; its source includes the decorators."""
    try:
        return inspect.unwrap(value) if callable(value) else value
    except ValueError:
        return value


def _is_of_notebook(value: Any) -> bool:
    return isinstance(value, (types.FunctionType, type)) and value.__module__ == "__main__"


def _import_path(value: Any) -> tuple[str, str] | None:
    """Return where a library's function or class can be imported from; None if that is unknown."""
    module = getattr(value, "__module__", None)
    path = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if type(value).__module__ == "numpy" and type(value).__name__ == "ufunc":
        module, path = "numpy", value.__name__
    if not isinstance(module, str) or not isinstance(path, str):
        return None
    resolved: Any = sys.modules.get(module)
    for part in path.split("."):
        resolved = getattr(resolved, part, None)
    return (module, path) if resolved is value else None


# --- source ------------------------------------------------------------------------------------------


def _source(name: str, value: Any) -> tuple[str, str]:
    """Return the name that a statement defines, and the statement."""
    try:
        text = _class_source(value) if isinstance(value, type) else inspect.getsource(value)
        if text[:1] in (" ", "\t"):  # a function that another function made
            text = "if True:\n" + text
        tree = ast.parse(text)
    except (OSError, TypeError, SyntaxError, ValueError):
        raise _cannot(name, "has no source text here. Define it with def, in a cell without magics") from None
    if value.__name__ != "<lambda>":
        return value.__name__, text
    (statement,) = tree.body
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Lambda):
        (target,) = statement.targets
        if isinstance(target, ast.Name):
            return target.id, text
    raise _cannot(name, "is a lambda within a larger statement. Define it with def")


def _class_source(kind: type) -> str:
    """Return the source of a class, found by its methods: a notebook's class does not know its own file."""
    for method in _methods(kind):
        code = method.__code__
        lines = linecache.getlines(code.co_filename)
        for node in ast.walk(ast.parse("".join(lines))):
            if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                block = inspect.getblock(lines[first - 1 :])
                if first <= code.co_firstlineno < first + len(block):
                    return "".join(block)
    raise OSError("no source")


def _methods(kind: type) -> Iterator[types.FunctionType]:
    for value in vars(kind).values():
        function = _original(getattr(value, "__func__", getattr(value, "fget", value)))
        if isinstance(function, types.FunctionType) and function.__module__ == kind.__module__:
            yield function


def _names_around(value: Any) -> dict[str, Any]:
    """Map the names that a definition reads but does not bind to their values."""
    if isinstance(value, type):
        return dict(next(_methods(value)).__globals__)
    surrounding = dict(value.__globals__)
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or ()):  # noqa: B905 - not in Python 3.9
        try:
            surrounding[name] = cell.cell_contents
        except ValueError:  # not yet assigned
            continue
    return surrounding


def _global_names(text: str) -> list[str]:
    """List the names that a statement reads from its surroundings, in any of its scopes."""
    names: set[str] = set()
    pending = [symtable.symtable(text, "<notebook>", "exec")]
    while pending:
        table = pending.pop()
        outer = table.get_type() in ("module", "class")
        names |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (outer or s.is_global())}
        pending.extend(table.get_children())
    return sorted(names)


# --- values ------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Convert tensors and Keras variables to numpy arrays, also inside lists, tuples and dicts.

    Anything else stays as it is.
    """
    if type(value) in (list, tuple):
        return type(value)(plain(item) for item in value)
    if type(value) is dict:
        return {key: plain(item) for key, item in value.items()}
    library = type(value).__module__.split(".")[0]
    if library not in ("jaxlib", "keras", *BACKENDS):
        return value
    keras: Any = sys.modules.get("keras")
    if keras is not None and (keras.ops.is_tensor(value) or isinstance(value, keras.Variable)):
        value = keras.ops.convert_to_numpy(value)
    elif library != "keras" and hasattr(value, "__array__"):
        value = value.__array__()
    if getattr(getattr(value, "dtype", None), "kind", "f") == "V":
        return value.astype("float32")  # bfloat16 and the like: exact in float32
    return value


# --- in the other process ----------------------------------------------------------------------------


def rebuild(steps: list[list[Any]]) -> Any:
    """Take the steps in a new ``__main__``; return the function."""
    import importlib

    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    namespace = vars(module)
    namespace["__builtins__"] = builtins
    for kind, name, *details in steps:
        if kind == "module":
            namespace[name] = importlib.import_module(details[0])
        elif kind == "import":
            imported: Any = importlib.import_module(details[0])
            for part in details[1].split("."):
                imported = getattr(imported, part)
            namespace[name] = imported
        elif kind == "value":
            namespace[name] = details[0]
        else:
            definition = _defined(details[0], details[1], namespace)
            namespace.update(dict.fromkeys(name, definition))
    return namespace[TARGET]


def _defined(name: str, text: str, namespace: dict[str, Any]) -> Any:
    """Run a definition and return its object; its name keeps its earlier value."""
    file = f"<notebook: {name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    before = dict(namespace)
    # Annotations stay text: they may name things of the notebook that no function needs.
    flags = __future__.annotations.compiler_flag
    exec(compile(text, file, "exec", flags=flags, dont_inherit=True), namespace)
    definition = namespace.pop(name)
    if name in before:
        namespace[name] = before[name]
    return definition
