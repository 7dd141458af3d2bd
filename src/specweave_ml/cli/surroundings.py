"""What stands around the experiments: hints in SpecWeave's files, plugins of one name, frameworks and trackers.

Nothing here is a reason not to close an increment. Where something could be done, the check is well all the same, and
says what.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from specweave_ml.cli.checks import Check, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 1 << 20  # bytes of a file of settings
_OURS = "specweave@specweave-ml"
_OF_THE_NAME = "specweave@"


def of_surroundings(root: str) -> Iterator[Check]:
    """The checks that need no increment."""
    yield from _hints(root)
    yield from _plugins(root)
    yield _tools(root)


def _hints(root: str) -> Iterator[Check]:
    """Whether SpecWeave is still told of the experiments; its own update may have made the files anew, without us."""
    from specweave_ml.lifecycle import is_of_specweave
    from specweave_ml.project import list_increments
    from specweave_ml.scaffold.hints import plan_hints, specweave_documents

    if not is_of_specweave(root, [each.path for each in list_increments(root)]):
        return
    changes = plan_hints(root, specweave_documents()).changes
    missing, deleted, other = [], [], []
    for change in changes:
        outcomes = {region.outcome for region in change.regions}
        name = os.path.basename(change.path)
        if change.action == "conflict":
            other.append(f"{name}: {change.why}")
        elif "opted_out" in outcomes:
            deleted.append(name)
        elif change.action != "unchanged":
            missing.append(name)
    said = [f"deleted from {listed(deleted)}"] if deleted else []
    said += [f"missing or outdated in {listed(missing)}"] if missing else []
    said += [f"no place in {listed(other)}"] if other else []
    restore = " --restore" if deleted else ""
    mend = f"specweave-ml init{restore} --dry-run shows what it would write" if deleted or missing else None
    yield Check("hints", ok=True, why="; ".join(said) or f"in all {len(changes)} files for SpecWeave", next=mend)


def _plugins(root: str) -> Iterator[Check]:
    """Whether a plugin of SpecWeave 0.x stands beside ours of the same name: their commands would be each other's."""
    home = os.environ.get("CLAUDE_CONFIG_DIR") or os.path.expanduser("~/.claude")
    settings = (f"{root}/.claude/settings.json", f"{root}/.claude/settings.local.json", f"{home}/settings.json")
    enabled = {name for path in settings for name, is_on in _table(path, "enabledPlugins").items() if is_on}
    names = {*enabled, *_table(f"{home}/plugins/installed_plugins.json", "plugins")}
    theirs = sorted(name for name in names if name.startswith(_OF_THE_NAME) and name != _OURS)
    if not theirs:
        return
    why = f"{theirs[0]} has the commands /specweave:sync-docs and /specweave:github:create-issue"
    if _OURS in names:
        yield Check("plugins", ok=True, why=f"{why}, and so has {_OURS}", next=f"claude plugin uninstall {_OURS}")
    else:
        yield Check("plugins", ok=True, why=f"{why}: do not install {_OURS} beside it")


def _tools(root: str) -> Check:
    from specweave_ml.cli.setup import described
    from specweave_ml.detection import detect

    found = [f"{tool.name} ({described(tool)})" for tool in detect(root)]
    return Check("tools", ok=True, why=listed(found) if found else "the project names no framework and no tracker")


def _table(path: str, key: str) -> dict[str, object]:
    """A key of a JSON file of settings; what is not there, or not understood, says nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            value = json.loads(file.read(_LONGEST))[key]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return {}
    return value if isinstance(value, dict) else {}
