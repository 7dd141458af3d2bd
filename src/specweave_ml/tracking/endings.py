"""How a process ends, and what the record says of it.

the block ends                  finished, or the status that was said before
an exception                    failed, with type, message and traceback; raised again
KeyboardInterrupt, SIGTERM      killed
SystemExit                      finished for 0 or None, else failed
the script ends without finish  finished, with "exit code not seen" among what is missing
the process is killed           nothing is written: readers find the lock gone and say `stale`
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading

from specweave_ml import provenance
from specweave_ml.errors import complain
from specweave_ml.provenance.command import notebook_cells
from specweave_ml.redact import redact_text
from specweave_ml.tracking import capture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType, ModuleType, TracebackType
    from typing import Any

    from specweave_ml.tracking.handle import TrackedExperiment

_open: dict[int, TrackedExperiment] = {}
_touched: dict[tuple[str, str], None] = {}
_terminated: set[int] = set()
_hooks: dict[str, str] = {}
_installed = False


def register(name: str, target: str) -> None:
    """Say which `module:function` serves a hook (`refresh`, `report`, `html`).

    Tracking never imports what makes documents; whoever puts the package together names it here.
    """
    _hooks[name] = target


def call(name: str, *arguments: Any) -> Any:
    """Call a registered hook, importing its module now."""
    from importlib import import_module

    module, _, function = _hooks[name].partition(":")
    return getattr(import_module(module), function)(*arguments)


def watch(handle: TrackedExperiment) -> None:
    """Close this handle if the process ends before its caller did."""
    _install()
    _open[id(handle)] = handle
    _touched[(handle._root, handle.increment)] = None
    _catch_termination()


def end(handle: TrackedExperiment, status: str | None, *, error: dict[str, Any] | None = None) -> None:
    """End a handle once."""
    if id(handle) in _terminated:
        status, error = "killed", None
    cells = notebook_cells()
    if cells:
        handle._with_files(lambda files: files.save_cells(handle._writer, cells, handle._root))
    handle._writer.close(status, error=error)
    capture.hurry()
    _open.pop(id(handle), None)
    _terminated.discard(id(handle))
    _release_termination()


def tell(handle: TrackedExperiment, **facts: Any) -> None:
    """Further keys of metadata.yaml, which whoever runs the program knows and the program does not."""
    handle._writer.append({"set": facts})


def end_by(handle: TrackedExperiment, error: BaseException | None) -> None:
    """End a handle by the exception that leaves its block (None: none does)."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        end(handle, None)
    elif isinstance(error, KeyboardInterrupt):
        end(handle, "killed")
    else:
        end(handle, "failed", error=_described(error, handle._root))


def _described(error: BaseException, root: str) -> dict[str, Any]:
    import traceback

    try:
        message = str(error)
        trace = "".join(traceback.format_exception(error, limit=-40))
    except Exception as odd:  # noqa: BLE001 - a stranger's __str__ may raise; theirs is the one to tell of
        message = trace = f"<its message could not be made: {type(odd).__name__}>"
    return {
        "type": type(error).__name__,
        "message": _clean(message, root)[:2_000],
        "traceback": _clean(trace, root)[-20_000:],
    }


def briefly(error: BaseException | Mapping[str, str] | str, root: str) -> dict[str, str]:
    """Type and message of what ended a part of an experiment, such as a trial."""
    if isinstance(error, BaseException):
        described = _described(error, root)
        return {"type": described["type"], "message": described["message"]}
    said = {"message": error} if isinstance(error, str) else error
    return {key: _clean(str(text), root)[:2_000] for key, text in said.items()}


def _clean(text: str, root: str) -> str:
    """No secret, and no path that only this machine has."""
    text = provenance.portable(text, root)
    others = [(sys.base_prefix, "<python>"), (os.path.expanduser("~"), "~")]
    others += [(folder, "<path>") for folder in sorted(sys.path, key=len, reverse=True)]
    for folder, stand_in in others:
        if len(folder) > 1:
            text = text.replace(folder + "/", stand_in + "/")
    return redact_text(text)


def _install() -> None:
    global _installed  # noqa: PLW0603 - the process has one set of hooks
    if _installed:
        return
    _installed = True
    # Twice: a signal that came while no Python code ran strikes at the first line of the first call, and ends that.
    atexit.register(_at_exit)
    atexit.register(_at_exit)
    os.register_at_fork(after_in_child=_in_child)
    previous = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        for handle in list(_open.values()):
            end_by(handle, error)
        previous(kind, error, trace)

    sys.excepthook = hook


def _at_exit() -> None:
    # A signal now only hurries a process that ends anyway: it must not keep an experiment from its end.
    try:
        capture.wait()
        digests: ModuleType | None = sys.modules.get("specweave_ml.tracking.digests")
        if digests is not None:
            digests.wait()
    except (KeyboardInterrupt, SystemExit):
        _terminated.update(_open)
    for handle in list(_open.values()):
        try:
            _say_exit_code_unseen(handle)
            end(handle, None)
        except (KeyboardInterrupt, SystemExit):
            end(handle, "killed")
    for root, increment in _touched:
        _refresh(root, increment)


def _say_exit_code_unseen(handle: TrackedExperiment) -> None:
    if id(handle) in _terminated:
        return
    recorded = dict(handle._writer.state.sets.get("capture") or {})
    missing = {
        "what": "exit code",
        "why": "exit code not seen: the script ended without finish()",
        "mend": "use a with block, or call finish() at the end",
    }
    recorded["missing"] = [*recorded.get("missing", ()), missing]
    handle._writer.append({"set": {"capture": recorded}})


def _refresh(root: str, increment: str) -> None:
    if "refresh" not in _hooks:
        return
    try:
        call("refresh", root, increment)
    except Exception as error:  # noqa: BLE001 - a document that cannot be made must not turn a good exit into a bad one
        why = getattr(error, "what", error)
        complain(f"comparison.md of {increment} was not refreshed: {why}; next: specweave-ml compare {increment}")


def _in_child() -> None:
    """A forked child ends nothing, and must die of a SIGTERM as it would without us."""
    _open.clear()
    _touched.clear()
    _terminated.clear()
    if signal.getsignal(signal.SIGTERM) is _on_termination:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _catch_termination() -> None:
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _on_termination)


def _release_termination() -> None:
    if (
        not _open
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is _on_termination
    ):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _on_termination(number: int, _frame: FrameType | None) -> None:
    _terminated.update(_open)
    raise SystemExit(128 + number)
