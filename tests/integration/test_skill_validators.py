"""What others say of the skill: each validator, on a clean copy made by `skill install`, and on the plugins.

The two that are large are marked slow: `make validate-skill` runs them, too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from command_line import EXPERIMENTS
from npm import npm_package, pypi_package
from specweave_ml.skill import apply_installation, plan_installation

ROOT = Path(__file__).parents[2]
PLUGIN = (".claude-plugin", "SKILL.md", "commands", "hooks", "plugins", "references", "scripts")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    plan = plan_installation("claude", start=str(tmp_path))
    apply_installation(plan)
    return Path(plan.folder)


def run(*command: object, home: Path) -> subprocess.CompletedProcess[str]:
    quiet = {"HOME": str(home), "DISABLE_TELEMETRY": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    return subprocess.run(
        [str(word) for word in command],
        cwd=home,
        env={**os.environ, **quiet},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_skills_ref_of_pypi(copy: Path, tmp_path: Path) -> None:
    done = run(pypi_package("skills-ref", "0.1.1") / "agentskills", "validate", copy, home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_skills_ref_of_npm(copy: Path, tmp_path: Path) -> None:
    program = npm_package("skills-ref", "0.1.5") / "node_modules" / ".bin" / "skills-ref"
    done = run(program, "validate", copy, home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("target", ["generic", "claude-code", "cursor", "codex"])
def test_agnix(copy: Path, tmp_path: Path, target: str) -> None:
    done = run(pypi_package("agnix", "0.59.3") / "agnix", "--strict", "--target", target, copy, home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_agnix_on_the_plugins(tmp_path: Path) -> None:
    done = run(pypi_package("agnix", "0.59.3") / "agnix", "--strict", _plugin(tmp_path), home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_skill_scanner_of_cisco(copy: Path, tmp_path: Path) -> None:
    program = pypi_package("cisco-ai-skill-scanner", "2.3.2") / "skill-scanner"
    done = run(program, "scan", copy, "--use-behavioral", "--format", "json", home=tmp_path)
    said = json.loads(done.stdout[done.stdout.index("{") :])
    assert (said["is_safe"], said["findings"]) == (True, [])


@pytest.fixture
def claude() -> Path:
    (program,) = npm_package("@anthropic-ai/claude-code", "2.1.197").glob("node_modules/@anthropic-ai/*/claude")
    return program


@pytest.mark.slow
def test_claude_plugin_validate(claude: Path, tmp_path: Path) -> None:
    plugin = _plugin(tmp_path)
    for path in (plugin, plugin / ".claude-plugin" / "plugin.json", plugin / "plugins" / "specweave"):
        done = run(claude, "plugin", "validate", "--strict", path, home=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_claude_starts_with_the_skill_the_commands_and_the_hook(claude: Path, tmp_path: Path, project: Path) -> None:
    (project / EXPERIMENTS / "exp-001").mkdir(parents=True)
    (project / EXPERIMENTS / "exp-001" / "journal.jsonl").touch()
    plugin = _plugin(tmp_path)
    options = ["-p", "hello", "--output-format", "stream-json", "--verbose", "--include-hook-events"]
    nobody = {"ANTHROPIC_API_KEY": "none", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}  # it starts, and asks no model
    command = [claude, "--plugin-dir", plugin, "--plugin-dir", plugin / "plugins" / "specweave", *options]
    said = {}
    with subprocess.Popen(
        [str(word) for word in command],
        cwd=project,
        env={**os.environ, "HOME": str(tmp_path), **nobody},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as process:
        for line in process.stdout:
            event = json.loads(line)
            said[event["subtype"]] = event
            if event["subtype"] == "init":
                break
        process.kill()
    assert said["hook_response"]["stdout"] == "Increment 0042: 1 experiment\n"
    assert {
        "ml:experiment-tracker",
        *(
            f"ml:{name}"
            for name in ("list-experiments", "show-experiment", "compare-experiments", "export-experiments")
        ),
        "specweave:sync-docs",
        "specweave:github:create-issue",
    } <= {*said["init"]["slash_commands"]}


def _plugin(folder: Path) -> Path:
    """The repository as an agent's cache holds it, without what is not the plugins'."""
    target = folder / "experiment-tracker"
    for name in PLUGIN:
        copying = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        target.mkdir(exist_ok=True)
        copying(ROOT / name, target / name)
    return target
