"""A virtual environment for each peer, made when first asked for, below the git-ignored `.bench/`."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.measure import REPOSITORY, Contender, MeasurementError, last_line

VENVS = REPOSITORY / ".bench" / "venvs"
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
# Whatever would leave this machine goes to a port where nothing listens.
NO_NETWORK = dict.fromkeys(PROXIES, "http://127.0.0.1:9") | {"NO_PROXY": "localhost,127.0.0.1", "DO_NOT_TRACK": "1"}


@dataclass(frozen=True, slots=True)
class Peer:
    """Another tracker: what pip installs (with what its own integrations need), and what keeps it local."""

    name: str
    requirement: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def install(self) -> Contender:
        """The peer, ready to be measured; made once, then found again.

        Raises:
            MeasurementError: it cannot be installed here.
        """
        python = VENVS / self.name / "bin" / "python"
        if not python.exists():
            print(f"installing {self.requirement} below {VENVS} ...", file=sys.stderr)
            run([sys.executable, "-m", "venv", str(VENVS / self.name)])
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*install, *self.requirement.split()])
        version = run([str(python), "-c", f"from importlib.metadata import version; print(version({self.name!r}))"])
        return Contender(
            f"{self.name} {version.strip()}",
            f"benchmarks.peers.{self.name}",
            str(python),
            {**NO_NETWORK, **self.environment},
            grace=5.0,
        )


PEERS = {
    peer.name: peer
    for peer in (
        Peer("mlflow", "mlflow>=3.17 xgboost-cpu>=3", {"MLFLOW_DISABLE_TELEMETRY": "true"}),
        Peer("trackio", "trackio>=0.43", {"TRACKIO_DIR": "trackio", "HF_HUB_OFFLINE": "1"}),
        Peer("wandb", "wandb>=0.31", {"WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false"}),
    )
}


def run(command: list[str]) -> str:
    """The output of a set-up command, or a `MeasurementError` with its last line."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"cannot be installed: {last_line(done.stderr)}"
        raise MeasurementError(message)
    return done.stdout
