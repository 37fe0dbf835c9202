"""HDF5 files that keep data in other files: external storage, external links and virtual datasets.

The library behind h5py, PyTables and netCDF opens those files by itself, past Python's events, with the rights of the
examiner. So the bytes of a student's file are searched before a test can open it. No such library reads them here: the
search knows the few structures that can name a file, which HDF5 never compresses, wherever in the file they lie. A file
that could hide them (compressed link names, an image of the metadata cache, short addresses) is refused as well.
"""

from __future__ import annotations

import contextlib
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
MAX_UNPACKED_BYTES = 256 << 20
"""Most bytes of a file, so that addresses have 28 bits, and of the members of a zip, in which Keras keeps weights."""
STORAGE, LINK, VIRTUAL = "external storage", "an external link", "a virtual dataset"
UNCLEAR = "structures that cannot be checked"

# The messages are those of the HDF5 File Format Specification 3.0, section IV.
_STORAGE = re.compile(rb"(?=\x01.{3}..(?!\0\0)..(.{3}[\0-\x0f]\0{4}))", re.DOTALL)
"""An external data files message: version, three reserved bytes, allocated and used slots, address of its names."""
_VIRTUAL = re.compile(rb"(?=[\x04-\x0f]\x03(.{3}[\0-\x0f]\0{4}))", re.DOTALL)
"""A data layout message: version, the class "virtual", address of its mapping."""
_LINK = re.compile(rb"(?=\x01([\x08-\x0f\x18-\x1f])\x40)", re.DOTALL)
"""A link message: version, flags with the bit for a type, the type "external"."""
_FILE_NAME = re.compile(rb"[\0\x10]([^\0-\x1f\x7f]+)\0", re.DOTALL)
"""The value of an external link: version and flags, and the name of the file."""


def outside_reference(data: bytes) -> str:
    """Return how an HDF5 file, or one inside a zip, refers to another file; empty if it does not."""
    for content in _hdf5_files(data):
        kind = content if isinstance(content, str) else _reference(*content)
        if kind:
            return kind
    return ""


def _hdf5_files(data: bytes) -> Iterator[tuple[bytes, int] | str]:
    """Yield the HDF5 files with their offsets, or a word for an archive that cannot be searched."""
    if (start := _start(data)) is not None:
        yield data, start
    with contextlib.suppress(*_DAMAGED), zipfile.ZipFile(io.BytesIO(data)) as archive:
        bytes_left = MAX_UNPACKED_BYTES
        for member in archive.infolist():
            with contextlib.suppress(*_DAMAGED):  # this one alone, which no other reader can open either
                if not _may_be_hdf5(archive, member):
                    continue
                bytes_left -= member.file_size
                if bytes_left < 0:
                    yield UNCLEAR
                    return
                content = archive.read(member)
                if (start := _start(content)) is not None:
                    yield content, start


_DAMAGED = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)


def _may_be_hdf5(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    """Return whether a member begins as HDF5 does, or may begin so after a block of the user's own."""
    if member.filename.lower().endswith((".h5", ".hdf5", ".he5", ".nc", ".mat")):
        return True
    with archive.open(member) as file:
        return _start(file.read(1 << 20)) is not None


def _start(data: bytes) -> int | None:
    """Return where the file begins: at 0, or at a power of two from 512 on."""
    places = [0, *(512 << power for power in range(40))]
    return next((place for place in places if place < len(data) and data.startswith(SIGNATURE, place)), None)


def _reference(data: bytes, start: int) -> str:
    if len(data) > MAX_UNPACKED_BYTES or _address_size(data, start) != 8:
        return UNCLEAR
    if b"MDCI" in data or _has_compressed_names(data):
        return UNCLEAR
    if _names_a_place(_STORAGE, data, start, b"HEAP"):
        return STORAGE
    if _names_a_place(_VIRTUAL, data, start, b"GCOL"):
        return VIRTUAL
    if any(_is_link(data, found.start(), found[1][0]) for found in _LINK.finditer(data)):
        return LINK
    return ""


def _address_size(data: bytes, start: int) -> int:
    """Return the bytes of an address, by the superblock."""
    version = data[start + 8] if len(data) > start + 16 else 255
    return data[start + (13 if version < 2 else 9)] if version <= 3 else 0


def _has_compressed_names(data: bytes) -> bool:
    """Return whether the heap of some group's links passes through filters."""
    heaps = (found.end() for found in re.finditer(rb"FRHP\0", data))
    return any(data[place + 2 : place + 4] not in (b"\0\0", b"") for place in heaps)


def _names_a_place(pattern: re.Pattern[bytes], data: bytes, start: int, signature: bytes) -> bool:
    """Return whether such a message has the address of a structure with this signature.

    Addresses count from the beginning of the file, or of what follows the user's own block.
    """
    places = {found.start() for found in re.finditer(signature, data)}
    places |= {place - start for place in places}
    return bool(places) and any(int.from_bytes(found[1], "little") in places for found in pattern.finditer(data))


def _is_link(data: bytes, start: int, flags: int) -> bool:
    """Return whether the bytes are an external link's: its name, its length, its value with the name of a file."""
    width = 1 << (flags & 3)
    name = start + 3 + (8 if flags & 4 else 0) + (1 if flags & 16 else 0)
    value = name + width + int.from_bytes(data[name : name + width], "little")
    size = int.from_bytes(data[value : value + 2], "little")
    file = _FILE_NAME.match(data, value + 2, value + 2 + size) if size and value + 2 < len(data) else None
    in_header = data[start - 8 : start - 6] == b"\6\0" or data[start - 4 : start - 3] == b"\6"
    in_header = in_header or data[start - 6 : start - 5] == b"\6"
    return file is not None and (in_header or b"FRHP" in data)
