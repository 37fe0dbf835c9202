"""The shapes with which a notebook called its PyTorch modules, and a module's description by them.

A module does not say which rows it takes, and a hidden test should not have to. A hook that PyTorch calls after each
module notes sizes, and holds neither a module nor a tensor. Runs inside the student's kernel, or in their notebook.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

MAX_SHAPES = 32
"""Most forms of calls that are counted for a module."""
MAX_TRIED = 3
"""Forms of calls by which a module is described, one after the other, until one can be read."""
_counts: Any = WeakKeyDictionary()
"""Module → the shapes of the tensors in a call → how many calls had them."""
_REPEATED = "Using `torch.compile\\(module\\)` when there are global hooks"
"""PyTorch's word that hooks run once more for a compiled module, which is nothing to a student."""


def start(shell: Any) -> None:
    """Watch the calls of modules from the first cell of an IPython shell after PyTorch's import.

    A cell that exports a module runs without: ``torch.export`` in its strict way knows no hooks of all modules.
    """
    install()

    def before_cell(info: Any = None) -> None:
        if "export" in str(getattr(info, "raw_cell", "")):
            remove()
        else:
            install()

    shell.events.register("pre_run_cell", before_cell)


def install() -> None:
    """Watch the calls of modules, once, if PyTorch has been imported; it may be called again at any time."""
    torch = sys.modules.get("torch")
    modules: Any = sys.modules.get("torch.nn.modules.module")
    if not hasattr(torch, "compiler") or not hasattr(modules, "_global_forward_hooks") or _watches():
        return
    modules.register_module_forward_hook(_hook(torch))
    warnings.filterwarnings("ignore", message=_REPEATED)


def _watches() -> dict[int, Any]:
    """Return the hooks of this module, or of another copy of it, by PyTorch's numbers for them."""
    modules: Any = sys.modules.get("torch.nn.modules.module")
    hooks = getattr(modules, "_global_forward_hooks", {})
    return {number: hook for number, hook in hooks.items() if getattr(hook, "is_watch", False)}


def remove() -> dict[int, Any]:
    """Watch no longer; return the hooks that did."""
    watches = _watches()
    for number in watches:
        del sys.modules["torch.nn.modules.module"]._global_forward_hooks[number]
    return watches


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Watch no calls inside the block."""
    watches = remove()
    try:
        yield
    finally:
        if watches:
            sys.modules["torch.nn.modules.module"]._global_forward_hooks.update(watches)


def _hook(torch: Any) -> Any:
    """Return what counts a call by the sizes of its tensors."""
    tensor, is_compiling = torch.Tensor, torch.compiler.is_compiling
    alone = frozenset(
        kind for kind in vars(torch.nn.modules).values() if isinstance(kind, type) and kind is not torch.nn.Sequential
    )

    def note(module: Any, args: Any, _: Any) -> None:
        """Count a call, unless it is of a layer of PyTorch's own, or a trace, whose sizes are no numbers."""
        if type(module) in alone or is_compiling():
            return
        shapes = []
        for value in args:
            if not isinstance(value, tensor):
                break
            shapes.append(tuple(value.shape[1:]))
        with contextlib.suppress(Exception):  # a class of a student's may have no hash, and a size of a trace has none
            counts = _counts.setdefault(module, {})
            key = tuple(shapes)
            if key in counts or len(counts) < MAX_SHAPES:
                counts[key] = counts.get(key, 0) + 1

    vars(note)["is_watch"] = True
    return note


def called_shapes(*modules: Any) -> list[Any]:
    """Return the forms in which modules were called, the commonest and latest first, as a test's shapes are given.

    A call with several tensors may have had labels among them, so its first tensor alone is a form, too.

    Args:
        modules: a module, and what it wraps.
    """
    counts: dict[Any, int] = {}
    for module in modules:
        with contextlib.suppress(TypeError):
            counts.update(_counts.get(module, {}))
    places = {shapes: place for place, shapes in enumerate(counts)}
    commonest_first = sorted(counts, key=lambda shapes: (counts[shapes], places[shapes]), reverse=True)
    forms = [form for shapes in commonest_first for form in (shapes, shapes[:1]) if _is_plain(form)]
    return [_as_given(form) for form in dict.fromkeys(forms)][:MAX_TRIED]


def _is_plain(form: Any) -> bool:
    return bool(form) and all(type(size) is int and size > 0 for shape in form for size in shape)


def _as_given(form: Any) -> Any:
    leaves = [{"shape": list(shape), "dtype": ""} for shape in form]
    return leaves if len(leaves) > 1 else leaves[0]
