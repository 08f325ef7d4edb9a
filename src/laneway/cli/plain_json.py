"""The standard library's JSON under orjson's name, for a process that lives for one event.

orjson loads 51 modules when it is imported (dataclasses, inspect, uuid, zoneinfo, …), 30 ms of processor time
on a slow machine. A hook writes one event and ends: what is read from JSON can be written without them.
"""

import json
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

JSONDecodeError = json.JSONDecodeError

MOST_INT, LEAST_INT = 2**64 - 1, -(2**63)


def stand_in() -> None:
    """From here on ``import orjson`` finds this module, unless that was loaded before."""
    sys.modules.setdefault("orjson", sys.modules[__name__])


def loads(data: bytes | str) -> "Any":
    """As orjson reads it: UTF-8, no NaN, and integers beyond 64 bits as floats.

    Raises:
        JSONDecodeError: it is no JSON.
    """
    try:
        text = data if isinstance(data, str) else bytes(data).decode()
    except UnicodeDecodeError as error:
        raise JSONDecodeError("not UTF-8", "", error.start) from None
    return _decoder.decode(text)


def dumps(value: "Any", default: "Any" = None, option: "Any" = None) -> bytes:
    """As orjson writes what `loads` has read.

    Raises:
        TypeError, ValueError: it holds what no JSON holds.
    """
    if default is not None or option is not None:
        return _real().dumps(value, default=default, option=option)  # type: ignore[no-any-return]
    return _encoder.encode(value).encode()


def _real() -> "Any":
    del sys.modules["orjson"]
    import orjson

    return orjson


def _read_int(text: str) -> int | float:
    value = int(text)
    return value if LEAST_INT <= value <= MOST_INT else float(value)


def _refuse(text: str) -> "Any":
    raise JSONDecodeError(f"{text} is no JSON", text, 0)


_decoder = json.JSONDecoder(parse_int=_read_int, parse_constant=_refuse)
_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
