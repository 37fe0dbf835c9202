"""The kit's own wheel, made from the installed package: no build tool is needed, and nothing is downloaded."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from importlib import metadata
from pathlib import Path

from autograder._util.registry import DISTRIBUTION
from autograder.errors import HostError

PACKAGE = "autograder"
LEFT_OUT = ("_course", "__pycache__")
"""Folders that are not for the platform: the demo's course has hidden data of its own."""
_WHEEL = "Wheel-Version: 1.0\nGenerator: nbexaminer\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_DATE = (1980, 1, 1, 0, 0, 0)


def own_wheel() -> tuple[str, bytes]:
    """Make the wheel; equal code gives equal bytes.

    Returns:
        Its file name and its content.

    Raises:
        HostError: the package is not installed, or its metadata are damaged.
    """
    try:
        installed = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError as error:
        raise HostError(f"{DISTRIBUTION} is not installed here, only its files are: install it") from error
    stem = f"{DISTRIBUTION}-{installed.version}"
    info = f"{stem}.dist-info"
    files = {f"{PACKAGE}/{name}": path.read_bytes() for name, path in _own_files().items()}
    for name in ("METADATA", "entry_points.txt"):
        text = installed.read_text(name)
        if text is None:
            raise HostError(f"{DISTRIBUTION} is installed without its {name}: install it again")
        files[f"{info}/{name}"] = text.encode()
    files[f"{info}/WHEEL"] = _WHEEL.encode()
    record = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zip_entry(name, 0o644), content)
    return f"{stem}-py3-none-any.whl", packed.getvalue()


def zip_entry(name: str, mode: int) -> zipfile.ZipInfo:
    """Describe a file of a zip with its permissions, without the time."""
    entry = zipfile.ZipInfo(name, _DATE)
    entry.external_attr = (0o100000 | mode) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _own_files() -> dict[str, Path]:
    package = Path(__file__).resolve().parents[2]
    paths = {path.relative_to(package): path for path in sorted(package.rglob("*")) if path.is_file()}
    return {name.as_posix(): path for name, path in paths.items() if not set(name.parts) & set(LEFT_OUT)}


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
