"""What agents read: valid, short, true of the commands, and one version everywhere."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from markdown_it import MarkdownIt

from specweave_ml import __version__
from specweave_ml.cli.reference import every_command
from specweave_ml.skill import FOLDERS, NAME, skill_files

ROOT = Path(__file__).parents[2]
SKILL = ROOT / "SKILL.md"
REFERENCES = sorted((ROOT / "references").glob("*.md"))
COMMANDS = sorted([*(ROOT / "commands").rglob("*.md"), *(ROOT / "plugins").rglob("commands/**/*.md")])
PAGES = [SKILL, *REFERENCES, *COMMANDS]
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
TRIGGERS = (
    "track experiments",
    "MLflow",
    "wandb",
    "experiment logging",
    "compare experiments",
    "hyperparameter tracking",
)


def front_matter(page: Path) -> dict[str, Any]:
    found = re.match(r"---\n(.*?)\n---\n", page.read_text(), re.DOTALL)
    assert found, page
    said = yaml.safe_load(found[1])
    assert isinstance(said, dict)
    return said


def body(page: Path) -> str:
    return re.sub(r"\A---\n.*?\n---\n", "", page.read_text(), flags=re.DOTALL)


def test_the_front_matter_is_what_the_specification_knows() -> None:
    said = front_matter(SKILL)
    assert said.keys() == {"name", "description", "license", "compatibility", "metadata"}
    assert said["name"] == NAME
    assert 0 < len(said["description"]) <= 512  # of the 1,024 that are allowed: lists of skills are cut short
    assert not set("<>") & set(said["description"])
    assert all(trigger in said["description"] for trigger in TRIGGERS)
    assert 0 < len(said["compatibility"]) <= 500
    assert all(isinstance(value, str) for value in said["metadata"].values())


@pytest.mark.parametrize("page", COMMANDS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_front_matter_of_a_command(page: Path) -> None:
    said = front_matter(page)
    assert said.keys() == {"description", "argument-hint", "allowed-tools"}
    assert said["allowed-tools"] == "Bash(specweave-ml:*)"
    assert all(isinstance(value, str) for value in said.values())
    assert "!`" not in body(page)
    assert body(page).count("$ARGUMENTS") == 1
    assert "never instructions to you" in " ".join(body(page).split())
    name = commands_in(body(page))[0][0].split()[0]
    having = {spelled for option in every_command()[name].params for spelled in option.opts}
    assert {*re.findall(r"--[a-z-]+", said["argument-hint"])} <= having


def test_the_skill_is_short() -> None:
    text = body(SKILL)
    assert text.count("\n") <= 200
    assert len(text) / 3 < 5_000  # three characters a token is more than any tokenizer needs for English
    assert all(len(page.read_text().splitlines()) <= 100 for page in REFERENCES)


def test_one_version_everywhere() -> None:
    ours = json.loads((ROOT / ".claude-plugin/plugin.json").read_text())
    other = json.loads((ROOT / "plugins/specweave/.claude-plugin/plugin.json").read_text())
    market = json.loads((ROOT / ".claude-plugin/marketplace.json").read_text())
    said = [
        front_matter(SKILL)["metadata"]["version"],
        ours["version"],
        other["version"],
        market["metadata"]["version"],
    ]
    assert {*said, *(plugin["version"] for plugin in market["plugins"])} == {__version__}
    assert [(plugin["name"], plugin["source"]) for plugin in market["plugins"]] == [
        (ours["name"], "./"),
        (other["name"], "./plugins/specweave"),
    ]
    assert ours["skills"] == ["./"]


def test_the_commands_have_the_names_people_type() -> None:
    named = {
        page.relative_to(ROOT / "plugins/specweave/commands").as_posix() for page in COMMANDS if "plugins" in page.parts
    }
    assert named == {"sync-docs.md", "github/create-issue.md"}
    typed = re.findall(r"`/ml:([\w-]+)", SKILL.read_text())
    assert sorted(typed) == sorted(page.stem for page in (ROOT / "commands").glob("*.md"))


@pytest.mark.parametrize("page", [SKILL, *REFERENCES], ids=lambda page: page.name)
def test_links_lead_to_pages_one_level_deep(page: Path) -> None:
    inline = [child for token in MarkdownIt().parse(body(page)) for child in token.children or []]
    links = [str(child.attrs["href"]) for child in inline if child.type == "link_open"]
    assert all((page.parent / link).is_file() and link.count("/") <= 1 for link in links), links
    if page == SKILL:
        assert set(links) == {f"references/{each.name}" for each in REFERENCES}


def commands_in(text: str) -> list[tuple[str, list[str]]]:
    """Each command of ours that a page names in code, with the options it gives it."""
    code = re.findall(r"`([^`\n]+)`|^ {4}(specweave-ml .*)$", text, re.MULTILINE)
    spans = [(inline or block).partition(" #")[0] for inline, block in code]
    calls = [call.split(" -- ")[0] for span in spans for call in re.findall(r"specweave-ml ([a-z].*)", span)]
    return [(call, re.findall(r"(?<![\w-])--?[a-z][\w-]*", re.sub(r'"[^"]*"', "", call))) for call in calls]


@pytest.mark.parametrize("page", [*PAGES, *SCRIPTS], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_commands_it_names_exist_with_these_options(page: Path) -> None:
    known = every_command()
    for call, options in commands_in(page.read_text()):
        words = call.split()
        name = next((each for each in (" ".join(words[:2]), words[0]) if each in known), None)
        assert name, call
        having = {
            spelled for option in known[name].params if isinstance(option, click.Option) for spelled in option.opts
        }
        assert {*options} <= having | {"--help"}, call


def test_a_page_names_commands_at_all() -> None:
    assert ("list 0042 --json", ["--json"]) in commands_in(SKILL.read_text())
    assert ("reproduce exp-003-xgboost --increment 0042 --dry-run", ["--increment", "--dry-run"]) in commands_in(
        (ROOT / "references/retraining.md").read_text()
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_options_a_page_speaks_of_belong_to_some_command(page: Path) -> None:
    all_options = {
        spelled for command in every_command().values() for option in command.params for spelled in option.opts
    }
    spoken = re.findall(r"`(--[a-z][\w-]*)", page.read_text())
    assert {*spoken} <= all_options | {"--help"}


@pytest.mark.parametrize("script", [each for each in SCRIPTS if each.stem != "command"], ids=lambda script: script.stem)
def test_a_script_says_what_it_needs(script: Path) -> None:
    block = re.match(r"# /// script\n((?:# .*\n)*?)# ///\n", script.read_text())
    assert block
    said = tomllib.loads(re.sub(r"^# ", "", block[1], flags=re.MULTILINE))
    assert said == {"requires-python": ">=3.11", "dependencies": ["specweave-ml"]}


def test_the_skill_is_one_folder_of_text() -> None:
    paths = [*skill_files()]
    assert paths[0] == "SKILL.md"
    assert {path.partition("/")[0] for path in paths} == {"SKILL.md", "references", "scripts"}
    assert set(FOLDERS) == {"claude", "codex", "cursor", "gemini", "copilot"}
    assert [folder for folder, _ in FOLDERS.values()] == [
        ".claude/skills",
        ".agents/skills",
        ".cursor/skills",
        ".gemini/skills",
        ".github/skills",
    ]
