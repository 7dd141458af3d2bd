"""The smallest change that makes a training script record itself: lines put in, and nothing else touched.

    source.py notebook.py     the file: its bytes, its lines, lines put in
    module.py                 its syntax tree
    kinds.py bindings.py      what an expression gives; what a name is bound to
    loops.py flow.py          a walk in the order it runs
    printed.py results.py     what it prints; what libraries keep
    trackers.py saved.py      what it tells another tracker; the files of its models
    findings.py params.py     what is to be logged
    training.py home.py       what trains; where the experiment lives
    lines.py change.py        findings as lines at their places

The promise is that the script goes on as it did and never fails because of these lines. So a line only uses names
that are surely bound there and values that are surely what it needs; anything else is left out and said. The script
is read, never run, and what comes out must parse to the same tree as before, but for our lines.
"""

from __future__ import annotations

import ast
import difflib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.errors import Refused
from specweave_ml.instrument import notebook, source
from specweave_ml.instrument.change import make_change
from specweave_ml.instrument.findings import LeftOut
from specweave_ml.instrument.module import OURS, Module
from specweave_ml.instrument.source import refused
from specweave_ml.project import find_increment
from specweave_ml.store.replace import create, temporary_name, write_all

if TYPE_CHECKING:
    from specweave_ml.instrument.source import Insertion

__all__ = ["Instrumentation", "LeftOut", "apply", "plan"]


@dataclass(frozen=True, slots=True)
class Instrumentation:
    """A change to a script, not yet written.

    Attributes:
        path: the script, as it was named.
        before: its bytes.
        after: its bytes with the change; the same where it records itself already.
        increment: the increment that the experiment goes to.
        name: the experiment's name.
        records: what is recorded, in words.
        left_out: what is not, and why.
    """

    path: str
    before: bytes
    after: bytes
    increment: str
    name: str
    records: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after

    @property
    def diff(self) -> str:
        """The change as a unified diff."""
        old, new = (source.lines_of(each.decode("utf-8", "backslashreplace")) for each in (self.before, self.after))
        changed = difflib.unified_diff(old, new, f"a/{self.path}", f"b/{self.path}")
        return "".join(
            line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n" for line in changed
        )


def plan(path: str, increment: str | None = None, name: str | None = None) -> Instrumentation:
    """The change that makes a script or notebook record itself. Writes nothing.

    Args:
        path: a `.py` or `.ipynb` file.
        increment: where the experiment goes; None: the active one.
        name: what the experiment is called; None: as the file.

    Raises:
        NotFound: no such script, or it is not clear which increment is meant.
        Refused: the script is not understood; the error says where and why.
    """
    called = name or _name_of(path)
    where = find_increment(increment)
    if _leads_out(path, where.root):
        raise refused(path, "it is a link to a file outside of the project")
    is_notebook = path.endswith(".ipynb")
    if not is_notebook and not path.endswith((".py", ".pyw")):
        raise refused(path, "it is neither a .py file nor a notebook")
    before = source.read_bytes(path, notebook.LARGEST if is_notebook else source.LARGEST)
    script = notebook.read_notebook(path, before) if is_notebook else source.read_script(path, before)
    module = Module(path, script.python)
    if any(origin.partition(".")[0] in OURS for origin in module.imports.values()):
        return Instrumentation(path, before, before, where.name, called)
    change = make_change(module, script, called, where.id)
    _check(path, module, source.insert(script.python, change.insertions), change.insertions)
    after = script.with_lines(change.insertions)
    return Instrumentation(path, before, after, where.name, called, tuple(change.records), tuple(change.left_out))


def apply(change: Instrumentation) -> None:
    """Write a change: whole or not at all, with the file's mode.

    Raises:
        Refused: the script is not what it was when the change was planned.
        OSError: it cannot be written; the old file stands.
    """
    path = os.path.realpath(change.path)
    with open(path, "rb") as file:
        if file.read() != change.before:
            raise Refused("the script has changed meanwhile", path=change.path, next_step="run the command again")
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    temporary = temporary_name(path)
    try:
        descriptor = create(temporary)
        try:
            os.fchmod(descriptor, mode)
            write_all(descriptor, change.after)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except BaseException:
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise


def _leads_out(path: str, root: str) -> bool:
    """Whether a file in the project is a link to somewhere else; a file elsewhere that was named is as it was meant."""
    named_inside = os.path.abspath(path).startswith(os.path.join(root, ""))
    return named_inside and not os.path.realpath(path).startswith(os.path.join(os.path.realpath(root), ""))


def _name_of(path: str) -> str:
    folder, file = os.path.split(os.path.abspath(path))
    stem = os.path.splitext(file)[0]
    return os.path.basename(folder) if stem == "__main__" else stem


def _check(path: str, module: Module, text: str, insertions: list[Insertion]) -> None:
    """The new text must be the old tree with our statements, each where it was meant to be.

    Raises:
        Refused: it is not; a shape of code that nobody foresaw.
    """
    new = Module(path, text)
    ours = _numbers_of(insertions)
    for node in ast.walk(new.tree):
        for field, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, field, [each for each in value if each.lineno not in ours])
    if ast.dump(new.tree) != ast.dump(module.tree):
        raise refused(path, "lines put in would change what the others mean")


def _numbers_of(insertions: list[Insertion]) -> set[int]:
    """The numbers that our lines have in the new text."""
    numbers: set[int] = set()
    added = 0
    for each in sorted(insertions, key=lambda each: each.line - each.before):
        first = each.line - each.before + added + 1
        numbers.update(range(first, first + len(each.lines)))
        added += len(each.lines)
    return numbers
