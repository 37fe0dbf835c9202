"""The agent's program: an IPython kernel that also answers the examiner's questions.

Run as ``python -I _kernel_agent -f <connection file> [module …] [option]``. The modules are imported before the
kernel takes its first request, so that they cost no cell any time.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Start the kernel and serve until it is shut down."""
    import contextlib
    import gc
    import importlib

    gc.disable()  # imports allocate much and free little: collecting would take a quarter of the time

    # The folder above holds the package ``_kernel_agent``, and the aliases, which belong at the end of the path.
    program = Path(__file__).resolve().parent
    sys.path[0] = str(program.parent)

    from _kernel_agent.kernel import workfiles

    workfiles.copy_given(
        str(Path.cwd()), str(program.parent / "files" / "work")
    )  # before any import that may look into the folder

    from _kernel_agent.kernel import figures, model_questions, server
    from ipykernel.kernelapp import IPKernelApp

    with contextlib.suppress(ImportError):  # where it is installed; a file beside the notebook may have its name
        importlib.import_module("numpy")

    # From here on the path is that of a notebook in its own folder, with the aliases of old libraries at its end, and
    # in front of the installed packages what stands in for some of them.
    aliases = program.parent / "aliases"
    sys.path[0] = ""
    sys.path.insert(1, str(program / "kernel" / "stand_ins"))
    sys.path.append(str(aliases))
    app: Any = IPKernelApp.instance()
    # The connection file exists already and is read-only; old versions of ipykernel would write it again.
    app.write_connection_file = lambda *_, **__: None
    app.initialize([*sys.argv[1:3], "--quiet"])
    served = server.attach(app.kernel)
    figures.watch(app.kernel.shell)
    workfiles.start(str(Path.cwd()))
    for name in (name for name in sys.argv[3:] if not name.startswith("-")):
        with contextlib.suppress(Exception, SystemExit):  # the cell that imports the module shows the error
            importlib.import_module(name)
    for name in model_questions.starting(program / "extensions"):
        with contextlib.suppress(Exception):
            model_questions.question(name)(app.kernel.shell)
    gc.freeze()
    gc.enable()
    served.copies.start()
    app.start()


if __name__ == "__main__":
    main()
