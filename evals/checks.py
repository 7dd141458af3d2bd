"""What must be true after a task, read from evals.json: of files, records, commands, and the answer.

{"answer": [regex, …], "lacks": [regex, …]}      what the agent said
{"file": path, "has": [text, …], "lacks": […]}   a file; "missing": true: there is none
{"experiment": name, key: value, …}              a record: status, tags, notes (regex), params, metrics (names)
{"count": status, "is": number}                  how many experiments of the increment have a status ("*": any)
{"command": [word, …], "exit": code}             what a command answers
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects import Project

Check = dict[str, Any]


def failures(checks: list[Check], project: Project, answer: str) -> list[str]:
    """What is not as it must be, one line each."""
    return [problem for check in checks for problem in _KINDS[next(iter(check))](check, project, answer)]


def _answer(check: Check, _: Project, answer: str) -> Iterator[str]:
    for pattern in check["answer"]:
        if not re.search(pattern, answer, re.IGNORECASE):
            yield f"the answer does not say {pattern!r}"
    for pattern in check.get("lacks", []):
        if re.search(pattern, answer, re.IGNORECASE):
            yield f"the answer says {pattern!r}"


def _file(check: Check, project: Project, _: str) -> Iterator[str]:
    name = check["file"]
    found = sorted(project.root.glob(name))
    if check.get("missing"):
        yield from (f"{path.relative_to(project.root)} is there" for path in found)
        return
    if len(found) != 1:
        yield f"{name}: {len(found)} such files"
        return
    text = found[0].read_text() if found[0].is_file() else ""
    yield from (f"{name} does not hold {wanted!r}" for wanted in check.get("has", []) if wanted not in text)
    yield from (f"{name} holds {unwanted!r}" for unwanted in check.get("lacks", []) if unwanted in text)


def _experiment(check: Check, project: Project, _: str) -> Iterator[str]:
    said = project.json("show", check["experiment"], "--increment", "0042", "--full")
    record = said.get("experiment")
    if record is None:
        yield f"{check['experiment']}: {said['error']}"
        return
    notes = "\n".join(note["text"] for note in record["notes"])
    if "notes" in check and not re.search(check["notes"], notes, re.IGNORECASE):
        yield f"no note says {check['notes']!r}"
    for key in ("status", "tags"):
        if key in check and record[key] != check[key]:
            yield f"{key} is {record[key]!r}, not {check[key]!r}"
    for key in ("params", "metrics"):
        yield from (f"{key} lack {name!r}" for name in check.get(key, []) if name not in record[key])


def _count(check: Check, project: Project, _: str) -> Iterator[str]:
    listed = project.json("list", "0042", "--limit", "0").get("experiments", [])
    number = sum(check["count"] in ("*", row["status"]) for row in listed)
    if number != check["is"]:
        yield f"{number} experiments are {check['count']}, not {check['is']}"


def _command(check: Check, project: Project, _: str) -> Iterator[str]:
    code, _out = project.run(*check["command"])
    if code != check["exit"]:
        yield f"{' '.join(check['command'])}: exit {code}, not {check['exit']}"


_KINDS = {"answer": _answer, "file": _file, "experiment": _experiment, "count": _count, "command": _command}
