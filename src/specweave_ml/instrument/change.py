"""From what was found to the lines that go into a script, and what is said about them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from specweave_ml.instrument import findings, home, lines
from specweave_ml.instrument.findings import HANDLE, Finding, LeftOut, quoted
from specweave_ml.instrument.flow import Walk
from specweave_ml.instrument.module import Function
from specweave_ml.instrument.notebook import Notebook
from specweave_ml.instrument.params import Params
from specweave_ml.instrument.source import Insertion, refused
from specweave_ml.instrument.training import Training

if TYPE_CHECKING:
    from specweave_ml.errors import Refused
    from specweave_ml.instrument.flow import Seen
    from specweave_ml.instrument.module import Module
    from specweave_ml.instrument.source import Script

_BUILTINS = {"enumerate", "float", "int", "isinstance", "len", "range", "vars"}
_WORD = re.compile(r"\w+")
_NO_PLACE = "no line can be put in behind it: others share its line, or a notebook shows its value"


@dataclass(slots=True)
class Change:
    """What becomes of a script.

    Attributes:
        insertions: the lines to put in.
        records: what is recorded, in words.
        left_out: what is not, and why.
    """

    insertions: list[Insertion] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def make_change(module: Module, script: Script | Notebook, name: str, increment: str) -> Change:
    """The lines for one script.

    Raises:
        Refused: nothing trains, nothing can be recorded, or there is no telling where the experiment is.
    """
    return _Making(module, script, name, increment).made


class _Making:
    def __init__(self, module: Module, script: Script | Notebook, name: str, increment: str) -> None:
        self.made = Change()
        self._module = module
        self._is_notebook = script.is_notebook
        self._name = name
        self._increment = increment
        self._places = lines.Places(module, script.last_lines() if isinstance(script, Notebook) else ())
        self._walk = Walk(module)
        found, self.made.left_out = findings.find(self._walk)
        self._training = Training(self._walk, found)
        self._handle = module.free("exp", "experiment", "tracked", "tracked_experiment")
        self._track = module.free("track_experiment", "track_specweave_experiment")
        homes = home.choose(self._training)
        found = findings.drop_returned(self._walk, found, [each.scope for each in homes])
        for self._home in homes:
            self._reached = self._training.reached(self._home.block)
            own = self._without_batches([each for each in found if self._belongs(each)])
            inside = [each for each in own if each.seen.scope is self._home.scope]
            others = [each for each in own if each.seen.scope is not self._home.scope and len(homes) == 1]
            elsewhere = [self._told_apart(each) for each in others]
            if not inside and not elsewhere:
                raise self._nothing()
            if not any(each.name or each.is_curve for each in own):
                line, why = self._home.start.statement.lineno, "none is printed or has a name; log them by hand"
                self.made.left_out.append(LeftOut(line, "metrics", why))
            if self._home is homes[0]:
                self._import(is_shared=bool(elsewhere))
            inside += self._start_all(inside, is_shared=bool(elsewhere))
            self._log_all(inside, guarded=False)
            self._log_all(elsewhere + self._params_of(elsewhere), guarded=True)
            if self._home.is_repeated or self._is_notebook:
                self._finish()

    def _told_apart(self, finding: Finding) -> Finding:
        """A metric of a function that is called with `"train"` and with `"test"`, named by it."""
        told = home.text_argument(self._training, finding.seen.scope)
        if not told or not finding.name.isascii() or not re.fullmatch(r'"[^{}"\\]+"', finding.name):
            return finding
        return replace(finding, name=f'f"{{{told}}}_{finding.name[1:]}', shows=f"{finding.shows}, by {told}")

    def _params_of(self, elsewhere: list[Finding]) -> list[Finding]:
        """The params that become known in other functions in which something is logged."""
        behind: list[Finding] = []
        for scope in {id(each.seen.scope): each.seen.scope for each in elsewhere}.values():
            seen_in = self._walk.seen_in(scope)
            params = Params(self._training, seen_in[0], self._training.fitted(scope.body))
            behind += [each for seen in seen_in for each in params.behind(seen, {})]
        return behind

    def _leave_out(self, finding: Finding, why: str) -> None:
        self.made.left_out.append(LeftOut(finding.seen.statement.lineno, finding.shows, why))

    # What belongs to the experiment

    def _belongs(self, finding: Finding) -> bool:
        seen = finding.seen
        if seen.scope is not self._home.scope:
            return id(seen.scope) in self._reached
        if any(each in self._home.block for each in (*seen.outer, seen.statement)):
            return True
        self._leave_out(finding, "it is outside of the training, or of each one of several")
        return False

    def _without_batches(self, found: list[Finding]) -> list[Finding]:
        """What changes within an epoch is left out, unless there is nothing else."""
        steady = [each for each in found if not self._is_batch(each)]
        if not any(each.name or each.is_curve for each in steady):
            return [replace(each, step="") for each in found]
        for each in found:
            if each not in steady:
                self._leave_out(each, "it changes within an epoch, and what an epoch comes to is recorded")
        return steady

    def _is_batch(self, finding: Finding) -> bool:
        loops = [each for each in finding.seen.loops if each.node.body is not self._home.block]
        if finding.seen.scope is not self._home.scope and loops and not loops[-1].is_counting:
            return True
        return any(each.step and not each.folds for each in loops[:-1])

    def _nothing(self) -> Refused:
        seen = [f"line {each.line}: {each.what}: {each.why}" for each in self.made.left_out if each.is_metric]
        why = f"no metric is sure to be one ({'; '.join(seen[:3])})" if seen else "no metric is printed or has a name"
        line = self._home.start.statement.lineno
        return refused(self._module.path, f"training starts here, but {why}", line)

    # Lines

    def _import(self, *, is_shared: bool) -> None:
        renamed = "" if self._track == "track_experiment" else f" as {self._track}"
        head = [f"from specweave import track_experiment{renamed}"]
        if is_shared:
            head += ["", f"{self._handle} = None  # until the experiment starts"]
        line, before = lines.import_place(self._module, self._home.start)
        self.made.insertions.append(Insertion(line, before, tuple(head)))

    def _start_all(self, inside: list[Finding], *, is_shared: bool) -> list[Finding]:
        """Start the experiment, or several in turn; returns the params that become known behind a start."""
        logged = [(each.name or each.shows, each.seen) for each in inside if each.name or each.is_curve]
        starts = home.segments(self._training, self._home, logged)
        behind: list[Finding] = []
        for number, start in enumerate(starts):
            is_last = number == len(starts) - 1
            own = self._home.block[start.index : None if is_last else starts[number + 1].index]
            whole = len(starts) == 1
            params = Params(self._training, start, self._training.fitted(self._module.tree.body if whole else own))
            suffix = self._home.suffix if whole else f"-{params.model or number + 1}"
            self._start(start, params, suffix, number=number, is_shared=is_shared)
            later = {} if is_last else starts[number + 1].before
            for seen in self._walk.seen_in(self._home.scope):
                if any(each in own for each in (*seen.outer, seen.statement)):
                    behind += params.behind(seen, later)
        return behind

    def _start(self, start: Seen, params: Params, suffix: str, *, number: int, is_shared: bool) -> None:
        place = self._places.before(start)
        if place is None:
            raise refused(self._module.path, "several statements share this line", start.statement.lineno)
        name = quoted(self._name + suffix)
        if self._home.varies and "{" not in name:
            name = f"f{name[:-1]}-{{{self._home.varies}}}{name[-1]}"
        said = [(shows, line) for shows, line in params.at_start() if not self._hidden(line)]
        starting = [f"{self._handle} = {self._track}({name}, increment={quoted(self._increment)})"]
        starting += [line for _, line in said]
        if number:
            starting.insert(0, f"{HANDLE}.finish()")
        elif is_shared and isinstance(self._home.scope, Function):
            starting.insert(0, f"global {self._handle}")
        self._put(place, starting, self._home.block, guarded=False)
        self.made.records += [shows for shows, _ in said]

    def _log_all(self, found: list[Finding], *, guarded: bool) -> None:
        at: dict[tuple[int, bool], tuple[Insertion, list[str], list[ast.stmt]]] = {}
        for each in lines.merged(sorted(found, key=lambda each: findings.position(each.seen))):
            shown = isinstance(each.seen.statement, ast.Expr) and not each.seen.outer
            place = self._places.behind(each.seen, each.value, shows_value=shown)
            if each.before:
                place = self._places.before(each.seen)
            hidden = self._hidden("".join(each.lines))
            if hidden:
                self._leave_out(each, f"the script uses the name {hidden} for something else")
            elif place is None:
                self._leave_out(each, _NO_PLACE)
            else:
                end = ";" if self._is_notebook and "log_artifact" in each.lines[-1] else ""  # or the cell shows a path
                new = [*each.lines[:-1], each.lines[-1] + end]
                at.setdefault((place.line, place.before), (place, [], each.seen.block))[1].extend(new)
                self.made.records.append(each.shows)
        for place, new, block in at.values():
            self._put(place, new, block, guarded=guarded)

    def _hidden(self, line: str) -> str:
        """A builtin that a line needs and the script calls something else."""
        used = _BUILTINS & set(_WORD.findall(line))
        return next((name for name in sorted(used) if not self._module.is_builtin(name)), "")

    def _finish(self) -> None:
        """End the experiment where its block ends; in a notebook, where its last line is."""
        block = [each for each in self._walk.seen_in(self._home.scope) if each.block is self._home.block]
        last = block[-1]
        if self._is_notebook and not self._home.is_repeated:
            final = max(each.line for each in self.made.insertions)
            counting = [each for each in block if each.statement.lineno <= final or self._training.counts(each)]
            last = counting[-1]
        shown = isinstance(last.statement, ast.Expr)
        place = None if last.after is None else self._places.behind(last, shows_value=shown)
        place = place or self._places.before(last)
        if place is not None:
            self._put(place, [f"{HANDLE}.finish()"], self._home.block, guarded=False)

    def _put(self, place: Insertion, new: list[str] | tuple[str, ...], block: list[ast.stmt], *, guarded: bool) -> None:
        indentation = self._module.indentation(block[0])
        written = lines.written(new, self._handle, indentation, guarded=guarded)
        self.made.insertions.append(place._replace(lines=written))
