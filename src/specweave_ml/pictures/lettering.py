"""Names and numbers as they fit into a picture. No font is measured: a label has room for so many cells, and is cut."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from specweave_ml.escape import in_one_line

if TYPE_CHECKING:
    from decimal import Decimal

MINUS = "\N{MINUS SIGN}"

# Two cells in a monospaced font. A list of our own, as Python's grows with every version.
_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60"
    "\uffe0-\uffe6\U00016fe0-\U0001b2ff\U0001f000-\U0001faff\U00020000-\U0003ffff]"
)
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def cut(name: str, cells: int) -> str:
    """A name that takes at most so many cells of a monospaced font, cut in its middle: both ends tell names apart."""
    shown = in_one_line(name)
    if _cells(shown) <= cells:
        return shown
    room = cells - 1
    head = _fitting(shown, room - room // 2)
    tail = _fitting(shown[::-1], room // 2)[::-1]
    return f"{head}…{tail}"


def _cells(text: str) -> int:
    return len(text) + len(_WIDE.findall(text))


def _fitting(text: str, cells: int) -> str:
    """As much of the beginning as fits."""
    kept = text[:cells]
    while _cells(kept) > cells:
        kept = kept[:-1]
    return kept


def lines(text: str, most: int = 104) -> list[str]:
    """A sentence in lines of at most so many characters."""
    return textwrap.wrap(in_one_line(text), most)


def counted(number: int, noun: str) -> str:
    """`1 model`, `3 models`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def fixed(value: float | Decimal, decimals: int) -> str:
    """A number with so many decimals; a zero has no sign."""
    text = f"{value:.{decimals}f}"
    return (text.removeprefix("-") if not float(text) else text).replace("-", MINUS)


def power(exponent: int) -> str:
    """`×10⁻⁷`."""
    return f"×10{str(exponent).translate(_SUPERSCRIPT)}"


def exponent_of(value: float) -> int:
    """The power of ten of a number's first digit; by its text, as the logarithm's last bit differs by machine."""
    return int(f"{value:e}".partition("e")[2])
