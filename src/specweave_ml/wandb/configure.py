"""Where W&B shall write, said by its own documented variables: nothing of it is replaced or imported."""

from __future__ import annotations

import configparser
import netrc
import os
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from urllib.parse import urlsplit

from specweave_ml.errors import MissingDependency, complain
from specweave_ml.project import find_increment
from specweave_ml.store.layout import refuse_link
from specweave_ml.store.owner import unwritable
from specweave_ml.store.replace import replace_file
from specweave_ml.tracking.start import is_disabled
from specweave_ml.wandb.source import home_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from specweave_ml.project import Increment

TESTED = ((0, 18), (0, 31))
"""The first and the last version of wandb whose logs were read in tests."""


def configure_wandb(increment: str | os.PathLike[str] | None = None) -> None:
    """Let W&B write into an increment: its project is the increment, its files lie in the increment's folder.

    It sets WANDB_PROJECT, WANDB_DIR, WANDB_DATA_DIR and WANDB_CACHE_DIR for this process and those it starts, and
    WANDB_MODE=offline where neither a mode nor a key is set, so that nobody is asked to log in. Runs become
    experiments when `specweave-ml list`, `compare`, `sync-docs` or `pull` is called.

    Args:
        increment: which one, as everywhere; default: the active one.

    Raises:
        MissingDependency: wandb is not installed.
        NotFound: no project, or no such increment.
        StoreError: the folder cannot be made.
    """
    check_installation()
    if not is_disabled():
        configured(find_increment(increment))


def configured(increment: Increment) -> str:
    """Set the variables for an increment that was found; returns the folder."""
    home = _made(increment)
    os.environ |= {
        "WANDB_PROJECT": increment.name,
        "WANDB_DIR": home,
        "WANDB_DATA_DIR": f"{home}/data",
        "WANDB_CACHE_DIR": f"{home}/cache",
    }
    settings = _settings()
    server = os.environ.get("WANDB_BASE_URL") or settings.get("base_url") or "https://api.wandb.ai"
    if not (os.environ.get("WANDB_MODE") or settings.get("mode") or _has_key(urlsplit(server).netloc)):
        os.environ["WANDB_MODE"] = "offline"
    return home


@cache
def check_installation() -> None:
    """Make sure that wandb can be imported; a version that no test has seen is said, and tried.

    Raises:
        MissingDependency: it cannot.
    """
    spec = find_spec("wandb")
    if spec is None or spec.origin is None:  # a folder `wandb/` with data is a package without an origin
        raise MissingDependency("wandb is not installed", next_step='pip install "specweave-ml[wandb]"')
    try:
        installed = version("wandb")
    except PackageNotFoundError:
        return
    first, last = (".".join(map(str, each)) for each in TESTED)
    numbers = tuple(int(part) for part in installed.split(".")[:2] if part.isdigit())
    if not TESTED[0] <= numbers <= TESTED[1]:
        complain(f"wandb {installed} is outside the tested versions, {first} to {last}; it is tried all the same")


def _made(increment: Increment) -> str:
    """The folder, made and kept out of git: a log may hold what nobody wants committed."""
    home = home_of(increment)
    refuse_link(increment.experiments, "the experiments folder")
    refuse_link(home, "W&B's folder in it")
    try:
        os.makedirs(home, 0o755, exist_ok=True)
        replace_file(f"{home}/.gitignore", b"*\n", sync=False)
    except OSError as error:
        raise unwritable(home, error) from error
    return home


def _has_key(host: str) -> bool:
    """Whether W&B would find a key: in a variable, or for its host in .netrc, of which nothing is kept."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    try:
        return netrc.netrc(os.path.expanduser(os.environ.get("NETRC") or "~/.netrc")).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False


def _settings() -> dict[str, str]:
    """What `wandb offline`, `wandb login --host` and the like have left in W&B's settings files."""
    parser = configparser.ConfigParser(interpolation=None)
    folders = os.path.expanduser(os.environ.get("WANDB_CONFIG_DIR") or "~/.config/wandb"), "wandb"
    try:
        parser.read([f"{folder}/settings" for folder in folders])
    except (configparser.Error, ValueError):
        return {}
    return dict(parser["default"]) if "default" in parser else {}
