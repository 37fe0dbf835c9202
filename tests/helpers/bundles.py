"""Bundles that somebody has changed."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def rewritten(
    path: Path, change: Callable[[dict[str, bytes], dict[str, Any]], None], folder: Path | None = None
) -> Path:
    """Write the bundle again after ``change``, with digests that fit; it gets the files and the manifest."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop("bundle.json"))
    change(files, manifest)
    for entry in (entry for entry in manifest["files"].values() if isinstance(entry, dict)):
        content = files.get(entry["member"], b"")
        entry |= {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    other = (folder or path.parent) / "changed.zip"
    with zipfile.ZipFile(other, "w") as archive:
        for name, content in {**files, "bundle.json": json.dumps(manifest).encode()}.items():
            archive.writestr(name, content)
    return other
