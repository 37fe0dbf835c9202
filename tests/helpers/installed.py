"""A package outside of the tree, installed for one test: modules and entry points in a folder on sys.path."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from autograder._util import registry


@contextmanager
def installed(folder: Path, name: str, modules: Mapping[str, str], entry_points: str) -> Iterator[Path]:
    """Install a package into ``folder``, with metadata of its own; at the end nothing of it is left in this process.

    Args:
        folder: any folder; the package's modules lie in it.
        name: the name of the package.
        modules: path of a module without ``.py``, such as ``mine`` or ``mine/parts`` → its text.
        entry_points: the text of entry_points.txt.
    """
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)
    for module, text in modules.items():
        path = folder / f"{module}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sys.path.append(str(folder))
    registry.forget()
    try:
        yield folder
    finally:
        sys.path.remove(str(folder))
        tops = {module.partition("/")[0] for module in modules}
        for module in [name for name in sys.modules if name.partition(".")[0] in tops]:
            del sys.modules[module]
        registry.forget()
