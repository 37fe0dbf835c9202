"""A finder that imports ``theano.<part>`` as ``pytensor.<part>`` if the alias has no file for it."""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

RENAMED = {"gof": "graph", "gof.graph": "graph.basic", "tensor.opt": "tensor.rewriting.basic"}
"""Parts that have another name in PyTensor."""


class PartFinder(MetaPathFinder, Loader):
    """The last finder: one of the alias's own files comes before PyTensor's module."""

    def __init__(self, package: str) -> None:
        self.prefix = package + "."

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if not fullname.startswith(self.prefix):
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> None:
        """Return None: the import system makes a module, which :meth:`exec_module` replaces by PyTensor's."""

    def exec_module(self, module: ModuleType) -> None:
        part = module.__name__[len(self.prefix) :]
        name = "pytensor." + RENAMED.get(part, part)
        try:
            sys.modules[module.__name__] = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
            raise ModuleNotFoundError(
                f"PyTensor has nothing like theano.{part}; it needs the real Theano", name=module.__name__
            ) from None


def install(package: str) -> None:
    """Add a :class:`PartFinder` behind all other finders, once for each package."""
    if not any(isinstance(f, PartFinder) and f.prefix == package + "." for f in sys.meta_path):
        sys.meta_path.append(PartFinder(package))
