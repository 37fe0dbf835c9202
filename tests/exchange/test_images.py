"""Pictures of students are decoded within bounds and written anew."""

from __future__ import annotations

import base64
import io
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageDraw, PngImagePlugin

from autograder.exchange import images
from autograder.exchange.images import Encoder, RefusedImageError, data_uri

ACTIVE = b"<script>alert(24)</script>"


def plot(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> Image.Image:
    made = Image.new("RGB", size, "white")
    ImageDraw.Draw(made).rectangle((5, 5, 30, 30), fill=(200, 30, 60))
    return made.convert(mode)


def raw(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    written = io.BytesIO()
    picture.save(written, kind, **options)
    return written.getvalue()


def encode(data: bytes, mime: str = "image/png") -> bytes:
    return base64.b64decode(Encoder().encode(mime, base64.b64encode(data).decode()))


def shown(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG with one more chunk, behind its header."""
    whole = raw(plot())
    return whole[:33] + chunk(kind, data) + whole[33:]


# --- honest ones ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_keeps_its_pixels(mode: str) -> None:
    before = plot(mode)
    after = shown(encode(raw(before)))
    assert (after.format, after.size) == ("PNG", (60, 40))
    expected = before.convert("RGBA" if mode in ("LA", "RGBA") else "L" if mode in ("1", "L", "I;16") else "RGB")
    assert after.tobytes() == expected.tobytes()


def test_transparency_of_a_palette_stays() -> None:
    before = plot("P")
    after = shown(encode(raw(before, transparency=before.getpixel((50, 35)))))
    assert after.getpixel((50, 35))[3] == 0
    assert after.getpixel((10, 10))[3] == 255


@pytest.mark.parametrize(("mode", "options"), [("RGB", {}), ("L", {}), ("CMYK", {}), ("RGB", {"progressive": True})])
def test_a_jpeg_stays_a_jpeg_that_looks_the_same(mode: str, options: dict[str, Any]) -> None:
    after = shown(encode(raw(plot(mode), "JPEG", quality=90, **options), "image/jpeg"))
    assert (after.format, after.size) == ("JPEG", (60, 40))
    for place in ((15, 15), (50, 35)):
        pairs = zip(plot(mode).convert("RGB").getpixel(place), after.convert("RGB").getpixel(place), strict=True)
        assert all(abs(before - now) < 12 for before, now in pairs)


def test_line_breaks_in_the_text_are_no_fault() -> None:
    assert Encoder().encode("image/png", base64.encodebytes(raw(plot())).decode())


def test_of_an_animation_the_first_frame_stays() -> None:
    frames = [plot(), Image.new("RGB", (60, 40), "black")]
    after = encode(raw(frames[0], save_all=True, append_images=frames[1:]))
    assert getattr(shown(after), "n_frames", 1) == 1
    assert shown(after).tobytes() == plot().tobytes()
    assert b"acTL" not in after


def test_a_plot_costs_some_milliseconds() -> None:
    data = base64.b64encode(raw(plot(size=(640, 480)))).decode()
    Encoder().encode("image/png", data)
    began = time.process_time()
    for _ in range(10):
        Encoder().encode("image/png", data)
    assert time.process_time() - began < 1


# --- what else is in a file -------------------------------------------------------------------------------


def commented(kind: str) -> bytes:
    if kind == "JPEG":
        exif = Image.Exif()
        exif[0x010E] = ACTIVE.decode()
        return raw(plot(), "JPEG", comment=ACTIVE, exif=exif, icc_profile=ACTIVE)
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", ACTIVE.decode())
    info.add_itxt("XML:com.adobe.xmp", ACTIVE.decode())
    return raw(plot(), "PNG", pnginfo=info)


CARRIERS = {
    "comments of a PNG": (lambda: commented("PNG"), "image/png"),
    "comments of a JPEG": (lambda: commented("JPEG"), "image/jpeg"),
    "behind a PNG": (lambda: raw(plot()) + ACTIVE, "image/png"),
    "behind a JPEG": (lambda: raw(plot(), "JPEG") + ACTIVE, "image/jpeg"),
    "a chunk of its own": (lambda: with_chunk(b"scRt", ACTIVE), "image/png"),
}


@pytest.mark.parametrize("kind", CARRIERS)
def test_nothing_but_the_pixels_gets_through(kind: str) -> None:
    """The control: it is in the file, and such a file is not shown as it stands."""
    make, mime = CARRIERS[kind]
    data = make()
    assert ACTIVE in data
    assert data_uri(mime, base64.b64encode(data).decode()) is None
    after = encode(data, mime)
    assert ACTIVE not in after
    assert data_uri(mime, base64.b64encode(after).decode()) is not None


# --- hostile ones -----------------------------------------------------------------------------------------


def claims(width: int, height: int) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return raw(plot())[:8] + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def wide_jpeg(width: int, height: int) -> bytes:
    data = raw(plot(), "JPEG")
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def many_scans() -> bytes:
    data = raw(plot(), "JPEG", progressive=True)
    at = data.index(b"\xff\xda")
    return data[:at] + data[at:-2] * 20 + data[-2:]


HOSTILE: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "a billion pixels": (lambda: claims(60_000, 60_000), "image/png", "more than 25 million pixels"),
    "a JPEG of a billion": (lambda: wide_jpeg(65_000, 65_000), "image/jpeg", "more than 25 million pixels"),
    "no pixels": (lambda: claims(0, 10), "image/png", "it is not in PNG format"),
    "too few bytes for its size": (lambda: claims(4000, 4000), "image/png", "it is damaged"),
    "cut off": (lambda: raw(plot())[:-40], "image/png", "it is damaged"),
    "a JPEG cut off": (lambda: raw(plot(), "JPEG")[:-200], "image/jpeg", "it is damaged"),
    "a wrong checksum": (lambda: raw(plot())[:29] + b"0000" + raw(plot())[33:], "image/png", "it is damaged"),
    "a header alone": (lambda: raw(plot())[:33], "image/png", "it is damaged"),
    "a thousand scans": (many_scans, "image/jpeg", "more than 50 scans"),
    "text that swells": (
        lambda: with_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(80 << 20))),
        "image/png",
        "damaged",
    ),
    "a PNG by the name of JPEG": (lambda: raw(plot()), "image/jpeg", "it is not in JPEG format"),
    "a JPEG by the name of PNG": (lambda: raw(plot(), "JPEG"), "image/png", "it is not in PNG format"),
    "a GIF": (lambda: raw(plot("P"), "GIF"), "image/gif", "it is not in GIF format"),
    "an SVG": (lambda: b"<svg onload='alert(1)'/>", "image/svg+xml", r"it is not in SVG\+XML format"),
    "markers without end": (lambda: b"\xff\xd8\xff" * 1000, "image/jpeg", "it is not in JPEG format"),
    "four megabytes": (lambda: raw(plot()) + bytes(4_000_000), "image/png", "larger than 3 MB"),
    "nothing": (lambda: b"", "image/png", "it is not in PNG format"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_is_none_or_asks_for_too_much_is_refused_at_once(kind: str) -> None:
    make, mime, reason = HOSTILE[kind]
    data = make()
    began = time.process_time()
    with pytest.raises(RefusedImageError, match=reason):
        encode(data, mime)
    assert data_uri(mime, base64.b64encode(data).decode()) is None or "damaged" in reason
    assert time.process_time() - began < 2


@pytest.mark.parametrize("text", ['x" onerror="alert(1)', "é", "%%%", "A" * 5_000_000])
def test_text_that_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(RefusedImageError):
        Encoder().encode("image/png", text)
    assert data_uri("image/png", text) is None


@pytest.mark.parametrize(("size", "most"), [((5000, 5000), 4), ((1, 1), 5000)])
def test_a_notebooks_pictures_are_bounded_together(size: tuple[int, int], most: int) -> None:
    """By their pixels; the smallest count, too."""
    text = base64.b64encode(raw(Image.new("L", size))).decode()
    encoder = Encoder()
    for _ in range(most):
        encoder.encode("image/png", text)
    with pytest.raises(RefusedImageError, match=r"the notebook's pictures have more than 100 million pixels"):
        encoder.encode("image/png", text)
    assert images.MAX_PIXELS_IN_ALL == 100_000_000
