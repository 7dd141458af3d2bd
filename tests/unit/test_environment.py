"""Machine and packages, held against what Python's own metadata reader says."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import sys
from pathlib import Path

import pytest

from specweave_ml.provenance import complete, start
from specweave_ml.provenance.environment import read_machine, read_packages


def packages(root: Path) -> dict[str, str]:
    found, _ = read_packages(str(root))
    section = found["packages"]
    assert isinstance(section, dict)
    lines = section["content"].decode().splitlines()
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0])
    assert section["count"] == len(lines)
    return dict(line.split("==") for line in lines)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of `sys.path`, named as Python's are."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(folder)])
    return folder


def install(site: Path, entry: str, file: str | None = None, text: str = "") -> None:
    (site / entry).mkdir(parents=True)
    if file is not None:
        (site / entry / file).write_text(text)


def test_the_installed_packages_are_those_of_importlib_metadata(tmp_path):
    expected: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        expected.setdefault(name, distribution.version)
    assert packages(tmp_path) == expected
    assert "pytest" in expected


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("My_Package.Name-1.0.dist-info", ("my-package-name", "1.0")),
        ("torch-2.5.1+cu121.dist-info", ("torch", "2.5.1+cu121")),
        ("a__b-1!2.0rc1.dev3.dist-info", ("a-b", "1!2.0rc1.dev3")),
        ("old_style-0.9-py3.11.egg-info", ("old-style", "0.9")),
    ],
)
def test_names_and_versions_come_from_the_folders_names(entry, line, site, tmp_path):
    install(site, entry)
    assert packages(tmp_path) == dict([line])


def test_a_folder_without_a_version_says_it_inside(site, tmp_path):
    install(site, "plain.egg-info", "PKG-INFO", "Metadata-Version: 2.1\nName: plain\nVersion: 3.2\n")
    assert packages(tmp_path) == {"plain": "3.2"}


def test_leftovers_and_half_removed_packages_are_passed_over(site, tmp_path):
    install(site, "~umpy-1.0.dist-info")
    install(site, "nothing.egg-info")
    install(site, "-1.0.dist-info")
    install(site, "numpy-2.0.dist-info")
    assert packages(tmp_path) == {"numpy": "2.0"}


def test_the_first_on_the_path_counts(site, tmp_path, monkeypatch):
    install(site, "numpy-1.0.dist-info")
    install(tmp_path / "shadow", "numpy-2.0.dist-info")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "missing"), str(tmp_path / "shadow"), str(site), __file__])
    assert packages(tmp_path) == {"numpy": "2.0"}


def editable(folder: Path) -> str:
    return json.dumps({"url": folder.as_uri(), "dir_info": {"editable": True}})


def test_editable_installs_are_listed_and_those_outside_the_project_are_a_gap(site, tmp_path):
    project = tmp_path / "my project"
    project.mkdir()
    install(site, "mine-1.0.dist-info", "direct_url.json", editable(project / "libs"))
    install(site, "theirs-1.0.dist-info", "direct_url.json", editable(tmp_path / "their code"))
    install(site, "wheel-1.0.dist-info", "direct_url.json", json.dumps({"url": "file:///x.whl", "archive_info": {}}))
    install(site, "copied-1.0.dist-info", "direct_url.json", json.dumps({"url": "file:///x", "dir_info": {}}))
    install(site, "odd-1.0.dist-info", "direct_url.json", "[")
    install(site, "odder-1.0.dist-info", "direct_url.json", "[]")
    found, gaps = read_packages(str(project))
    assert found["editable"] == ["mine", "theirs"]
    assert [gap["what"] for gap in gaps] == ["environment.editable.theirs"]
    assert str(tmp_path) not in str(gaps)


def test_a_source_folder_on_the_path_is_editable(site, tmp_path, monkeypatch):
    install(tmp_path / "project/src", "mine.egg-info", "PKG-INFO", "Name: mine\nVersion: 1.0\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "project/src"), str(site)])
    found, gaps = read_packages(str(tmp_path / "project"))
    assert (found["editable"], gaps) == (["mine"], [])


def test_the_record_names_the_file_and_the_caller_gets_its_content(tmp_path):
    sections, files = complete(str(tmp_path), start(str(tmp_path)))
    ((name, content),) = files.items()
    digest = hashlib.sha256(content).hexdigest()
    assert sections["environment"]["packages"] == {
        "file": f".env/{digest[:16]}.txt",
        "sha256": digest,
        "count": content.count(b"\n"),
    }
    assert name == sections["environment"]["packages"]["file"]
    assert "environment.packages" in sections["capture"]["complete"]


def test_the_machine():
    found, gaps = read_machine()
    assert found["python"] == sys.version.split()[0]
    assert found["implementation"] == sys.implementation.name
    assert found["machine"] == os.uname().machine
    assert found["cpu"] == {"count": os.cpu_count()}
    assert gaps == []
