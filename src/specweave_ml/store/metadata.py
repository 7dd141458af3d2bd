"""metadata.yaml: one JSON value a top-level key.

JSON is YAML, so any YAML reader opens the file; and a JSON parser reads a line of it ten times faster than a YAML
parser reads the whole. Two things JSON allows and PyYAML refuses or changes are written around: an exponent without
a dot (`1e-05` would become a string) and a few characters (U+007F–9F, U+2028/9, U+FEFF, U+FFFE/F).
A file that people edited into another shape is read by PyYAML's C loader, within limits.
"""

from __future__ import annotations

import re

from specweave_ml.errors import StoreError
from specweave_ml.store.codec import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SIZE_LIMIT = 2_000_000
_EDITED_SIZE_LIMIT = 1_000_000
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?[eE][-+]?\d+')
_EXPONENT = re.compile(rb"(?:^|[:,\[])-?\d+(?:\.\d+)?[eE]")  # outside of a string, or looking so
_LINE = re.compile(rb"([A-Za-z_][A-Za-z0-9_]*): (.*)")


def dump_metadata(values: dict[str, Any]) -> bytes:
    """The file's bytes; keys in the order given."""
    return b"".join(b"%s: %s\n" % (key.encode(), _value(value)) for key, value in values.items())


def _value(value: Any) -> bytes:
    data = encode(value)
    if data.isascii() and b"\x7f" not in data and _EXPONENT.search(data) is None:
        return data
    text = _TOKEN.sub(_dotted, data.decode())
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode()


def _dotted(match: re.Match[str]) -> str:
    token = match[0]
    if token[0] == '"':
        return token
    mantissa, _, exponent = token.lower().partition("e")
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{mantissa}e{exponent if exponent[0] in '+-' else '+' + exponent}"


def parse_metadata(data: bytes) -> dict[str, Any]:
    """The values of a metadata.yaml.

    Raises:
        StoreError: too large, too deep, or not YAML of the expected shape.
    """
    if len(data) > _SIZE_LIMIT:
        raise StoreError("metadata.yaml is too large", received=f"{len(data)} bytes", expected=f"at most {_SIZE_LIMIT}")
    from specweave_ml.store.parsing import loads

    rows = []
    for line in data.splitlines() if b"\r" in data else data.split(b"\n"):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            return _parse_edited(data)
        rows.append(b'"%s":%s' % match.groups())
    try:
        values = loads(b"{" + b",".join(rows) + b"}")
    except ValueError:
        return _parse_edited(data)
    return values if len(values) == len(rows) else _parse_edited(data)


def _parse_edited(data: bytes) -> dict[str, Any]:
    from specweave_ml.store.plain_yaml import parse_mapping

    return parse_mapping(data, "metadata.yaml", size_limit=_EDITED_SIZE_LIMIT)


def cut(data: bytes, key: bytes) -> bytes | None:
    """The raw JSON of one top-level key, without parsing the rest; None when it is not there in our own shape."""
    start = 0 if data.startswith(key + b": ") else data.find(b"\n" + key + b": ") + 1
    if start == 0 and not data.startswith(key + b": "):
        return None
    end = data.find(b"\n", start)
    return data[start + len(key) + 2 : end] if end != -1 else None
