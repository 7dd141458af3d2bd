"""How the running program was started: its entry, command line, working directory and chosen environment variables.

What is recorded means the same on another machine: the project's root becomes `.` (as seen from the working
directory), the interpreter `python`, its scripts' folder `<bin>`, installed packages `<env>`. Secrets are redacted.
"""

from __future__ import annotations

import os
import re
import sys

from specweave_ml.provenance.gaps import gap
from specweave_ml.redact import redact_argv, redact_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from specweave_ml.provenance.gaps import Found

RECORDED_VARIABLES = (
    "PYTHONHASHSEED PYTHONOPTIMIZE OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS NUMEXPR_NUM_THREADS "
    "MKL_CBWR LOKY_MAX_CPU_COUNT TOKENIZERS_PARALLELISM CUDA_VISIBLE_DEVICES CUDA_LAUNCH_BLOCKING "
    "CUBLAS_WORKSPACE_CONFIG NVIDIA_TF32_OVERRIDE PYTORCH_CUDA_ALLOC_CONF TF_DETERMINISTIC_OPS "
    "TF_CUDNN_DETERMINISTIC TF_ENABLE_ONEDNN_OPTS XLA_FLAGS JAX_ENABLE_X64 JAX_PLATFORMS KERAS_BACKEND "
    "WORLD_SIZE RANK LOCAL_RANK"
).split()
_VARIABLES_AS_BYTES = [name.encode() for name in RECORDED_VARIABLES]  # asked for at every start; a third of the time so
_NOT_RERUNNABLE = {
    "notebook": ("the cells of a notebook", "move the code into a file, or export it with nbconvert, and run that"),
    "repl": ("an interactive session", "put the code into a file and run it with python"),
    "stdin": ("standard input", "put the code into a file and run it with python"),
}
_INTERPRETER = re.compile(r"python[0-9.]*")
TAKING_A_VALUE = ("-X", "-W")
_standing_for: tuple[str, ...] = ()
_ABSOLUTE = re.compile(r"""(?:^|[=,:'"\s])(?:/(?=[^/\s])|file:///)""")


def read_entry(root: str) -> Found:
    """`entry`: its kind (script, module, c, stdin, notebook or repl), and the path of its file below the root."""
    kind, path = _entry()
    if path is None:
        return {"entry": {"kind": kind, "path": None}}, []
    places = _Places(root)
    below = (None if ".." in path else places.below(path)) or places.below(os.path.realpath(path))
    shown = below or places.portable(path)
    gaps = [_left_absolute("code.entry.path")] if os.path.isabs(shown) else []
    return {"entry": {"kind": kind, "path": shown}}, gaps


def read_command(root: str) -> Found:
    """`argv`, `cwd` (relative to the root) and `env` (by an allow-list)."""
    kind, path = _entry()
    places = _Places(root)
    plain = [places.portable(word) for word in _argv(kind, path)]
    argv = redact_argv(plain)
    cwd = places.below(places.cwd)
    set_here = [name for name in RECORDED_VARIABLES if name in os.environ]
    env = {name: redact_value(name, places.portable(os.environ[name])) for name in set_here}
    gaps = []
    if kind in _NOT_RERUNNABLE:
        source, mend = _NOT_RERUNNABLE[kind]
        gaps.append(gap("command", f"not re-runnable: the code came from {source}", mend))
    if argv != plain:
        why = "not re-runnable as it stands: it held a secret, which was redacted"
        gaps.append(gap("command.argv", why, "pass secrets in environment variables"))
    if any("/" in word and _ABSOLUTE.search(word) for word in argv):
        gaps.append(_left_absolute("command.argv"))
    if cwd is None:
        gaps.append(_left_absolute("command.cwd"))
    return {"argv": argv, "cwd": cwd or places.cwd, "env": env}, gaps


def notebook_cells() -> list[str]:
    """The cells of the notebook in the order in which they ran; empty outside of one."""
    cells = getattr(_shell(), "user_ns", {}).get("In", ()) if is_notebook() else ()
    return [str(cell) for cell in cells if str(cell).strip()]


def stand_for(argv: tuple[str, ...]) -> None:
    """From now on this process records another program's command line as its own, because all it does is run that."""
    global _standing_for  # noqa: PLW0603 - a process has one command line
    _standing_for = argv


def interpreter(argv: Sequence[str]) -> bool:
    """Whether a command line starts Python."""
    return bool(argv) and _INTERPRETER.fullmatch(os.path.basename(argv[0])) is not None


def other_interpreter() -> str | None:
    """The Python of the command line that this process stands for, where it is not the one that runs this."""
    import shutil

    found = shutil.which(_standing_for[0]) if interpreter(_standing_for) else None
    if found is None or os.path.dirname(os.path.abspath(found)) == os.path.dirname(sys.executable):
        return None
    return found


def chosen_environment() -> tuple[bytes | None, ...]:
    """The values of the variables that `read_command` records, in a fixed order."""
    return tuple(map(os.environb.get, _VARIABLES_AS_BYTES))


def portable(text: str, root: str) -> str:
    """The text with folders that only this machine has replaced: the project's root, the interpreter, its packages."""
    return _Places(root).portable(text)


def is_notebook() -> bool:
    """Whether the code runs in cells of a Jupyter kernel."""
    return getattr(_shell(), "kernel", None) is not None


def _entry() -> tuple[str, str | None]:
    """The kind of entry, and its file where there is one."""
    if _standing_for:
        return _entry_of(_standing_for)
    if is_notebook():
        return "notebook", os.environ.get("JPY_SESSION_NAME")
    if _shell() is not None or hasattr(sys, "ps1"):
        return "repl", None
    module, file = _main()
    if file is None or file == "<stdin>":
        return ("c" if sys.argv[:1] == ["-c"] else "stdin"), None
    return ("module" if module else "script"), file


def _entry_of(argv: Sequence[str]) -> tuple[str, str | None]:
    """The entry of a command line that another process runs."""
    if not interpreter(argv):
        return "program", None
    words = iter(argv[1:])
    for word in words:
        if word in TAKING_A_VALUE:
            next(words, None)
        elif word in ("-m", "-c"):
            return ("module" if word == "-m" else "c"), None
        elif word == "-":
            break
        elif not word.startswith("-"):
            return "script", word
    return "stdin", None


def _main() -> tuple[str | None, str | None]:
    """The module that `python -m` runs (None for a script), and its file."""
    main = sys.modules["__main__"]
    name: str | None = getattr(getattr(main, "__spec__", None), "name", None)
    if name is not None and name.endswith("popen_loky_posix"):
        # Workers of joblib have its starter as main module, but the arguments of their parent.
        return None, sys.argv[0] if os.path.isfile(sys.argv[0]) else None
    # A folder or archive with a `__main__.py` runs as a module called so, but was started as a script.
    return None if name == "__main__" else name, getattr(main, "__file__", None)


def _shell() -> object | None:
    """The running IPython shell, if there is one."""
    ipython = sys.modules.get("IPython")
    find = getattr(ipython, "get_ipython", None)
    return None if find is None else find()


def _argv(kind: str, path: str | None) -> list[str]:
    if _standing_for:
        return list(_standing_for)
    if kind == "notebook":
        return []  # the kernel's own start, with a path of the user's home, starts nothing again
    processes: ModuleType | None = sys.modules.get("multiprocessing.process")
    if processes is not None and processes.parent_process() is not None and path is not None:
        # A worker was started by a line of multiprocessing or joblib that means nothing later: its parent's is it.
        module, _ = _main()
        return ["python", *(["-m", module] if module else [path]), *sys.argv[1:]]
    return ["python", *(sys.orig_argv[1:] or sys.argv)]


class _Places:
    """Folders that differ from machine to machine, and what stands for each of them in a record."""

    __slots__ = ("_stand_ins", "cwd", "root")

    def __init__(self, root: str) -> None:
        self.cwd = os.getcwd()
        self.root = root if root == self.cwd else os.path.realpath(root)
        # A relative path of the command line means: as seen from the working directory.
        here = "." if self.cwd == self.root or self.below(self.cwd) is None else os.path.relpath(self.root, self.cwd)
        stand_ins = {path: "<env>" for path in sys.path if path.endswith("-packages")}
        if sys.executable:  # an embedded interpreter has none
            stand_ins |= {os.path.dirname(sys.executable): "<bin>", sys.executable: "python"}
        stand_ins |= {root: here, self.root: here}
        self._stand_ins = [(path, stand_ins[path]) for path in sorted(stand_ins, key=len, reverse=True)]

    def below(self, path: str) -> str | None:
        """The path relative to the root, or None if it does not begin with it."""
        if path == self.root:
            return "."
        return path.removeprefix(f"{self.root}/") if path.startswith(f"{self.root}/") else None

    def portable(self, text: str) -> str:
        """The text with these folders replaced, the deepest first."""
        for path, stand_in in self._stand_ins:
            if path in text:
                text = _replaced(text, path, stand_in)
        return text


def _replaced(text: str, path: str, stand_in: str) -> str:
    """The text with a path replaced where it stands whole, not as a part of a longer name."""
    done, parts = 0, []
    start = text.find(path)
    while start != -1:
        end = start + len(path)
        if not _continues(text[max(start - 1, 0) : start], "_./~-") and not _goes_on(text[end : end + 2]):
            parts += [text[done:start], stand_in]
            done = end
        start = text.find(path, end)
    return "".join([*parts, text[done:]])


def _continues(character: str, others: str) -> bool:
    return character.isalnum() or (character != "" and character in others)


def _goes_on(after: str) -> bool:
    return _continues(after[:1], "_-") or (after[:1] == "." and _continues(after[1:], "_"))


def _left_absolute(what: str) -> dict[str, str]:
    # Without the path itself, which stands in the record's own field: this sentence goes into documents.
    why = "an absolute path, which another machine may not have"
    return gap(what, why, "keep it below the project and pass it relative to the working directory")
