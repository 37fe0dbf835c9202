"""Nodes for types of Python's standard library: exact numbers, times, paths, patterns, addresses."""

from __future__ import annotations

import datetime
import decimal
import fractions
import ipaddress
import pathlib
import re
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

from .core import CodecError, Encode, LimitError, Reader, Writer, exactly, one_of, whole_number

MAX_DIGITS = 4000
"""Digits of a decimal number."""
MAX_FRACTION_BITS = 1 << 16
"""Bits of the numerator, and of the denominator, of a fraction: 19,700 digits."""
MAX_DIVISION_STEPS = 1 << 31
"""Product of the bits of numerator and denominator, summed up over the fractions of a message, in units of 64 steps.

To find what divides both takes so many steps: about a second for all together.
"""
_MAX_PATTERN = 1000
_MAX_PATTERNS = 2000
"""Characters of one regular expression, and of all in a message: 200 ranges that ignore case compile in 0.7 s."""
_FLAGS = int(re.ASCII | re.IGNORECASE | re.LOCALE | re.MULTILINE | re.DOTALL | re.VERBOSE | re.UNICODE)

_PATHS = {
    kind.__name__: kind
    for kind in (pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath, pathlib.WindowsPath)
}
_ADDRESSES: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network,
        ipaddress.IPv4Interface, ipaddress.IPv6Interface,
    )
}  # fmt: skip

# --- exact numbers -----------------------------------------------------------------------------------


def _write_decimal(writer: Writer, value: decimal.Decimal) -> Any:
    text = str(value)
    if len(text) > MAX_DIGITS:
        raise CodecError(f"a decimal number of more than {MAX_DIGITS:,} digits")
    return ["Decimal", text]


def _read_decimal(reader: Reader, text: Any) -> decimal.Decimal:
    if len(exactly(str, text)) > MAX_DIGITS:
        raise LimitError(f"a decimal number of more than {MAX_DIGITS:,} digits")
    number = decimal.Decimal(text)
    if number.is_finite() and abs(number.adjusted()) > MAX_DIGITS:
        raise CodecError("too many digits")
    return number


def _write_fraction(writer: Writer, value: fractions.Fraction) -> Any:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_FRACTION_BITS:
        raise CodecError(f"a fraction of more than {MAX_FRACTION_BITS:,} bits")
    return ["Fraction", writer.write(value.numerator), writer.write(value.denominator)]


def _read_fraction(reader: Reader, numerator: Any, denominator: Any) -> fractions.Fraction:
    parts = reader.a(int, numerator), reader.a(int, denominator)
    bits = [part.bit_length() for part in parts]
    if max(bits) > MAX_FRACTION_BITS:
        raise LimitError(f"a fraction of more than {MAX_FRACTION_BITS:,} bits")
    reader.divided += bits[0] * bits[1] >> 6
    if reader.divided > MAX_DIVISION_STEPS:
        raise CodecError("fractions of too many bits together")
    return fractions.Fraction(*parts)


# --- times -------------------------------------------------------------------------------------------


def zone_node(zone: Any) -> Any:
    """Write a time zone: None, an offset in seconds with its name, or a key of the time zone database.

    Raises:
        ValueError: another kind of zone.
    """
    if zone is None:
        return None
    if type(zone) is datetime.timezone:
        name = zone.tzname(None)
        plain = datetime.timezone(zone.utcoffset(None)).tzname(None)
        delta = zone.utcoffset(None)
        return ["offset", delta.days, delta.seconds, delta.microseconds, None if name == plain else name[:100]]
    if type(zone).__module__.partition(".")[0] == "zoneinfo" and type(zone).__name__ == "ZoneInfo":
        return ["zone", str(zone.key)]
    raise ValueError("a time zone of another kind")


def read_zone(node: Any) -> Any:
    """Read a time zone. A key becomes a file's name, so it must be in the database."""
    if node is None:
        return None
    kind, *parts = exactly(list, node)
    if kind == "offset":
        days, seconds, microseconds, name = parts
        delta = datetime.timedelta(exactly(int, days), exactly(int, seconds), exactly(int, microseconds))
        return datetime.timezone(delta) if name is None else datetime.timezone(delta, exactly(str, name))
    if kind != "zone" or len(parts) != 1:
        raise CodecError("not a time zone")
    return zoneinfo.ZoneInfo(one_of(parts[0], _zone_keys()))


_KEYS: set[str] = set()


def _zone_keys() -> set[str]:
    if not _KEYS:
        _KEYS.update(zoneinfo.available_timezones())
    return _KEYS


def _write_moment(writer: Writer, value: Any) -> Any:
    """Write a datetime or a time: its tag, its text without the zone, its fold, its zone."""
    return [type(value).__name__, value.replace(tzinfo=None).isoformat(), value.fold, zone_node(value.tzinfo)]


def _read_moment(kind: Any, text: Any, fold: Any, zone: Any) -> Any:
    moment = kind.fromisoformat(exactly(str, text))
    if moment.tzinfo is not None:
        raise CodecError("two time zones")
    return moment.replace(tzinfo=read_zone(zone), fold=whole_number(fold, 0, 1))


# --- names, paths, patterns --------------------------------------------------------------------------


def _write_path(writer: Writer, value: pathlib.PurePath) -> Any:
    """Write a path; leave one that could name a file of the examiner's.

    Such paths are absolute or contain ``..``, and belong to a class that can open files.
    """
    if isinstance(value, pathlib.Path) and (value.is_absolute() or ".." in value.parts):
        return writer.leave(value)
    return ["path", type(value).__name__, str(value)]


def _read_path(reader: Reader, name: Any, text: Any) -> pathlib.PurePath:
    path = _PATHS[one_of(name, _PATHS)](exactly(str, text))
    if isinstance(path, pathlib.Path) and (path.is_absolute() or ".." in path.parts):
        raise CodecError("a path that leaves the folder")
    return path


def _write_pattern(writer: Writer, value: Any) -> Any:
    if len(value.pattern) > _MAX_PATTERN:
        return writer.leave(value)
    return ["pattern", writer.write(value.pattern), value.flags & _FLAGS]


def _read_pattern(reader: Reader, node: Any, flags: Any) -> Any:
    text = reader.read(node)
    if type(text) not in (str, bytes) or len(text) > _MAX_PATTERN:
        raise CodecError("not a pattern")
    reader.patterns += len(text)
    if reader.patterns > _MAX_PATTERNS:
        raise CodecError(f"regular expressions of more than {_MAX_PATTERNS:,} characters")
    if whole_number(flags, 0, _FLAGS) & ~_FLAGS:  # re.DEBUG prints
        raise CodecError("flags not allowed")
    return re.compile(text, flags)


# --- tables ------------------------------------------------------------------------------------------

ENCODERS: dict[type, Encode] = {
    datetime.date: lambda w, v: ["date", v.isoformat()],
    datetime.time: _write_moment,
    datetime.datetime: _write_moment,
    datetime.timedelta: lambda w, v: ["timedelta", v.days, v.seconds, v.microseconds],
    datetime.timezone: lambda w, v: ["tzinfo", zone_node(v)],
    decimal.Decimal: _write_decimal,
    fractions.Fraction: _write_fraction,
    uuid.UUID: lambda w, v: ["UUID", v.hex],
    type(re.compile("")): _write_pattern,
    **dict.fromkeys(_PATHS.values(), _write_path),
    **dict.fromkeys(_ADDRESSES.values(), lambda w, v: ["address", type(v).__name__, str(v)]),
    zoneinfo.ZoneInfo: lambda w, v: ["tzinfo", zone_node(v)],
}

DECODERS: dict[str, Callable[..., Any]] = {
    "date": lambda r, text: datetime.date.fromisoformat(exactly(str, text)),
    "time": lambda r, *parts: _read_moment(datetime.time, *parts),
    "datetime": lambda r, *parts: _read_moment(datetime.datetime, *parts),
    "timedelta": lambda r, *parts: datetime.timedelta(*(exactly(int, part) for part in parts)),
    "tzinfo": lambda r, node: read_zone(exactly(list, node)),
    "Decimal": _read_decimal,
    "Fraction": _read_fraction,
    "UUID": lambda r, text: uuid.UUID(hex=exactly(str, text)),
    "path": _read_path,
    "address": lambda r, name, text: _ADDRESSES[one_of(name, _ADDRESSES)](exactly(str, text)),
    "pattern": _read_pattern,
}
