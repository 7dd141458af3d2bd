"""The targets in the text of a spec.md, such as "Precision@10 > 0.25" or "Latency: <100ms inference".

A target names a metric, a comparison and a number. Whatever could mean something else is left alone: a condition
("retrain if accuracy < 0.8"), a change ("improve recall by at least 5%"), another model's value ("baseline accuracy >
0.6"), a word that is no metric ("revenue > 5%"). Better to miss a target than to invent one.
"""

from __future__ import annotations

import html
import re
from itertools import islice
from typing import TYPE_CHECKING

from specweave_ml.analysis.metrics import gist, normalised, understand
from specweave_ml.analysis.targets import FRACTIONS, Sign, Target, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from specweave_ml.analysis.table import Column

_MOST_TARGETS = 50
_LONGEST_LINE = 1_000
_LONGEST_NAME = 5  # words
_MOST_A_LINE = 20

_SYMBOLS: dict[str, Sign] = {">": ">", "<": "<", ">=": ">=", "≥": ">=", "<=": "<=", "≤": "<="}
_PHRASES: dict[str, Sign] = {
    **dict.fromkeys(("at least", "no less than", "not less than"), ">="),
    **dict.fromkeys(("at most", "no more than", "not more than"), "<="),
    **dict.fromkeys(("above", "greater than", "higher than", "more than", "exceed", "exceeds"), ">"),
    **dict.fromkeys(("below", "under", "less than", "lower than"), "<"),
}
_UNITS: dict[str, Unit] = {
    **dict.fromkeys(("%", "percent"), "%"),
    **dict.fromkeys(("ms", "milliseconds"), "ms"),
    **dict.fromkeys(("s", "sec", "seconds"), "s"),
}


def _one_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_COMPARISON = re.compile(
    rf"(?P<sign>(?<![-=<>~!])(?:{_one_of(_SYMBOLS)})|\b(?:{_one_of(_PHRASES)})\b)\s*"
    r"(?P<number>[-+]?(?:\d+(?:\.\d+)?|\.\d+))(?![\d.]*\d|,\d)"
    rf"(?:\s?(?P<unit>{_one_of(_UNITS)})(?![A-Za-z]))?",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"(?:[\s:|=]|\b(?:must|should|shall|will|has|have|to|is|are|be|stays?|remains?|of|target|goal|an?)\b)+$",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[,;:()|!?]|\.(?=\s|$)|\s[-–—]\s|\b(?:and|then|so)\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[;:!?]|\.(?=\s|$)|\bthen\b", re.IGNORECASE)
# Any other word between the start of a clause and the metric may make it another metric.
_MAY_PRECEDE = frozenset(
    "a an the this that our its model models ensure ensures achieve achieves reach reaches get gets keep keeps show "
    "shows maintain maintains deliver delivers yield yields have has with must should shall will be is to target "
    "targets goal metric metrics success new final best selected chosen overall offline".split()
)
_CONDITION = re.compile(
    r"\b(?:if|when|whenever|unless|until|while|once|where|for|not|no|never|without|instead)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_OF_SOMETHING_ELSE = re.compile(
    r"\b(?:examples?|improv\w*|increas\w*|decreas\w*|reduc\w*|gain\w*|drop\w*|uplift|"
    r"chang\w*|delta|degrad\w*|regress\w*|versus|vs|compared|relative|baselines?|current\w*|today|previous\w*|existing|"
    r"old|human|random|competitors?|retrain\w*|alert\w*|stop|abort|roll ?back|reject|discard\w*|e\.g)\b",
    re.IGNORECASE,
)
_NOT_ABSOLUTE = re.compile(
    r"^\s*(?:[-–—/]\s*\d|[x×*](?:\s|$))|"
    r"\b(?:than|improvement|increase|decrease|reduction|gain|drop|change|relative|points?|pp|times|better|worse|higher|"
    r"lower|above|below|more|less|of|over|or|compared|vs|versus|if|when|unless|otherwise|was|were)\b",
    re.IGNORECASE,
)
_WHERE = re.compile(r"\s+(?:on|in|at|with|by|across)\b", re.IGNORECASE)
_ASKS_NOTHING = re.compile(
    r"out[ -]of[ -]scope|non[ -]?goal|background|context|current|history|problem|risk|assumption|alternative|rejected",
    re.IGNORECASE,
)
_BESIDE_A_METRIC = frozenset("at k macro micro weighted balanced top top1 top5 pr median p50 p90 p95 p99".split())
_TOO_COMMON = frozenset("cost win success lift reward regret likelihood hit error errors err losses".split())

_UNSEEN = re.compile(r"\A---\n.*?\n---\n|<!--.*?(?:-->|\Z)", re.DOTALL)
_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*)")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_MARKUP = re.compile(r"^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)?(?:\[[ xX]\]\s+)?|\*\*|__|`|~~|\\(?=[<>_*|])")
_QUOTES = "\"'\u2018\u2019\u201c\u201d"
_MERE_NUMBER = re.compile(r"\s*[-+]?[\d.]+\s?%?\s*")


def read_targets(spec: str, columns: Sequence[Column]) -> tuple[Target, ...]:
    """The targets in the text of a spec.md, in its order, each once.

    Args:
        spec: the text. Its front matter, code and comments are passed over, and the sections that ask for nothing
            (Out of Scope, Background, Risks, …).
        columns: the metrics that were logged: such a name is a metric even where nothing else says so.
    """
    logged = {column.metric.key for column in columns}
    found = (target for line in _lines(spec) for target in _targets_of(line, logged))
    return tuple(dict.fromkeys(found))[:_MOST_TARGETS]


def _lines(spec: str) -> Iterator[str]:
    """The lines in which a target may stand, without their Markdown."""
    fence, passed_over = "", 0
    for line in _UNSEEN.sub("", spec.replace("\r\n", "\n")).split("\n"):
        mark, heading = _FENCE.match(line), _HEADING.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        elif heading and not fence and (not passed_over or len(heading[1]) <= passed_over):
            passed_over = len(heading[1]) if _ASKS_NOTHING.search(heading[2]) else 0
        elif not fence and not passed_over and len(line) <= _LONGEST_LINE:
            text = html.unescape(_MARKUP.sub("", line))
            yield "|".join(cell for cell in text.split("|") if not _MERE_NUMBER.fullmatch(cell))


def _targets_of(line: str, logged: set[str]) -> Iterator[Target]:
    start = 0
    for match in islice(_COMPARISON.finditer(line), _MOST_A_LINE):
        metric = None
        if not _OF_SOMETHING_ELSE.search(line, 0, match.start()) and _is_absolute(match):
            metric = _metric_at_the_end(line[start : match.start()], logged)
        # A condition at the start of a sentence holds for all that follows in it.
        if metric is not None and not _CONDITION.search(_SENTENCE_END.split(line[: match.start()])[-1]):
            sign = match["sign"].lower()
            unit = _UNITS[match["unit"].lower()] if match["unit"] else ""
            target = Target(metric, _SYMBOLS.get(sign) or _PHRASES[sign], float(match["number"]), unit)
            if _makes_sense(target, logged):
                yield target
        start = match.end()


def _is_absolute(match: re.Match[str]) -> bool:
    """Whether the number is a value of the metric, and not so many times, points or things of something."""
    after = _CLAUSE_END.split(match.string[match.end() :], maxsplit=1)[0]
    if _NOT_ABSOLUTE.search(after) or (not match["unit"] and after[:1].isalpha()):
        return False
    if match["unit"] or "." in match["number"]:
        return True
    # A whole number may count the things that are named next; one that ends its clause does not.
    return not after.strip(" .") or (not match["sign"][0].isalpha() and bool(_WHERE.match(after)))


def _metric_at_the_end(before: str, logged: set[str]) -> str | None:
    clause = _CLAUSE_END.split(_LINK.sub("", before))[-1]
    words = [word for word in (word.strip(_QUOTES) for word in clause.split()) if re.search(r"\w|@", word)]
    for length in range(min(_LONGEST_NAME, len(words)), 0, -1):
        name = " ".join(words[-length:])
        if _is_metric(name, logged):
            return name if {word.lower() for word in words[:-length]} <= _MAY_PRECEDE else None
    return None


def _is_metric(name: str, logged: set[str]) -> bool:
    key, meant = normalised(name), gist(name)
    if key in logged:
        return True
    if meant is None or "=" in name or (understand(name).family in _TOO_COMMON and not key.endswith("_rate")):
        return False
    return all(word in _BESIDE_A_METRIC or word.isdigit() for word in meant[1])


def _makes_sense(target: Target, logged: set[str]) -> bool:
    """Whether somebody may ask for this: the right way round, in a unit of the metric, within its bounds."""
    metric = understand(target.metric)
    if metric.direction is not None and metric.direction != target.direction:
        return False
    if metric.cost is not None:
        return target.unit in {"ms", "s"} or (target.unit == "" and metric.key in logged)
    if target.unit in {"ms", "s"}:
        return False
    return metric.family not in FRACTIONS or 0 <= target.number <= (100 if target.unit == "%" else 1)
