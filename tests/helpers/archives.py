"""Archives as attackers pack them: one good member, and one bad member of each kind, in each format."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable

from autograder.submissions.members import MIB

GOOD = ("ps1.ipynb", b'{"nbformat": 4}')


def zip_with(*infos: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in infos:
            archive.writestr(name, data)
    return buffer.getvalue()


def tar_with(*members: tuple[str | tarfile.TarInfo, bytes], packed: bool = False) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz" if packed else "w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            if info.isreg():
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zip_special(kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("evil")
    info.create_system = 3
    info.external_attr = (kind | 0o644) << 16
    return info


def zip_method(method: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("evil")
    info.compress_type = method
    return info


def tar_special(kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo("evil")
    info.type = kind
    info.linkname = target
    return info


def encrypted() -> bytes:
    data = bytearray(zip_with(GOOD, ("evil", b"x")))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.rindex(signature) + offset] |= 1
    return bytes(data)


def lying_size(real: int, declared: int) -> bytes:
    """A zip whose directory and header announce fewer bytes than come out."""
    data = bytearray(zip_with(GOOD, ("evil", b"\0" * real)))
    for signature, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        struct.pack_into("<I", data, data.rindex(signature) + offset, declared)
    return bytes(data)


def sparse() -> bytes:
    info = tar_special(tarfile.GNUTYPE_SPARSE)
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:482] = b"%011o\0%011o\0" % (0, 0) + b"\0" * 72
    header[483:495] = b"%011o\0" % (1 << 30)
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    return tar_with(GOOD)[:1024] + bytes(header) + b"\0" * 1024


def utf8_twins(make: Callable[..., bytes]) -> bytes:
    return make(GOOD, ("re\u0301sume\u0301.ipynb", b"1"), ("r\u00e9sum\u00e9.ipynb", b"2"))


BAD_NAMES = {
    "absolute": "/etc/passwd",
    "parent": "../../evil",
    "parent inside": "a/../../evil",
    "dot": "a/./evil",
    "empty part": "a//evil",
    "drive": "C:evil",
    "backslash": "a\\..\\evil",
    "newline": "ev\nil",
    "escape": "ev\x1b[2Jil",
    "right-to-left": "ev\u202eil",
    "zero width": "ev\u200bil",
    "long part": "x" * 256,
    "deep": "/".join("x" * 20),
    "long": "/".join(["x" * 100] * 12),
}
COLLISIONS = {
    "case": "PS1.ipynb",
    "file under a file": "ps1.ipynb/evil",
    "case of a file as a folder": "Ps1.ipynb/evil",
}
ZIP_KINDS = {
    "symlink": stat.S_IFLNK,
    "fifo": stat.S_IFIFO,
    "device": stat.S_IFCHR,
    "block device": stat.S_IFBLK,
    "socket": stat.S_IFSOCK,
    "folder's mode": stat.S_IFDIR,
}
TAR_KINDS = {
    "symlink": (tarfile.SYMTYPE, "/etc/passwd"),
    "symlink within": (tarfile.SYMTYPE, "ps1.ipynb"),
    "hard link": (tarfile.LNKTYPE, "ps1.ipynb"),
    "hard link out": (tarfile.LNKTYPE, "/etc/passwd"),
    "fifo": (tarfile.FIFOTYPE, ""),
    "device": (tarfile.CHRTYPE, ""),
    "block device": (tarfile.BLKTYPE, ""),
    "contiguous": (tarfile.CONTTYPE, ""),
    "unknown": (b"Z", ""),
}


ATTACKS: dict[str, Callable[[], bytes]] = {
    "zip: encrypted": encrypted,
    "zip: bzip2": lambda: zip_with(GOOD, (zip_method(zipfile.ZIP_BZIP2), b"x")),
    "zip: lzma": lambda: zip_with(GOOD, (zip_method(zipfile.ZIP_LZMA), b"x")),
    "zip: member too large": lambda: zip_with(GOOD, ("evil", os.urandom(MIB + 1))),
    "zip: real size above the declared": lambda: lying_size(100_000, 10),
    "zip: twins in Unicode": lambda: utf8_twins(zip_with),
    "tar: twins in Unicode": lambda: utf8_twins(tar_with),
    "tar: sparse": sparse,
    "tar: member too large": lambda: tar_with(GOOD, ("evil", b"x" * (MIB + 1))),
    "tar.gz: symlink": lambda: tar_with(GOOD, (tar_special(tarfile.SYMTYPE, "/etc"), b""), packed=True),
    "tar: twice": lambda: tar_with(GOOD, GOOD),
}


for _what, _name in {**BAD_NAMES, **COLLISIONS}.items():
    ATTACKS[f"zip: {_what}"] = lambda n=_name: zip_with(GOOD, (n, b"evil"))  # type: ignore[misc]
    ATTACKS[f"tar: {_what}"] = lambda n=_name: tar_with(GOOD, (n, b"evil"))  # type: ignore[misc]
    ATTACKS[f"tar.gz: {_what}"] = lambda n=_name: tar_with(GOOD, (n, b"evil"), packed=True)  # type: ignore[misc]
for _what, _mode in ZIP_KINDS.items():
    ATTACKS[f"zip: {_what}"] = lambda m=_mode: zip_with(GOOD, (zip_special(m), b"/etc/passwd"))  # type: ignore[misc]
for _what, (_type, _target) in TAR_KINDS.items():
    ATTACKS[f"tar: {_what}"] = lambda t=_type, g=_target: tar_with(GOOD, (tar_special(t, g), b""))  # type: ignore[misc]


def overlapping() -> bytes:
    """Two directory entries that share one member's bytes: how a small file becomes petabytes."""
    data = bytearray(zip_with(("a", os.urandom(100)), ("b", b"")))
    first, second = data.index(b"PK\1\2"), data.rindex(b"PK\1\2")
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    return bytes(data)


def bomb_tar_gz() -> bytes:
    """A tar whose one member announces 1 TiB; the stream behind it is zeros."""
    info = tarfile.TarInfo("zeros")
    info.size = 1 << 40
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + b"\0" * (8 * MIB))


def huge_header() -> bytes:
    """A pax header that announces 4 GiB of itself."""
    info = tarfile.TarInfo("pax")
    info.type = tarfile.XHDTYPE
    info.size = 4 << 30
    return info.tobuf(tarfile.GNU_FORMAT) + b"\0" * 2048


def many_pax_headers() -> bytes:
    block = tarfile.TarInfo.create_pax_global_header({"a": "b"})
    return block * 3000 + tar_with(GOOD)


def negative_size() -> bytes:
    """A member of size -1024: the next header would be the first one again, for ever."""
    header = bytearray(tarfile.TarInfo("a").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" + (-1024).to_bytes(11, "big", signed=True)
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    return tar_with(GOOD)[:1024] + bytes(header) + b"\0" * 2048


WHOLE: dict[str, tuple[Callable[[], bytes], str]] = {
    "no archive": (lambda: b"not an archive" * 100, "neither a zip nor a tar"),
    "empty": (lambda: b"", "neither a zip nor a tar"),
    "cut zip": (lambda: zip_with(GOOD, ("b", os.urandom(5000)))[:-100], "cannot be read"),
    "cut gzip": (lambda: tar_with(GOOD, ("b", os.urandom(50_000)), packed=True)[:-9000], "cannot be read"),
    "too many members": (lambda: zip_with(*((f"f{i}", b"") for i in range(21))), "more than 20 members"),
    "too many in a tar": (lambda: tar_with(*((f"f{i}", b"") for i in range(21))), "more than 20 members"),
    "directory too large": (
        lambda: zip_with(*((f"{i:0>200}", b"") for i in range(2000))),
        "larger than allowed",
    ),
    "sum too large": (
        lambda: zip_with(*((f"f{i}", b"x" * MIB) for i in range(3))),
        "unpacks to more than 2 MiB",
    ),
    "sum too large in a tar": (
        lambda: tar_with(*((f"f{i}", os.urandom(MIB)) for i in range(3))),
        "unpacks to more than 2 MiB",
    ),
    "archive too large": (lambda: zip_with(("a", os.urandom(4 * MIB))), "larger than 4 MiB"),
    "overlapping members": (overlapping, "overlap"),
    "tar bomb": (bomb_tar_gz, "unpacks to more than"),
    "huge header": (huge_header, "larger than allowed"),
    "garbage between members": (lambda: tar_with(GOOD)[:1024] + b"garbage!" * 128, "damaged"),
    "endless recursion": (many_pax_headers, "cannot be read"),
    # Python 3.13.5 finds it by itself, and takes the header for none.
    "negative size": (negative_size, "backwards|negative|damaged|cannot be read"),
}
