"""Byte code of the kit, which notebooks read as users of their own."""

from __future__ import annotations

import os
import sys

OTHERS_READ = 0o044


def write_no_closed_bytecode() -> None:
    """Write no byte code from here on where root's mask keeps others from reading new files.

    Sandboxes of root run as other users. They, and whoever works with this installation later, would find byte code
    that they cannot read. This holds for the processes that this one starts, too.
    """
    mask = os.umask(0o077)
    os.umask(mask)
    if mask & OTHERS_READ and getattr(os, "geteuid", lambda: 1)() == 0:
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
