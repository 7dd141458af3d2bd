"""S10: tokens said to an experiment through every channel; not twelve characters of one may stand in the store."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faults.driving import in_fresh_process, proved
from tracked import wait_for_the_capture

EXPERIMENTS = Path(".specweave/increments/0042-recommendation-model/experiments")
WINDOW = 12


def body(seed: str, length: int, alphabet: str = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789") -> str:
    """Characters that look random and are the same in every run."""
    digest = b"".join(hashlib.sha256(f"{seed}{part}".encode()).digest() for part in range(length // 32 + 1))
    return "".join(alphabet[byte % len(alphabet)] for byte in digest[:length])


HEX = "0123456789abcdef"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
# Beginnings are put together here, so that no scanner takes this file for a leak.
PLAIN = {
    "GitHub personal": ("gh" + "p_", 36),
    "GitHub OAuth": ("gh" + "o_", 36),
    "GitHub server": ("gh" + "s_", 36),
    "GitHub refresh": ("gh" + "r_", 76),
    "GitHub fine-grained": ("github" + "_pat_", 82),
    "GitLab": ("gl" + "pat-", 20),
    "GitLab runner": ("gl" + "rt-", 20),
    "Atlassian": ("ATA" + "TT3", 60),
    "Docker": ("dckr" + "_pat_", 27),
    "PyPI": ("pypi" + "-AgEIcHlwaS5vcmc", 60),
    "Slack bot": ("xox" + "b-", 40),
    "Slack user": ("xox" + "p-", 40),
    "Slack app": ("xa" + "pp-", 40),
    "Stripe live": ("sk" + "_live_", 24),
    "Stripe test": ("sk" + "_test_", 24),
    "Stripe restricted": ("rk" + "_live_", 24),
    "DigitalOcean": ("dop" + "_v1_", 64),
    "Shopify": ("shp" + "at_", 32),
    "Sentry": ("sntr" + "ys_", 60),
    "Grafana": ("gl" + "sa_", 41),
    "Linear": ("lin" + "_api_", 40),
    "Figma": ("fig" + "d_", 40),
    "Vault": ("hv" + "s.", 90),
    "Google OAuth secret": ("GOC" + "SPX-", 28),
    "Google OAuth access": ("ya" + "29.", 60),
    "Google API": ("AI" + "za", 35),
    "OpenAI": ("sk" + "-", 48),
    "OpenAI project": ("sk" + "-proj-", 60),
    "Anthropic": ("sk" + "-ant-api03-", 80),
    "OpenRouter": ("sk" + "-or-v1-", 64),
    "xAI": ("xa" + "i-", 80),
    "Perplexity": ("pp" + "lx-", 48),
    "Groq": ("gs" + "k_", 52),
    "Hugging Face": ("h" + "f_", 34),
    "npm": ("np" + "m_", 36),
    "Replicate": ("r" + "8_", 37),
}


def tokens() -> dict[str, str]:
    """Forty fake tokens by their makers."""
    made = {maker: beginning + body(maker, length) for maker, (beginning, length) in PLAIN.items()}
    made["AWS"] = "AK" + "IA" + body("AWS", 16, UPPER)
    made["Databricks"] = "da" + "pi" + body("Databricks", 32, HEX)
    made["SendGrid"] = "S" + "G." + body("SendGrid", 22) + "." + body("SendGrid 2", 43)
    made["JSON web token"] = "ey" + "J" + body("head", 30) + ".ey" + "J" + body("payload", 80) + "." + body("sign", 43)
    return made


def leaked(token: str, data: bytes) -> bool:
    """Whether any twelve characters of the token's secret part stand in the data."""
    secret = token[8:]
    return any(secret[start : start + WINDOW].encode() in data for start in range(len(secret) - WINDOW + 1))


def stored() -> bytes:
    """Every byte under experiments/, the names of files included."""
    wait_for_the_capture()
    files = [path for path in EXPERIMENTS.rglob("*") if path.is_file()]
    return b"\n".join([*(str(path).encode() for path in files), *(path.read_bytes() for path in files)])


class Client:
    """An object whose repr tells too much, as those of many libraries do."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __repr__(self) -> str:
        return f"Client(url='https://example.com', credential={self.token!r}, retries=3)"


class LongClient(Client):
    """One whose repr is cut off; wherever the cut falls, nothing of the token may stand before it."""

    def __repr__(self) -> str:
        return "x" * (1_985 - len("Client()")) + f"Client({self.token})"


CHANNELS: dict[str, Callable[[Any, str], object]] = {
    "param": lambda exp, token: exp.log_param("model", token),
    "param in a sentence": lambda exp, token: exp.log_param("command", f"curl -H 'X: {token}' https://example.com"),
    "nested param": lambda exp, token: exp.log_param(
        "config", {"a": [{"b": (token,)}], "c": {"headers": {"x": token}}}
    ),
    "param's repr": lambda exp, token: exp.log_param("client", Client(token)),
    "param's repr, cut off": lambda exp, token: exp.log_param("client", LongClient(token)),
    "object inside a param": lambda exp, token: exp.log_params({"steps": [("client", Client(token))]}),
    "param in a URL": lambda exp, token: exp.log_param("tracking_uri", f"https://user:{token}@example.com/path"),
    "param in a query": lambda exp, token: exp.log_param("url", f"https://example.com/x?api_key={token}&n=1"),
    "tag": lambda exp, token: exp.add_tag(token),
    "note": lambda exp, token: exp.log_note(f"it failed with {token}, try again"),
    "note with a header": lambda exp, token: exp.log_note(f"Authorization: Bearer {token}"),
    "note with a variable": lambda exp, token: exp.log_note(f"export SERVICE_API_KEY={token}"),
    "dataset uri": lambda exp, token: exp.log_dataset("train", f"postgresql://user:{token}@db.example.com/train"),
    "dataset connection": lambda exp, token: exp.log_dataset("train", f"Driver=x;Server=db;UID=sa;PWD={token}"),
    "dataset path": lambda exp, token: exp.log_dataset("train", f"data/{token}/train.csv"),
    "dataset name": lambda exp, token: exp.log_dataset(token, "s3://bucket/data", version=token),
}


def say_all(channel: str) -> list[str]:
    """Say every token through one channel; those of which something was kept."""
    from specweave_ml.tracking import track_experiment

    with track_experiment("kept") as experiment:
        for token in tokens().values():
            CHANNELS[channel](experiment, token)
    data = stored()
    return [maker for maker, token in tokens().items() if leaked(token, data)]


@pytest.mark.parametrize("channel", CHANNELS)
def test_no_token_is_kept_from_what_is_logged(project: Path, channel: str) -> None:
    """40 tokens × 16 channels = 640."""
    assert in_fresh_process(say_all, channel, at=project) == []
    proved(f"tokens said by {channel} were kept", 40)


STARTS: dict[str, Callable[[Any, str], Any]] = {
    "description": lambda track, token: track("kept", description=f"with {token}"),
    "tags": lambda track, token: track("kept", tags=[token, f"key={token}"]),
    "repeat_of": lambda track, token: track("kept", repeat_of=token),
    "name": lambda track, token: track(f"with {token}"),
    "plain name": lambda track, token: track(token),
    "author": lambda track, token: track(metadata(author=f"someone <{token}>")),
    "data_version": lambda track, token: track(metadata(data_version=token)),
    "git_commit": lambda track, token: track(metadata(git_commit=token)),
}


def metadata(**said: str) -> Any:
    from specweave_ml.record import ExperimentMetadata

    return ExperimentMetadata("kept", **said)


def start_all(channel: str) -> list[str]:
    from specweave_ml.tracking import track_experiment

    for token in tokens().values():
        STARTS[channel](track_experiment, token).finish()
    data = stored()
    return [maker for maker, token in tokens().items() if leaked(token, data)]


@pytest.mark.parametrize("channel", STARTS)
def test_no_token_is_kept_from_how_an_experiment_is_started(project: Path, channel: str) -> None:
    """40 tokens × 8 channels = 320."""
    assert in_fresh_process(start_all, channel, at=project) == []
    proved(f"tokens said by {channel} were kept", 40)


def fail(kind: str, token: str) -> None:
    if kind == "message":
        raise ValueError(f"401 for {token}")
    if kind == "cause":
        try:
            raise KeyError(token)
        except KeyError as error:
            raise RuntimeError("could not log in") from error
    if kind == "URL in a message":
        raise ConnectionError(f"cannot reach https://user:{token}@example.com/x")
    if kind == "note of an exception":
        refused = ValueError("refused")
        refused.add_note(f"token was {token}")
        raise refused
    exec(compile(f"log_in({token!r})", os.path.abspath("train.py"), "exec"), {"log_in": refuse})  # noqa: S102


def refuse(_token: str) -> None:
    raise PermissionError("refused")


def fail_all(kind: str) -> list[str]:
    """Experiments that fail with a token in the message, the chain, or the line of source that the traceback shows."""
    from specweave_ml.tracking import track_experiment

    for token in tokens().values():
        Path("train.py").write_text(f"log_in({token!r})\n")
        try:
            with track_experiment("kept"):
                fail(kind, token)
        except (ValueError, RuntimeError, OSError):
            continue
    data = stored()
    if b"traceback" not in data:
        return ["no traceback was kept"]
    return [maker for maker, token in tokens().items() if leaked(token, data)]


@pytest.mark.parametrize("kind", ["message", "cause", "URL in a message", "note of an exception", "line of source"])
def test_no_token_is_kept_from_a_failure(project: Path, kind: str) -> None:
    """40 tokens × 5 ways to fail = 200."""
    assert in_fresh_process(fail_all, kind, at=project) == []
    proved(f"tokens in the {kind} were kept", 40)


SCRIPT = """
from specweave_ml.tracking import track_experiment
with track_experiment("kept") as experiment:
    experiment.log_metric("auc", 0.5)
"""


def run_scripts() -> list[str]:
    """Scripts started with a token in their arguments, their environment and the address of the repository."""
    Path("train.py").write_text(SCRIPT)
    git("init", "--quiet")
    git("remote", "add", "origin", "https://example.com/x.git")
    found = []
    for maker, token in tokens().items():
        git("remote", "set-url", "origin", f"https://user:{token}@example.com/x.git")
        arguments = [
            "--api-key",
            token,
            f"--auth-token={token}",
            f"db.password={token}",
            token,
            f"url=https://u:{token}@h/x",
        ]
        names = ("WANDB_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "MY_SETTING", "PYTHONWARNINGS_X", "CUDA_SECRET")
        environment = {**os.environ, **dict.fromkeys(names, token)}
        subprocess.run([sys.executable, "train.py", *arguments], check=True, env=environment)
        if leaked(token, stored()):
            found.append(maker)
    return found


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True)


def test_no_token_is_kept_from_arguments_environment_and_remote(project: Path) -> None:
    """40 tokens × 5 arguments, 6 variables and a remote = 480."""
    assert in_fresh_process(run_scripts, at=project) == []
    proved("tokens in argv, env or remote were kept", 40 * 12)


CHANGED = ("train.py", "config/settings.yaml", "notes.json", "tool.sh")


def run_changed() -> list[str]:
    """`run` in a repository whose changed and whose new files hold a token, as do its output, name and metrics."""
    for file in CHANGED:
        Path(file).parent.mkdir(exist_ok=True)
    Path("train.py").write_text("import sys\nprint(sys.argv[1:])\n")
    git("init", "--quiet")
    git("add", "train.py")
    git("-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", "first")
    found = []
    for maker, token in tokens().items():
        Path("train.py").write_text(f'import sys\nclient = connect("{token}")\n' if maker else "")
        Path("config/settings.yaml").write_text(f"api_key: {token}\nlr: 0.1\n")
        Path("notes.json").write_text(f'{{"headers": {{"Authorization": "Bearer {token}"}}}}')
        Path("tool.sh").write_text(f"#!/bin/sh\nexport WANDB_API_KEY={token}\n")
        command = [sys.executable, "-m", "specweave_ml", "run", "--metrics", "-", "--", "sh", "-c"]
        subprocess.run([*command, f"echo password={token}", token], check=True, capture_output=True)
        if leaked(token, stored()):
            found.append(maker)
    return found


def test_no_token_is_kept_from_changed_code_and_output(project: Path) -> None:
    """40 tokens × 4 changed files, the output and an argument = 240."""
    assert in_fresh_process(run_changed, at=project) == []
    proved("tokens in changed files, new files, output or arguments were kept", 40 * 6)


NAMED = (
    "password db.password DB_PASSWORD passwd secret client_secret api_key apiKey API-KEY openai_api_key aws_secret_access_key "
    "auth_token access_token refresh_token token private_key ssh_key credentials storage_key pwd"
).split()
HARMLESS = {
    "num_tokens": 512,
    "max_tokens": "512",
    "cls_token": "[CLS]",
    "eos_token": "</s>",
    "tokenizer": "bert-base-uncased",
    "key_dim": 64,
    "sort_key": "date",
    "commit": "a3b8c9d4e5f60718293a4b5c6d7e8f9012345678",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "run_id": "550e8400-e29b-41d4-a716-446655440000",
    "password_length": 12,
    "python_version": sys.version,
    "data_url": "s3://bucket/data/v2024-01",
    "data_commit": "dvc:a3b8c9d",
}


def say_named() -> dict[str, Any]:
    from specweave_ml.store.load import load_experiment
    from specweave_ml.tracking import track_experiment

    leaks = []
    for name in NAMED:
        secret = body(name, 24)  # nothing in its looks tells whose it is
        with track_experiment("named") as experiment:
            experiment.log_param(name, secret)
            experiment.log_param("nested", {name: secret})
            experiment.log_param("list", [{"x": {name: secret}}])
            experiment.log_note(f"{name}={secret}")
        leaks += [name] if secret.encode() in stored() else []
    with track_experiment("harmless") as experiment:
        experiment.log_params(HARMLESS)
    kept = load_experiment("harmless").params
    return {
        "leaked": leaks,
        "hidden for nothing": [name for name, value in HARMLESS.items() if kept[name] != value],
    }


def test_names_decide_where_values_say_nothing(project: Path) -> None:
    """20 secret names in 4 places; 14 names of machine learning that only sound like it."""
    assert in_fresh_process(say_named, at=project) == {"leaked": [], "hidden for nothing": []}
    proved("secrets were kept under a name that tells", len(NAMED) * 4)
