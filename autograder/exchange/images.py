"""Pictures of a notebook, encoded anew: pages contain bytes that the kit wrote, and none of a student's."""

from __future__ import annotations

import base64
import binascii
import io

MIMES = ("image/png", "image/jpeg")
"""Kinds of pictures that are shown."""
MAX_BYTES = 3_000_000
MAX_PIXELS = 25_000_000
"""Largest number of pixels of one picture. Checked before anything is decoded."""
MAX_PIXELS_IN_ALL = 100_000_000
"""Largest number of pixels of a notebook's pictures together: some seconds of work."""
MIN_PIXELS = 20_000
"""Pixels that the smallest picture counts for, so that a hundred thousand small ones are bounded as well."""
MAX_SCANS = 50
"""Largest number of scans of a progressive JPEG.

Encoders make about ten. A scan costs a few bytes in the file, and each one decodes all pixels again.
"""
JPEG_QUALITY = 92


class RefusedImageError(ValueError):
    """A picture that is not shown; the message is the rest of a sentence."""


class Encoder:
    """An encoder for the pictures of one notebook, with a bound on their total cost."""

    def __init__(self) -> None:
        self._left = MAX_PIXELS_IN_ALL

    def encode(self, mime: str, text: str) -> str:
        """Decode a picture and encode it anew: its pixels stay, and nothing else that was in the file.

        Of an animation, the first frame stays. ``mime`` is one of :data:`MIMES`, ``text`` base64 with line breaks.

        Returns:
            Base64 of the new file.

        Raises:
            Refused: it is not such a picture, is damaged, or too large.
        """
        raw = _decoded(text)
        width, height = _checked(mime, raw)
        self._left -= max(MIN_PIXELS, width * height)
        if self._left < 0:
            raise RefusedImageError(
                f"the notebook's pictures have more than {MAX_PIXELS_IN_ALL // 1_000_000} million pixels"
            )
        encoded = _encoded(mime, raw, (width, height))
        if len(encoded) > MAX_BYTES:
            raise RefusedImageError(f"it is larger than {MAX_BYTES // 1_000_000} MB")
        return base64.b64encode(encoded).decode()


def as_encoded(mime: str, text: str) -> str:
    """Return the base64 of a picture that :class:`Encoder` wrote, unchanged.

    Raises:
        Refused: another program wrote it. Only its header is read; nothing is decoded.
    """
    uri = data_uri(mime, text)
    if uri is None:
        raise RefusedImageError("it was not encoded anew")
    return uri.partition(",")[2]


def data_uri(mime: str, text: str) -> str | None:
    """Make a ``data:`` URI of a picture that :class:`Encoder` wrote; None for every other one."""
    try:
        raw = _decoded(text)
        _checked(mime, raw)
    except RefusedImageError:
        return None
    if not (_bare_png(raw) if mime == "image/png" else _bare_jpeg(raw)):
        return None
    return f"data:{mime};base64,{base64.b64encode(raw).decode()}"


def _decoded(text: str) -> bytes:
    if len(text) > MAX_BYTES * 4 // 3 + 100_000:
        raise RefusedImageError(f"it is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise RefusedImageError("it is not base64") from None


def _checked(mime: str, raw: bytes) -> tuple[int, int]:
    """Read width and height from the first bytes; nothing is decoded."""
    size = _png_size(raw) if mime == "image/png" else _jpeg_size(raw) if mime == "image/jpeg" else None
    if size is None or not size[0] * size[1]:
        raise RefusedImageError(f"it is not in {mime.removeprefix('image/').upper()} format")
    if len(raw) > MAX_BYTES:
        raise RefusedImageError(f"it is larger than {MAX_BYTES // 1_000_000} MB")
    if size[0] * size[1] > MAX_PIXELS:
        raise RefusedImageError(f"it has more than {MAX_PIXELS // 1_000_000} million pixels")
    if mime == "image/jpeg" and raw.count(b"\xff\xda") > MAX_SCANS:
        raise RefusedImageError(f"it has more than {MAX_SCANS} scans")
    return size


def _encoded(mime: str, raw: bytes, size: tuple[int, int]) -> bytes:
    from PIL import Image

    kind = mime.removeprefix("image/").upper()
    buffer = io.BytesIO()
    try:
        with Image.open(io.BytesIO(raw), formats=(kind,)) as opened:
            if opened.size != size:
                raise ValueError("two sizes")
            opened.load()
            picture = opened.convert(_mode(opened.mode, kind, "transparency" in opened.info))
        picture.info = {}  # else a color profile or a comment would be written, too
        picture.save(buffer, kind, **({"quality": JPEG_QUALITY} if kind == "JPEG" else {}))
    except Exception as error:  # decoders raise many types for a damaged file
        raise RefusedImageError("it is damaged") from error
    return buffer.getvalue()


def _mode(mode: str, kind: str, transparent: bool) -> str:
    if kind == "PNG" and (transparent or mode in ("LA", "RGBA", "PA", "La", "RGBa")):
        return "RGBA"
    return "L" if mode in ("1", "L", "LA", "I", "I;16", "I;16B", "F") else "RGB"


# --- headers -----------------------------------------------------------------------------------------


def _png_size(raw: bytes) -> tuple[int, int] | None:
    if not raw.startswith(b"\x89PNG\r\n\x1a\n") or raw[12:16] != b"IHDR" or len(raw) < 33:
        return None
    return int.from_bytes(raw[16:20], "big"), int.from_bytes(raw[20:24], "big")


def _jpeg_size(raw: bytes) -> tuple[int, int] | None:
    """Read width and height from the first start-of-frame segment (ITU T.81, B.2.2)."""
    at = 2
    while raw.startswith(b"\xff\xd8\xff") and at + 9 <= len(raw) and raw[at] == 0xFF:
        marker = raw[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(raw[at + 7 : at + 9], "big"), int.from_bytes(raw[at + 5 : at + 7], "big")
        at += 2 + max(2, int.from_bytes(raw[at + 2 : at + 4], "big"))
    return None


def _bare_png(raw: bytes) -> bool:
    """Tell whether the file has only the chunks that hold the picture, and nothing after the last one."""
    at = 8
    while at + 12 <= len(raw):
        length, kind = int.from_bytes(raw[at : at + 4], "big"), raw[at + 4 : at + 8]
        at += 12 + length
        if kind == b"IEND":
            return at == len(raw)
        if kind not in (b"IHDR", b"IDAT"):
            return False
    return False


def _bare_jpeg(raw: bytes) -> bool:
    """Tell whether the file has only JFIF's own segment, one scan, no comment, and nothing after the end."""
    at = 2
    while at + 4 <= len(raw) and raw[at] == 0xFF:
        marker, length = raw[at + 1], int.from_bytes(raw[at + 2 : at + 4], "big")
        if marker == 0xDA:
            return raw.find(b"\xff\xd9", at) == len(raw) - 2
        if marker == 0xFE or 0xE1 <= marker <= 0xEF or (marker == 0xE0 and length != 16):
            return False
        at += 2 + max(2, length)
    return False
