"""``python -I probe -f <connection file> [module …] [option]``: an IPython kernel that also answers the examiner's
questions.

The modules are imported before the kernel takes its first request, so that a cell's time is the student's own.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def main() -> None:
    import contextlib
    import gc
    import importlib

    gc.disable()  # imports make much and leave little behind: to look for it takes a quarter of the time

    # The folder above has this package, and the aliases that are for the end of the path.
    program = Path(__file__).resolve().parent
    sys.path[0] = str(program.parent)

    from agent import figures, keras_pipelines, keras_training, server, workfiles
    from ipykernel.kernelapp import IPKernelApp

    # From here on the path is what a notebook in its own folder has, and at its end the aliases of old libraries.
    aliases = program.parent / "aliases"
    sys.path[0] = ""
    sys.path.append(str(aliases))
    app: Any = IPKernelApp.instance()
    # The connection file is there, and read-only; ipykernel of old would write it a second time.
    app.write_connection_file = lambda *_, **__: None
    app.initialize([*sys.argv[1:3], "--quiet"])
    server.attach(app.kernel)
    figures.watch(app.kernel.shell)
    workfiles.start(str(Path.cwd()))
    keras_pipelines.start(app.kernel.shell)
    if keras_training.OPTION in sys.argv[3:]:
        keras_training.start(app.kernel.shell)
    for name in (name for name in sys.argv[3:] if name != keras_training.OPTION):
        with contextlib.suppress(Exception):  # the cell that imports it says what is wrong
            importlib.import_module(name)
    gc.freeze()
    gc.enable()
    app.start()


if __name__ == "__main__":
    main()
