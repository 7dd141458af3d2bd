"""Train real models on real data, compare them, choose one, write the documents, get the same again: `make demo`.

The question is whether a breast tumour is malignant. This script makes a project in the folder `demo/`, anew each time:
a git repository with an environment of its own, the script examples/tumours/train.py, and the SpecWeave increment
`0042-tumour-diagnosis`. A baseline, a few models, one of them with three seeds, a failed attempt and a search are
tracked there; the rest is what a team does with them.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import version
from pathlib import Path

import specweave_ml

EXAMPLES = Path(__file__).resolve().parent
DEMO = EXAMPLES.parent / "demo"
INCREMENT = "0042-tumour-diagnosis"
EXPERIMENTS = DEMO / ".specweave" / "increments" / INCREMENT / "experiments"
MODELS = DEMO / ".specweave/docs/internal/architecture/ml-models.md"
PYTHON = DEMO / ".venv" / "bin" / "python"
CHOSEN = "exp-002-logistic"


def make_project() -> None:
    """Make a repository of its own, even if this clone lies in another one."""
    if DEMO.exists():
        if not EXPERIMENTS.parent.is_dir():
            sys.exit(f"{DEMO} is not an earlier demo, so it stays as it is. Move it away and run this again.")
        shutil.rmtree(DEMO)
    (DEMO / ".specweave").mkdir(parents=True)
    shutil.copy(EXAMPLES / "tumours" / "train.py", DEMO)
    (DEMO / ".gitignore").write_text(".venv/\n")
    pinned = [f"{name}=={version(name)}\n" for name in ("matplotlib", "pandas", "scikit-learn")]
    (DEMO / "requirements.txt").write_text("".join(pinned))
    git("init", "--quiet")
    git("remote", "add", "origin", "https://github.com/octocat/shop-1.git")


def make_environment() -> None:
    """The project's own packages, as on a colleague's machine."""
    say("installing the project's packages into demo/.venv")
    venv.create(DEMO / ".venv", with_pip=True)
    source = Path(specweave_ml.__file__).parents[2]
    install = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "-r", "requirements.txt", str(source)], cwd=DEMO, check=True)


def git(*arguments: str) -> None:
    """Run git in the project as somebody."""
    identity = ("-c", "user.name=Ana", "-c", "user.email=ana@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *arguments], cwd=DEMO, check=True)  # noqa: S607 - as a person would


def commit(message: str) -> None:
    """Commit what is there."""
    git("add", "--all")
    git("commit", "--quiet", "--message", message)


def train(*models: str) -> None:
    """Run the project's script, in the project's environment, once a model."""
    for model in models:
        say(f"$ python train.py {model}")
        subprocess.run([PYTHON, "train.py", model], cwd=DEMO, check=True)


def run_command(*arguments: str, **environment: str) -> None:
    """Run specweave-ml and show what it was and what it says, as in a person's terminal."""
    say(f"$ specweave-ml {shlex.join(arguments)}")
    command = [sys.executable, "-m", "specweave_ml", *arguments]
    subprocess.run(command, cwd=DEMO, check=True, env={**os.environ, **environment})


def say(line: str) -> None:
    """What happens next."""
    print(f"\n{line}", flush=True)


def edit_as_a_person_would() -> list[str]:
    """Write into a generated part of ml-models.md, and above it; the lines that were written."""
    text = MODELS.read_text(encoding="utf-8")
    old = next(line for line in text.splitlines() if line.startswith("- exp-003-gradient-boosting"))
    new = f"{old}, which the clinic knows"
    said = "Read by the clinic: they ask for the recall first."
    begin = next(line for line in text.splitlines() if line.startswith("<!-- specweave:begin"))
    MODELS.write_text(text.replace(old, new).replace(begin, f"{said}\n\n{begin}"), encoding="utf-8")
    return [new, said]


def show_that_they_are_there(lines: list[str]) -> None:
    """Look for a person's lines in the document, and end in failure if one was lost."""
    standing = MODELS.read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line not in standing:
            sys.exit(f"lost by the sync: {line}")
        print(f"  still in line {standing.index(line) + 1}: {line}", flush=True)


def search() -> None:
    """Look for better params, and show which of them matter."""
    train("search")
    folder = EXPERIMENTS / "exp-007-boosting-search"
    say(f"{(folder / 'importance.md').relative_to(DEMO.parent)} (its picture: importance.svg):\n")
    print((folder / "importance.md").read_text(encoding="utf-8"), flush=True)


def ask_for_a_retraining() -> None:
    """Open an issue on an emulator of GitHub where npm can install it; else show what would be sent."""
    title = "Retrain with patients of Q1 2024"
    tools = EXAMPLES.parent / "tests"
    if not (shutil.which("node") and shutil.which("npm") and tools.is_dir()):
        run_command("create-issue", title, "--increment", "0042", "--dry-run")
        return
    sys.path.insert(0, str(tools))
    from github_server import TOKEN, github

    with tempfile.TemporaryDirectory() as folder, github(Path(folder)) as hub:
        repository = hub.repository()
        run_command("create-issue", title, "--increment", "0042", GITHUB_API_URL=hub.url, GH_TOKEN=TOKEN)
        (issue,) = hub.issues(repository)
        say(f"issue #{issue['number']} of {repository}, on the emulator:\n\n{issue['body']}")


def main() -> None:
    """Train, compare, choose, bring the documents up to date three times, and get the chosen model again."""
    make_project()
    make_environment()
    run_command("init", INCREMENT)
    commit("A script that trains models")
    train("baseline", "linear", "boosting", "neural-net", "missing-values")
    run_command("list", "0042")
    run_command("compare", "0042")

    reason = "as good as the best on these folds, and doctors can read its weights"
    run_command("select", "0042", CHOSEN, "--because", reason, "--by", "Ana")
    run_command("sync-docs", "update", "0042")
    say(f"{MODELS.relative_to(DEMO.parent)}:\n\n{MODELS.read_text(encoding='utf-8')}")

    say("the same again changes nothing, and a check in CI passes")
    run_command("sync-docs", "update", "0042")
    run_command("sync-docs", "update", "0042", "--check")

    say("a person edits ml-models.md, and more experiments come in")
    lines = edit_as_a_person_would()
    train("forest")
    search()
    run_command("sync-docs", "update", "0042")
    show_that_they_are_there(lines)
    commit("Experiments, and what we learned from them")

    say("three months later: the chosen model once more, in a new environment with the packages of then")
    run_command("reproduce", CHOSEN, "--env", "locked", "--yes")
    ask_for_a_retraining()

    say("the documents:")
    found = [*(DEMO / ".specweave/docs").rglob("*.md"), *(DEMO / ".specweave/increments").rglob("*.md")]
    for document in found:
        print(f"  {document.relative_to(DEMO.parent)}")


if __name__ == "__main__":
    main()
