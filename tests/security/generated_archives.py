"""Archives with one hostile member each, made from a seed: names, kinds, sizes and lies, in zips and tars."""

from __future__ import annotations

import gzip
import io
import random
import stat
import struct
import tarfile
import zipfile
from collections.abc import Iterator

HONEST = ("nb.ipynb", b'{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": []}')
PARTS = ["a", "data", "x.csv", "größe", "b c"]
SPOILED = ["..", "./.", "a//b", "a\\b", "ev\nil", "ev\x1b[2Jil", "ev\u202eil", "\u200b", "x" * 256, "..\\.."]
ZIP_KINDS = [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK]
TAR_KINDS = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, b"Z", b"V"]
TARGETS = ["/etc/passwd", "../../../outside", "nb.ipynb", ".", "/"]
COLLISIONS = ["NB.ipynb", "nb.ipynb/x", "Nb.IPYNB", "nb.ipynb", "nb.ipynb/../nb.ipynb"]


def archives(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """(what is wrong with it, the archive's bytes)"""
    chance = random.Random(seed)
    for _ in range(count):
        make = chance.choice([spoiled_name, collision, special, lie, bomb])
        form = chance.choice(["zip", "tar", "tar.gz"])
        yield f"{form}: {make.__name__}", make(chance, form)


def spoiled_name(chance: random.Random, form: str) -> bytes:
    parts = [chance.choice(PARTS) for _ in range(chance.randrange(1, 5))]
    parts.insert(chance.randrange(len(parts)), chance.choice(SPOILED))
    name = "/".join(parts)
    if chance.random() < 0.2:
        name = f"/{name}"
    return packed(form, [HONEST, (name, b"evil")], chance)


def collision(chance: random.Random, form: str) -> bytes:
    return packed(form, [HONEST, (chance.choice(COLLISIONS), b"evil")], chance)


def special(chance: random.Random, form: str) -> bytes:
    """A link, a pipe or a device, beside the notebook or in its place."""
    name = chance.choice(["evil", "data/evil", "nb2.ipynb"])
    if form == "zip":
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = (chance.choice(ZIP_KINDS) | 0o777) << 16
        return packed(form, [HONEST, (info, chance.choice(TARGETS).encode())], chance)
    member = tarfile.TarInfo(name)
    member.type, member.linkname = chance.choice(TAR_KINDS), chance.choice(TARGETS)
    return packed(form, [HONEST, (member, b"")], chance)


def lie(chance: random.Random, form: str) -> bytes:
    """A size that is not the real one, an encrypted member, a directory that is cut off."""
    data = bytearray(packed("zip", [HONEST, ("evil", chance.randbytes(500) + b"\0" * 50_000)], chance))
    how = chance.choice(["size", "encrypted", "cut", "offset"])
    entry = data.rindex(b"PK\1\2")
    if how == "size":
        struct.pack_into("<I", data, entry + 24, chance.choice([0, 1, 49_999, 2**31, 2**32 - 1]))
    elif how == "encrypted":
        data[entry + 8] |= 1
    elif how == "offset":
        struct.pack_into("<I", data, entry + 42, chance.choice([0, 1, 2**31, len(data)]))
    else:
        del data[chance.randrange(30, len(data) - 22) :]
    return bytes(data)


def bomb(chance: random.Random, form: str) -> bytes:
    """Zeros, many times as many as are packed; or more members than a submission has."""
    if chance.random() < 0.7:
        return packed(
            "tar.gz" if form == "tar" else form, [HONEST, ("zeros", b"\0" * (chance.randrange(9, 20) << 20))], chance
        )
    return packed(form, [HONEST, *((f"f{number}", b"") for number in range(chance.randrange(1001, 1500)))], chance)


def packed(form: str, members: list[tuple[object, bytes]], chance: random.Random) -> bytes:
    buffer = io.BytesIO()
    if chance.random() < 0.3 and members[-1][0] not in COLLISIONS:
        members = members[::-1]
    if form == "zip":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, data in members:
                archive.writestr(name, data)  # type: ignore[arg-type]
        return buffer.getvalue()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(str(name))
            if info.isreg():
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), 1) if form == "tar.gz" else buffer.getvalue()
