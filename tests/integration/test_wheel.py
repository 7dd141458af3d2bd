"""The wheel, as a stranger gets it: built, installed in an environment far from the repository, and used there."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from specweave_ml.skill import skill_files

ROOT = Path(__file__).parents[2]

TRAIN = """
from specweave_ml import track_experiment

for name, accuracy in [("baseline", 0.65), ("xgboost", 0.87)]:
    with track_experiment(name) as exp:
        exp.log_metric("accuracy", accuracy)
"""


def run(*command: object, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    line = [str(part) for part in command]
    done = subprocess.run(line, cwd=cwd, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if check and done.returncode:
        pytest.fail(f"{line}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class Environment:
    """A virtual environment that borrows our dependencies from the one running the tests."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=True)
        self.bin = folder / "bin"
        self.python = self.bin / "python"
        where = run(self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
        self.site_packages = Path(where.stdout.strip())
        # A path named in a .pth file is searched, but .pth files inside it are not read: our own editable
        # installation there stays out of sight.
        (self.site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))

    def pip(self, *arguments: object) -> None:
        run(sys.executable, "-m", "pip", "--python", self.python, *arguments, cwd=self.bin)

    def install(self, wheel: Path) -> None:
        self.pip("install", "--quiet", "--no-deps", "--no-index", "--force-reinstall", wheel)

    def specweave_ml(self, *arguments: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run(self.bin / "specweave-ml", *arguments, cwd=cwd, check=check)

    def alias_check(self, cwd: Path) -> dict[str, object]:
        """What doctor says of the module `specweave`."""
        said = json.loads(self.specweave_ml("doctor", "--json", cwd=cwd, check=False).stdout)
        check: dict[str, object]
        (check,) = [check for check in said["checks"] if check["name"] == "alias"]
        assert said["ok"] is all(other["ok"] for other in said["checks"])
        return check


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def environment(wheel: Path, tmp_path: Path) -> Environment:
    made = Environment(tmp_path / "environment")
    made.install(wheel)
    return made


def unrelated_specweave(folder: Path, *, published: bool) -> Path:
    """A wheel of the unrelated distribution `specweave`: the published one, or one that has its shape."""
    if published:
        download = ["download", "--quiet", "--no-deps", "specweave==0.2.0"]
        done = run(sys.executable, "-m", "pip", *download, cwd=folder, check=False)
        if done.returncode:
            pytest.skip(f"specweave 0.2.0 cannot be downloaded here: {done.stderr.strip()}")
    else:
        info = "specweave-0.2.0.dist-info"
        content = {
            "specweave/__init__.py": '__version__ = "0.2.0"\n__all__ = ["__version__"]\n',
            "specweave/errors.py": "class SpecweaveError(Exception):\n    pass\n",
            "specweave/cli.py": "def main():\n    raise SystemExit('the other one')\n",
            "specweave/doctor.py": "def run():\n    raise SystemExit('the other one')\n",
            f"{info}/METADATA": "Metadata-Version: 2.4\nName: specweave\nVersion: 0.2.0\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/entry_points.txt": "[console_scripts]\nspecweave = specweave.cli:main\n",
        }
        content[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*content, f"{info}/RECORD"])
        with zipfile.ZipFile(folder / "specweave-0.2.0-py3-none-any.whl", "w") as archive:
            for name, text in content.items():
                archive.writestr(name, text)
    (found,) = folder.glob("specweave-*.whl")
    return found


def test_the_wheel_holds_our_files_and_no_others(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
        (entry_points,) = [archive.read(name).decode() for name in names if name.endswith("/entry_points.txt")]
    code = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.py")}
    templates = (path for path in (ROOT / "templates").rglob("*") if path.is_file())
    texts = {f"specweave_ml/{path.relative_to(ROOT).as_posix()}" for path in templates}
    marks = {"specweave/py.typed", "specweave_ml/py.typed"}
    skill = {f"specweave_ml/experiment-tracker/{path}" for path in skill_files()}
    assert {name for name in names if ".dist-info/" not in name} == code | texts | marks | skill
    assert texts
    sections = [section.strip().split("\n", 1) for section in entry_points.split("[")[1:]]
    assert {title.rstrip("]"): entry for title, entry in sections} == {
        "console_scripts": "specweave-ml = specweave_ml.cli:main",
        "mlflow.model_registry_store": "specweave = specweave_ml.mlflow.registry:registry_store",
        "mlflow.run_context_provider": "specweave = specweave_ml.mlflow.server:IncrementContext",
        "mlflow.tracking_store": "specweave = specweave_ml.mlflow.plugin:tracking_store",
    }


def test_installed_far_away_it_tracks_and_renders(environment: Environment, project: Path) -> None:
    home = run(environment.python, "-c", "import specweave_ml; print(specweave_ml.__file__)", cwd=project)
    assert Path(home.stdout.strip()).is_relative_to(environment.site_packages)
    run(environment.python, "-c", TRAIN.replace("specweave_ml", "specweave"), cwd=project)
    listed = json.loads(environment.specweave_ml("list", "--json", cwd=project).stdout)
    assert [row["name"] for row in listed["experiments"]] == ["baseline", "xgboost"]
    environment.specweave_ml("compare", "0042", cwd=project)
    increment = project / ".specweave" / "increments" / "0042-recommendation-model"
    assert "**Best Model**: xgboost" in (increment / "experiments" / "comparison.md").read_text()
    assert environment.alias_check(project)["ok"]
    environment.specweave_ml("skill", "install", cwd=project)
    installed = project / ".claude" / "skills" / "experiment-tracker"
    assert all((installed / path).read_bytes() == content for path, content in skill_files().items())


@pytest.mark.parametrize("published", [True, False], ids=["published", "stand-in"])
def test_an_unrelated_specweave_breaks_only_the_alias(
    environment: Environment, wheel: Path, project: Path, tmp_path: Path, published: bool
) -> None:
    environment.install(unrelated_specweave(tmp_path, published=published))
    alias = run(environment.python, "-c", "from specweave import track_experiment", cwd=project, check=False)
    assert "cannot import name" in alias.stderr

    run(environment.python, "-c", TRAIN, cwd=project)
    listed = json.loads(environment.specweave_ml("list", "--json", cwd=project).stdout)
    assert listed["total"] == 2
    check = environment.alias_check(project)
    assert not check["ok"]
    assert "specweave" in str(check["why"])
    assert "pip" in str(check["next"])

    environment.pip("uninstall", "--quiet", "--yes", "specweave")
    environment.install(wheel)
    assert environment.alias_check(project)["ok"]
