"""Files in memory, for content that has no file on the host."""

from __future__ import annotations

import os


def file_of(content: bytes) -> int:
    """Make a descriptor to read ``content`` from, which executed programs inherit."""
    fd = os.memfd_create("data", 0)
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
