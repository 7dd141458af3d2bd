"""A case's document as a tool would have it: its markers, and in its regions what it wrote there itself."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.compare_docs.tools import Tool
from specweave_ml.errors import Refused
from specweave_ml.living_docs.regions import Live, read_regions
from specweave_ml.living_docs.text import split_lines

_BOM = "\ufeff"
_MARKER = re.compile(r"(?:<!--|\{/\*) specweave:(begin|end) v\d (\S+)(?: sha256=\S+)? (?:-->|\*/\})", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"sha256=hash\(\w+\)")
_SAME_ON_BOTH_SIDES = re.compile(r"<<<<<<< .*\n(.*\n)=======\n\1>>>>>>> .*\n")


@dataclass(frozen=True, slots=True)
class Filling:
    """What is in a region.

    Attributes:
        given: the text that the tool was given.
        written: what it made of it.
        end: the end marker it put behind.
        stands: the text as the case has it, which people may have edited.
    """

    given: str
    written: str
    end: str
    stands: str


def parts(text: str) -> list[str | Live]:
    """People's text and our live regions, in turns; all in one piece where the regions cannot be told."""
    bom = _BOM if text.startswith(_BOM) else ""
    lines = split_lines(text.removeprefix(_BOM))
    try:
        regions = read_regions([_PLACEHOLDER.sub("sha256=0123456789abcdef", line) for line in lines]).regions
    except Refused:
        return [text]
    found: list[str | Live] = []
    line = 0
    for live in regions:
        found += ["".join(lines[line : live.begin]), live]
        line = live.end + 1
    found.append("".join(lines[line:]))
    found[0] = bom + str(found[0])
    return found


def bodies(text: str) -> dict[str, str]:
    """The live regions and what is in them, from top to bottom."""
    return {part.id: part.body for part in parts(text) if isinstance(part, Live)}


def people(text: str, tool: Tool) -> str:
    """What is not a region, with the tool's markers for ours."""
    return "".join(translated(part, tool) for part in parts(text) if isinstance(part, str))


def translated(text: str, tool: Tool) -> str:
    """A text with the tool's markers for ours, also where they are only shown."""

    def marker(found: re.Match[str]) -> str:
        written = tool.begin(found[2]) if found[1].lower() == "begin" else tool.end
        return written.upper() if "SPECWEAVE" in found[0] else written

    # Their markers carry no hash, so two branches do not differ in them.
    return _SAME_ON_BOTH_SIDES.sub(r"\1", _MARKER.sub(marker, text))


def empty(text: str, tool: Tool) -> str:
    """The document with nothing in its regions yet."""
    return _joined(text, tool, lambda live: _nothing(tool, live))


def filled(text: str, tool: Tool, fillings: dict[str, Filling], edits: list[str]) -> str:
    """The document as the tool left it and people then edited it; a region without a filling is empty.

    Args:
        text: the case's document.
        tool: the tool.
        fillings: of the regions that the tool had written before.
        edits: the lines that a person wrote.
    """

    def region(live: Live) -> str:
        if live.id not in fillings:
            return _nothing(tool, live)
        its = fillings[live.id]
        if tool.any_text:
            inner = its.written.replace(its.given.strip("\n"), its.stands)
        else:
            inner = its.written + "".join(f"{line}\n" for line in edits if line in its.stands)
        newline = "\r\n" if "\r\n" in text else "\n"
        return tool.begin(live.id) + re.sub(r"\r?\n", newline, inner) + its.end + (newline if tool.end else "")

    return _joined(text, tool, region)


def pattern(text: str, tool: Tool) -> re.Pattern[str]:
    """Fits a document with people's text of this one to the letter, and anything in the regions: two groups each."""
    line_end = r"(?:\r\n|\r|\n|\Z)" if tool.end else ""
    end = tool.end_pattern or re.escape(tool.end)
    fitting = (
        rf"{re.escape(tool.begin(part.id))}(.*?)({end}){line_end}"
        if isinstance(part, Live)
        else re.escape(translated(part, tool))
        for part in parts(text)
    )
    return re.compile("".join(fitting), re.DOTALL)


def _nothing(tool: Tool, live: Live) -> str:
    return f"{tool.begin(live.id)}\n{tool.end}\n" if tool.end else f"{tool.begin(live.id)}\n"


def _joined(text: str, tool: Tool, region: Callable[[Live], str]) -> str:
    return "".join(region(part) if isinstance(part, Live) else translated(part, tool) for part in parts(text))
