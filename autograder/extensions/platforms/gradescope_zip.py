"""The zip that a programming assignment on Gradescope is configured with."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from autograder._util.files import write_atomically
from autograder.extensions.platforms.package import Package
from autograder.extensions.platforms.wheel import zip_entry


def write_zip(path: Path, package: Package) -> int:
    """Write the zip, for this user alone: it holds hidden tests.

    Returns:
        Its size in bytes.

    Raises:
        HostError: it cannot be written.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (content, mode) in {**package.image, **package.grading}.items():
            archive.writestr(zip_entry(name, mode), content)
    write_atomically(path, buffer.getvalue(), mode=0o600)
    return len(buffer.getvalue())
