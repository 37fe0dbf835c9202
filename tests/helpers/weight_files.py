"""Files of weights in the format of safetensors, written by hand: also such as no library writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NAMES = {"<f4": "F32", "<f8": "F64", "<f2": "F16", "<i8": "I64", "|u1": "U8"}


def written(path: Path, arrays: dict[str, Any], **changes: Any) -> str:
    """Write a file; ``changes`` replace entries of the first array."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    content = b""
    for name, array in arrays.items():
        entry = {"dtype": NAMES[array.dtype.str], "shape": list(array.shape)}
        header[name] = {**entry, "data_offsets": [len(content), len(content) + array.nbytes]}
        content += array.tobytes()
    if changes:
        header[next(iter(arrays))].update(changes)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # as the library does
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)
    return str(path)
