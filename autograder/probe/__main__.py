"""``python -I probe -f <connection file>``: an ordinary IPython kernel that also answers the examiner's questions."""

from __future__ import annotations

import sys
from typing import Any


def main() -> None:
    import server  # this folder is the only thing on the path that is ours
    from ipykernel.kernelapp import IPKernelApp

    # From here on the path is what a notebook in its own folder has.
    sys.path[0] = ""
    app: Any = IPKernelApp.instance()
    app.initialize([*sys.argv[1:], "--quiet", "--IPKernelApp.trio_loop=False"])
    server.attach(app.kernel)
    app.start()


if __name__ == "__main__":
    main()
