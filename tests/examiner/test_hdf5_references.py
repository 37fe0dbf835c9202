"""HDF5 files that read other files, in all of the format's ways, and honest ones that must pass."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.examiner.student_text import hdf5_references
from autograder.examiner.student_text.hdf5_references import LINK, STORAGE, UNCLEAR, VIRTUAL, outside_reference

h5py = pytest.importorskip("h5py")

Make = Callable[[Any], object]
VERSIONS = ["earliest", "v108", "v110", "latest"]


def external(f: Any) -> None:
    f.create_dataset("x", (10,), "f8", external=[("/srv/hidden/secret.bin", 0, 80)])


def external_in_a_group(f: Any) -> None:
    for n in range(30):
        f.create_dataset(f"g{n}/h/x", data=np.arange(n + 1))
    f.create_dataset("g3/h/y", (3, 3), "i4", external=[("a", 0, 8), ("/proc/self/fd/7", 3, 28)])


def link(f: Any) -> None:
    f["x"] = h5py.ExternalLink("/srv/hidden/secret.h5", "/y")


def links_with_order(f: Any) -> None:
    group = f.create_group("many", track_order=True)
    for n in range(40):
        group[f"a{n}"] = h5py.ExternalLink("../secret.h5", "/y")


def link_with_a_long_name(f: Any) -> None:
    f["ä" * 300] = h5py.ExternalLink("/données/secret.h5", "/y")


def virtual(f: Any) -> None:
    layout = h5py.VirtualLayout((10,), "f8")
    layout[:] = h5py.VirtualSource("/srv/hidden/secret.h5", "y", (10,))
    f.create_virtual_dataset("v", layout)


def virtual_of_a_pattern(f: Any) -> None:
    layout = h5py.VirtualLayout((4, 10), "f8", maxshape=(None, 10))
    layout[0:4] = h5py.VirtualSource("secret.h5", "y", (4, 10))
    f.create_virtual_dataset("v", layout)


ATTACKS: dict[str, tuple[Make, str]] = {
    "external": (external, STORAGE),
    "external in a group": (external_in_a_group, STORAGE),
    "link": (link, LINK),
    "links with order": (links_with_order, LINK),
    "link with a long name": (link_with_a_long_name, LINK),
    "virtual": (virtual, VIRTUAL),
    "virtual of a pattern": (virtual_of_a_pattern, VIRTUAL),
}


def hdf5(path: Path, make: Make, **options: Any) -> bytes:
    with h5py.File(path, "w", **options) as file:
        make(file)
    return path.read_bytes()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ATTACKS)
def test_a_reference_to_another_file_is_found(tmp_path: Path, name: str, version: str) -> None:
    make, kind = ATTACKS[name]
    assert outside_reference(hdf5(tmp_path / "a.h5", make, libver=(version, "latest"))) == kind


@pytest.mark.parametrize("name", ATTACKS)
def test_a_reference_is_found_behind_a_block_of_the_users_own(tmp_path: Path, name: str) -> None:
    make, kind = ATTACKS[name]
    assert outside_reference(hdf5(tmp_path / "a.h5", make, userblock_size=1024)) == kind


@pytest.mark.parametrize("name", ATTACKS)
def test_a_reference_is_found_inside_a_zip(tmp_path: Path, name: str) -> None:
    make, kind = ATTACKS[name]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", hdf5(tmp_path / "a.h5", make))
    assert outside_reference(packed.getvalue()) == kind


def test_a_damaged_member_hides_no_other(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.h5", b"12345678")
        archive.writestr("b.h5", hdf5(tmp_path / "a.h5", link))
    assert outside_reference(packed.getvalue().replace(b"12345678", b"12345670")) == LINK


def plain(f: Any) -> None:
    random = np.random.default_rng(0)
    f["floats"] = random.standard_normal((100, 100))
    f["bytes"] = random.integers(0, 256, 1_000_000, np.uint8)
    f["labels"] = (np.arange(200_000) % 2 == 1) * 1
    f["small"] = np.array([6, 0, 1, 8, 64, 1, 0, 3, 4, 1 << 40] * 10_000)
    f.create_dataset(
        "packed", data=random.integers(0, 5, (500, 500)), chunks=(50, 50), compression="gzip", shuffle=True
    )
    f.create_dataset("texts", data=[f"text {n}" for n in range(3000)], dtype=h5py.string_dtype())
    f.create_dataset("ragged", (3,), dtype=h5py.vlen_dtype(np.int32))[0] = [1, 2, 3, 4]
    f["soft"], f["hard"] = h5py.SoftLink("/floats"), f["bytes"]
    group = f.create_group("layers", track_order=True)
    for n in range(60):
        group.create_dataset(f"dense_{n}/kernel:0", data=random.standard_normal((20, 20)).astype("f4"))
        group.attrs[f"name {n}"] = f"/srv/layers/dense_{n}"
    f["floats"].make_scale("row")
    f["packed"].dims[0].attach_scale(f["floats"])


@pytest.mark.parametrize("version", VERSIONS)
def test_an_honest_file_passes(tmp_path: Path, version: str) -> None:
    assert outside_reference(hdf5(tmp_path / "a.h5", plain, libver=(version, "latest"))) == ""
    assert outside_reference(hdf5(tmp_path / "b.h5", plain, userblock_size=512)) == ""


def test_an_honest_archive_and_other_files_pass(tmp_path: Path) -> None:
    packed = io.BytesIO()
    np.savez_compressed(packed, a=np.arange(1000), b=np.random.default_rng(1).random(100_000))
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("model.weights.h5", hdf5(tmp_path / "a.h5", plain))
    for data in (
        packed.getvalue(),
        packed.getvalue()[:-30],
        b"",
        b"a,b\n1,2\n",
        b"PK\x05\x06" + bytes(18),
        b"HEAPGCOL" * 9,
    ):
        assert outside_reference(data) == ""


def test_random_bytes_are_no_reference() -> None:
    """Ten files of 1 MiB with all structures that could be taken for one."""
    for seed in range(10):
        data = np.random.default_rng(seed).bytes(1 << 20)
        head = hdf5_references.SIGNATURE + b"\0\0\0\0\0\x08\x08\0" + bytes(80)
        assert outside_reference(head + data + b"HEAPGCOLFRHP\0" + bytes(9)) == ""


def test_what_cannot_be_checked_is_refused(tmp_path: Path) -> None:
    data = bytearray(hdf5(tmp_path / "a.h5", plain))
    assert outside_reference(bytes(data) + b"MDCI") == UNCLEAR
    assert outside_reference(bytes(data) + b"FRHP\0\x08\0\x01\0") == UNCLEAR
    data[13] = 4
    assert outside_reference(bytes(data)) == UNCLEAR
    assert outside_reference(bytes(data[:10])) == UNCLEAR


def test_an_archive_of_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(2 << 20))
    assert outside_reference(packed.getvalue()) == ""
    monkeypatch.setattr(hdf5_references, "MAX_UNPACKED_BYTES", 1 << 20)
    assert outside_reference(packed.getvalue()) == UNCLEAR
