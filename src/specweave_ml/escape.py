r"""Text that somebody recorded, made inert for the place where it is shown: one function a place.

    cell        inside a table row of a Markdown document
    inline      inside a sentence or list item, also at its very start
    code        a name: plain when it is harmless, else in `<code>`
    block       many lines, verbatim in a code fence
    comment     words inside an HTML comment
    alt         the description of a Markdown image
    xml         text and attributes of an SVG picture
    mermaid     a quoted label in a Mermaid graph
    in_json     JSON that is printed

What comes out renders as the text that went in, in GFM and in MDX, and starts nothing: no emphasis, link, mention,
HTML, expression or table cell. Numeric entities do it, never backslashes, which MDX and tables treat differently.
Characters that nobody can see (bidi, zero-width, tags, controls) are shown as `\u202e`, and lengths are capped.
Every function returns `Escaped`, so that the templates can refuse a text that went through none of them.
"""

from __future__ import annotations

import re


class Escaped(str):
    """Text that is safe where it is going."""

    __slots__ = ()


_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_LINE_END = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_UNSEEN_IN_JSON = re.compile(f"{_INVISIBLE.pattern}|[\x85\u2028\u2029]")

# Harmless where they stand, and in nearly every text: `max_depth`, `ValueError: no`, `don't`, `precision@10`.
_HARMLESS = r"(?<=[A-Za-z0-9])_(?=[A-Za-z0-9])|:(?=[ ]|$)|(?<=[A-Za-z])'(?=[a-z])|(?<=[A-Za-z])@(?=[0-9]+(?:[ ,;)]|$))"
_ACTIVE = re.compile(rf"({_HARMLESS})|([&<>|`{{}}*_~\[\]\\!$#@:\"'])|(GH-)(?=[0-9])|(www)\.", re.IGNORECASE)
_STARTS_SOMETHING = re.compile(r"[-+=](?:[-+=\s]|$)|[0-9]{1,9}[.)](?:\s|$)|(?:import|export)\s")

_PLAIN_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.+=-]|(?<=[A-Za-z0-9])_(?=[A-Za-z0-9]))*(?<=[A-Za-z0-9])")
_AUTOLINKED = re.compile(r"www\.|GH-[0-9]", re.IGNORECASE)

_UNFIT_FOR_LABEL = re.compile(r"[^\w .,:+=%/()-]")
_UNFIT_FOR_COMMENT = re.compile(r"[^\w .,:;+=@%/()…–-]")


def cell(text: str, limit: int = 80) -> Escaped:
    """For a table cell."""
    return Escaped(_inert(_capped(text.strip(), limit)))


def inline(text: str, limit: int = 300) -> Escaped:
    """For a sentence or a list item."""
    inert = _inert(_capped(text.strip(), limit))
    return Escaped(_entity(inert[0]) + inert[1:] if _STARTS_SOMETHING.match(inert) else inert)


def code(text: str, limit: int = 120) -> Escaped:
    """For a name: plain where it is but letters, digits and `._+=-`, else in `<code>`, which mentions nobody."""
    if len(text) <= limit and _PLAIN_NAME.fullmatch(text) and not _AUTOLINKED.search(text):
        return Escaped(text)
    return Escaped(f"<code>{_inert(_capped(text, limit))}</code>")


def block(text: str, limit: int = 4000) -> Escaped:
    """A fenced block of its own; the fence is longer than any in the text."""
    shown = visible(_capped(text.strip("\r\n"), limit))
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return Escaped(f"{fence}text\n{shown}\n{fence}")


def comment(text: str, limit: int = 80) -> Escaped:
    """For the words of an HTML comment: nothing that could end it, on one line."""
    shown = visible(_capped(text.strip(), limit), " ")
    return Escaped(re.sub("-(?=-)", "- ", _UNFIT_FOR_COMMENT.sub("?", shown)))


def alt(text: str, limit: int = 300) -> Escaped:
    """For the description of an image in Markdown, where nothing but text can stand."""
    return Escaped(_ACTIVE.sub(_as_text, _capped(in_one_line(text), limit)))


def xml(text: str, limit: int = 300) -> Escaped:
    """For the text of an SVG picture, on one line."""
    return Escaped(re.sub("[&<>\"']", lambda match: _entity(match[0]), _capped(in_one_line(text), limit)))


def mermaid(text: str, limit: int = 60) -> Escaped:
    """For a quoted label in a Mermaid graph, whose entities are written `#34;`."""
    return Escaped(_UNFIT_FOR_LABEL.sub(lambda match: f"#{ord(match[0])};", _capped(in_one_line(text), limit)))


def visible(text: str, line_end: str = "\n") -> str:
    """The text with every character to be seen, and every kind of line end as this one; not safe anywhere yet."""
    return _INVISIBLE.sub(_shown, _LINE_END.sub(line_end, text))


def in_one_line(text: str) -> str:
    """The same on one line, without blanks around it."""
    return visible(text.replace("\t", " "), " ").strip()


def in_json(text: str) -> str:
    """JSON text that says the same, with JSON's own escapes for what nobody can see."""
    return _UNSEEN_IN_JSON.sub(_utf16_escapes, text)


def _utf16_escapes(match: re.Match[str]) -> str:
    return re.sub("(....)", r"\\u\1", match[0].encode("utf-16-be", "surrogatepass").hex())


def _inert(text: str) -> str:
    active = _ACTIVE.sub(_disarmed, text.replace("\t", " "))
    return visible(active, "<br />")


def _disarmed(match: re.Match[str]) -> str:
    harmless, active, issue, www = match.groups()
    if harmless:
        return harmless
    if issue:
        return f"{issue}<span></span>"
    if www:
        return f"{www}<span></span>&#46;"
    # Behind these, what runs after rendering would find a mention, an issue, a link or an emoji in spite of the entity.
    return _entity(active) + ("<span></span>" if active in "@#:" else "")


def _as_text(match: re.Match[str]) -> str:
    return _entity(match[2]) if match[2] else match[0]


def _entity(char: str) -> str:
    return f"&#{ord(char)};"


def _shown(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _capped(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
