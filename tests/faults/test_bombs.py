"""S4, S5: YAML and JSON made to hurt. At most a second and 64 MB, a typed error or an experiment with what is readable."""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faults.driving import forked, in_fresh_process, proved
from faults.looking import everything

SECONDS = 1.0
MEGABYTES = 64
GIVE_UP_SECONDS = 20
DEEP = 100_000
MANY = 1_000_000
OPEN = b'{"open":{"schema":1,"session":1,"writer":"","pid":1,"host":"h","at":"2026-03-01T09:30:00.000Z"}}\n'
END = b'{"status":"finished","t":1772357400000,"seconds":1.0}\n'
POINT = b'{"m":{"auc":0.5},"s":0,"t":1772357400000}\n'
HEAD = b'schema: 1\nname: "bomb"\nstatus: "finished"\nstarted: "2026-03-01T09:30:00.000Z"\ntags: []\n'


def nested(opening: bytes, closing: bytes, depth: int, inside: bytes = b"1") -> bytes:
    return opening * depth + inside + closing * depth


def laughs(levels: int) -> bytes:
    """9 to the power of `levels` strings, by aliases of aliases."""
    rows = [b"a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    rows += [b"a%d: &a%d [" % (n, n) + b", ".join([b"*a%d" % (n - 1)] * 9) + b"]" for n in range(1, levels + 1)]
    return b"\n".join(rows) + b"\n"


JSON_VALUES: dict[str, Callable[[], bytes]] = {
    "deep lists": lambda: nested(b"[", b"]", DEEP),
    "deep objects": lambda: nested(b'{"a":', b"}", DEEP),
    "deep and open": lambda: b"[" * DEEP,
    "as deep as orjson goes": lambda: nested(b"[", b"]", 900),
    "deep beside a surrogate": lambda: b'["\\ud800",' + nested(b"[", b"]", DEEP) + b"]",
    "quite deep beside a surrogate": lambda: b'["\\ud800",' + nested(b'{"a":', b"}", 800) + b"]",
    "a million keys": lambda: b"{" + b",".join(b'"k%d":1' % n for n in range(MANY)) + b"}",
    "half a million short keys": lambda: b"{" + b",".join(b'"%x":1' % n for n in range(MANY // 2)) + b"}",
    "a million empty lists": lambda: b"[" + b",".join([b"[]"] * MANY) + b"]",
    "a million numbers": lambda: b"[" + b",".join([b"1.5"] * MANY) + b"]",
    "one long string": lambda: b'"' + b"x" * 8_000_000 + b'"',
    "a million equal keys": lambda: b"{" + b",".join([b'"k":1'] * MANY) + b"}",
    "equal keys": lambda: b'{"k":1,"k":2}',
    "1e400": lambda: b"1e400",
    "-1e400": lambda: b"-1e400",
    "400 digits": lambda: b"9" * 400,
    "400 digits beside a surrogate": lambda: b'["\\ud800",' + b"9" * 400 + b"]",
    "5,000 digits": lambda: b"9" * 5_000,
    "1e400 beside a surrogate": lambda: b'["\\ud800",1e400]',
    "NaN": lambda: b"NaN",
    "Infinity beside a surrogate": lambda: b'["\\ud800",Infinity]',
    "a lone surrogate": lambda: b'"\\ud800"',
    "a surrogate of a pair": lambda: b'"\\udc00\\ud800"',
    "surrogate bytes": lambda: b'"\xed\xa0\x80"',
    "no UTF-8": lambda: b'"\xff\xfe"',
    "UTF-16": lambda: '"x"'.encode("utf-16"),
    "a NUL": lambda: b'"\x00"',
    "a NUL escape": lambda: b'"\\u0000"',
    "dollar tags": lambda: b'{"$float":"x","$int":"zz"}',
    "a dollar tag of another kind": lambda: b'{"$int":[1]}',
    "a dollar float of a list": lambda: b'{"$float":[1]}',
    "a huge dollar int": lambda: b'{"$int":"0x' + b"f" * 1_000_000 + b'"}',
    "deep dollar dicts": lambda: nested(b'{"$dict":', b"}", 600, b"{}"),
    "null": lambda: b"null",
    "true": lambda: b"true",
    "a list": lambda: b"[1]",
    "an empty string": lambda: b'""',
    "nothing": lambda: b"",
}

YAML_FILES: dict[str, Callable[[], bytes]] = {
    "a Python tag": lambda: b"status: !!python/object/apply:os.system ['touch outside']\n",
    "a Python name": lambda: b"status: !!python/name:os.system\n",
    "an unknown tag": lambda: b"status: !bomb x\n",
    "a binary tag": lambda: b"status: finished\nname: !!binary |\n  aGVsbG8=\n",
    "a set": lambda: b"status: finished\ntags: !!set {a, b}\n",
    "9 to the 9th aliases": lambda: laughs(9),
    "9 to the 9th aliases as values": lambda: b"status: finished\n" + laughs(9),
    "an alias of itself": lambda: b"a: &a [*a]\n",
    "a merge bomb": lambda: b"a: &a {x: 1}\nb: &b {<<: [*a, *a]}\n" + b"c: {<<: [*b" + b", *b" * 10_000 + b"]}\n",
    "deep flow lists": lambda: b"status: " + nested(b"[", b"]", DEEP) + b"\n",
    "deep flow maps": lambda: b"status: " + nested(b"{a: ", b"}", DEEP) + b"\n",
    "deep block lists": lambda: b"status:\n  " + b"- " * DEEP + b"x\n",
    "deep block maps": lambda: b"".join(b" " * n + b"a:\n" for n in range(1_000)),
    "deep and open": lambda: b"status: " + b"[" * DEEP,
    "deep keys": lambda: b"? " * DEEP + b"x\n",
    "a million keys": lambda: b"x:\n" + b"".join(b"  k%d: 1\n" % n for n in range(MANY)),
    "as many keys as fit": lambda: b"x:\n" + b"".join(b"  k%d: 1\n" % n for n in range(80_000)),
    "as many numbers as fit": lambda: b"x:\n  y: [" + b"1," * 490_000 + b"1]\n",
    "as many timestamps as fit": lambda: b"x:\n  y: [" + b"2026-01-01," * 85_000 + b"1]\n",
    "a sexagesimal number": lambda: b"x:\n  y: 1" + b":1" * 490_000 + b"\n",
    "a sexagesimal float": lambda: b"x:\n  y: 1" + b":1" * 490_000 + b".5\n",
    "a long number": lambda: b"x:\n  y: " + b"1" * 900_000 + b"\n",
    "a long hexadecimal number": lambda: b"x:\n  y: 0x" + b"f" * 900_000 + b"\n",
    "a long float": lambda: b"x:\n  y: 0." + b"1" * 900_000 + b"\n",
    "a long folded text": lambda: b"x: >\n" + b"  a\n\n" * 180_000,
    "a long quoted text": lambda: b"x:\n  y: '" + b"''" * 450_000 + b"'\n",
    "a long plain text": lambda: b"x:\n  y: a" + b" a" * 450_000 + b"\n",
    "many comments": lambda: b"x:\n  y: 1\n" + b"#\n" * 450_000,
    "many documents": lambda: b"--- {a: 1}\n" * 90_000,
    "equal keys": lambda: b"status: finished\nstatus: running\n",
    "1e400": lambda: b"status: finished\nduration_seconds: 1e400\n",
    "an infinity": lambda: b"status: finished\nduration_seconds: .inf\nname: .nan\n",
    "a lone surrogate": lambda: b'status: "finished"\nname:\n  "\\ud800"\n',
    "surrogate bytes": lambda: b'status: "finished"\nname: \xed\xa0\x80\n',
    "no UTF-8": lambda: b"status: finished\nname: \xff\xfe\n",
    "UTF-16": lambda: "status: finished\n".encode("utf-16"),
    "a NUL": lambda: b"status: finished\x00\n",
    "a byte order mark": lambda: b"\xef\xbb\xbf" + HEAD,
    "tabs": lambda: b"status:\tfinished\n\tname: x\n",
    "a directive": lambda: b"%YAML 9.9\n---\nstatus: finished\n",
    "a list": lambda: b"- status: finished\n",
    "a number": lambda: b"42\n",
    "a list as key": lambda: b"? [a, b]\n: 1\nstatus: finished\n",
    "an impossible date": lambda: b"status: finished\nstarted: 2026-99-99\n",
    "a date": lambda: b"status: finished\nstarted: 2026-01-01\nended: 2026-01-01 10:00:00\n",
    "numbers for words": lambda: (
        b"status: finished\nstarted: 5\ntags: 5\nnotes: 5\nartifacts: 5\nfolds: 5\ndata: 5\ncounts: 5\nerror: 5\n"
    ),
    "words for lists": lambda: (
        b"status: finished\ntags: abc\nnotes: abc\nartifacts: abc\nfolds: abc\ndata: abc\ncounts: abc\n"
    ),
    "odd lists": lambda: (
        b"status: finished\nnotes: [1, {}, null]\nfolds: [1, {}, null]\ntags: [1, {}, null]\ndata: [1, null]\n"
    ),
    "an odd status": lambda: b"status: [finished]\n",
    "nothing": lambda: b"",
    "a comment": lambda: b"# nothing\n",
}

PLACES: dict[str, Callable[[bytes], dict[str, bytes]]] = {
    "params.json": lambda bomb: {"metadata.yaml": HEAD, "params.json": bomb},
    "metrics.json": lambda bomb: {"metadata.yaml": HEAD, "metrics.json": bomb},
    "a param": lambda bomb: {"metadata.yaml": HEAD, "params.json": b'{"x": %s}' % bomb},
    "a metric": lambda bomb: {"metadata.yaml": HEAD, "metrics.json": b'{"auc": %s}' % bomb},
    "a value of metadata.yaml": lambda bomb: {"metadata.yaml": HEAD + b"notes: %s\n" % bomb},
    "a line": lambda bomb: {"journal.jsonl": OPEN + bomb + b"\n" + POINT},
    "a param's line": lambda bomb: {"journal.jsonl": OPEN + b'{"p":{"x":%s}}\n' % bomb + POINT},
    "a metric's line": lambda bomb: {"journal.jsonl": OPEN + b'{"m":{"auc":%s},"s":1,"t":1}\n' % bomb + POINT},
    "a step": lambda bomb: {"journal.jsonl": OPEN + b'{"m":{"auc":1},"s":%s,"t":1}\n' % bomb + POINT},
    "a time": lambda bomb: {"journal.jsonl": OPEN + b'{"m":{"auc":1},"s":1,"t":%s}\n' % bomb + POINT},
    "a set line": lambda bomb: {"journal.jsonl": OPEN + b'{"set":{"tags":%s}}\n' % bomb + POINT + END},
    "a note": lambda bomb: {"journal.jsonl": OPEN + b'{"note":%s,"t":1}\n' % bomb + POINT},
    "the opening": lambda bomb: {"journal.jsonl": b'{"open":%s}\n' % bomb + POINT},
    "the time of the opening": lambda bomb: {
        "journal.jsonl": OPEN.replace(b'"2026-03-01T09:30:00.000Z"', bomb) + POINT
    },
    "the end": lambda bomb: {"journal.jsonl": OPEN + POINT + b'{"status":"finished","t":1,"seconds":%s}\n' % bomb},
}


def read_bombs(kind: str) -> list[str]:
    """Read an experiment with each bomb in this place, in a child of its own; what went wrong."""
    cases = YAML_FILES if kind == "metadata.yaml" else JSON_VALUES
    found = []
    for name, bomb in cases.items():
        for journal in (True, False) if kind == "metadata.yaml" else (True,):
            files = {"metadata.yaml": bomb()} if kind == "metadata.yaml" else PLACES[kind](bomb())
            wrong = in_child(
                files | ({"journal.jsonl": OPEN + POINT + END} if journal and "journal.jsonl" not in files else {})
            )
            if wrong:
                found.append(f"{name}{'' if journal else ', no journal'}: {wrong}")
    return found


def in_child(files: dict[str, bytes]) -> str:
    """What is wrong with the reading of an experiment that has these files."""
    import shutil

    experiments = Path(".specweave/increments/0042-recommendation-model/experiments")
    folder = experiments / "bomb"
    folder.mkdir(parents=True)
    (experiments / "healthy").mkdir(exist_ok=True)
    (experiments / "healthy" / "journal.jsonl").write_bytes(OPEN + POINT)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    del files
    reading, writing = os.pipe()
    pid = forked(lambda: os.write(writing, json.dumps(measured(read)).encode()) and None)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    shutil.rmtree(folder)
    return json.loads(answer) if answer else f"gave up after {GIVE_UP_SECONDS} s, or crashed"


def measured(work: Callable[[], str]) -> str:
    """What is wrong with it, or with its time and memory."""
    resource.setrlimit(resource.RLIMIT_CPU, (GIVE_UP_SECONDS, GIVE_UP_SECONDS))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    wrong = work()
    seconds = time.process_time() - began
    megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    limits = [f"{seconds:.1f} s"] * (seconds > SECONDS) + [f"{megabytes:.0f} MB"] * (megabytes > MEGABYTES)
    return ", ".join([*([wrong] if wrong else []), *limits])


def read() -> str:
    from specweave_ml.errors import SpecweaveError
    from specweave_ml.store.load import load_experiments

    try:
        found = {experiment.name: experiment for experiment in load_experiments()}
        if found["healthy"].metrics != {"auc": 0.5}:
            return "the healthy neighbour reads differently"
        everything(found["bomb"], "auc")
    except SpecweaveError:
        return ""
    except Exception as error:  # noqa: BLE001 - whatever else escapes is what this test is after
        return f"{type(error).__name__}: {error}"[:100]
    return ""


@pytest.mark.parametrize("kind", ["metadata.yaml", *PLACES])
def test_bombs_cost_a_second_and_64_megabytes_at_most(project: Path, kind: str) -> None:
    """49 YAML files with and without a journal, 38 JSON values in 15 places: 668 readings (3/N = 0.5 %)."""
    found: list[Any] = in_fresh_process(warm, kind, at=project)
    assert not found, "\n".join(found)
    proved(f"bombs in {kind} hurt", len(YAML_FILES) * 2 if kind == "metadata.yaml" else len(JSON_VALUES))


def warm(kind: str) -> list[str]:
    """With everything imported that reading imports, so that only the bomb is measured."""
    import yaml

    from specweave_ml.store.load import load_experiments

    load_experiments()
    yaml.load("a: 1", Loader=yaml.CSafeLoader)
    return read_bombs(kind)
