"""The files that experiments saved, as `doctor` finds them: which are models, and what became of each."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from specweave_ml.cli.checks import Check, listed
from specweave_ml.cli.output import count
from specweave_ml.record import ENDED
from specweave_ml.store.verify import check_artifact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from specweave_ml.project import Increment
    from specweave_ml.record import Experiment
    from specweave_ml.store.verify import Kept

_Place = tuple[str, str]
"""An experiment, and the name of an artifact of it."""

_MOST_BYTES = 1 << 30  # whose digests are taken: a few seconds, where SpecWeave waits for 60
_MOST_ASKED = 100  # files of which git is asked whether it leaves them out

_OF_MODELS = frozenset("pkl pickle joblib skops pt pth ckpt safetensors keras h5 onnx ubj cbm xgboost lightgbm".split())
# What is kept beside a model in the same formats.
_BESIDE_A_MODEL = re.compile(
    r"preproc|scaler|encod|vectori[sz]|tokeni[sz]|label|feature|data|split|study|results?|params|history|predictions",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Files:
    """The artifacts of some experiments.

    Attributes:
        experiments: those that are looked at, if they have ended: others still write.
        first: the names of those whose digests are taken first.
    """

    experiments: Sequence[Experiment]
    first: Collection[str] = ()

    @cached_property
    def kept(self) -> Mapping[_Place, Kept]:
        """What became of each, by experiment and name; digests are taken while bytes are left, the small ones first."""
        files = [(each, *file) for each in self.experiments if each.status in ENDED for file in each.artifacts.items()]
        files.sort(key=lambda file: (file[0].name not in self.first, _size(file[2])))
        left = _MOST_BYTES
        found: dict[_Place, Kept] = {}
        for experiment, name, facts in files:
            kept = check_artifact(str(experiment.path), name, facts, most_bytes=left)
            left -= _size(facts) if kept in {"intact", "changed"} else 0
            found[experiment.name, name] = kept
        return found

    def models(self, experiment: Experiment) -> Iterator[tuple[str, Kept]]:
        """The models that an experiment saved, with what became of each; the likeliest to be the one comes first."""
        names = [name for name, facts in experiment.artifacts.items() if _is_model(name, facts)]
        for name in sorted(names, key=lambda name: ("model" not in name.lower(), name)):
            yield name, self.kept.get((experiment.name, name), "gone")


def check_files(where: Increment, files: Files) -> Check:
    """Whether every saved file is still what it was.

    One that is gone is no fault where git leaves such files out: then it is on the machine that trained.
    """
    kept = files.kept
    bad = [f"{_shown(place)} {state}" for place, state in kept.items() if state in {"changed", "unreadable"}]
    gone = [place for place, state in kept.items() if state == "gone"]
    left_out = _left_out(where, files, gone)
    bad += [f"{_shown(place)} gone" for place in gone if place not in left_out]
    if bad:
        mend = "restore these files from a copy, or archive their experiments"
        return Check("artifacts", ok=False, why=f"{listed(bad)}; of {count(len(kept), 'file')}", next=mend)
    said = [f"{sum(state == 'intact' for state in kept.values())} of {count(len(kept), 'file')} as saved"]
    unread = sum(state == "of its size" for state in kept.values())
    said += [f"{unread} only by size, for they are large"] if unread else []
    said += [f"not here, and git leaves such files out: {listed([*map(_shown, gone)])}"] if gone else []
    return Check("artifacts", ok=True, why="; ".join(said) if kept else "none was saved")


def _shown(place: _Place) -> str:
    return "/".join(place)


def _left_out(where: Increment, files: Files, gone: Sequence[_Place]) -> set[_Place]:
    """Those that git ignores, by the project's rules."""
    from specweave_ml.provenance.git import run_git

    folders = {each.name: os.path.relpath(each.path, where.root) for each in files.experiments}
    paths = {f"{folders[name]}/{file}": (name, file) for name, file in gone[:_MOST_ASKED]}
    if not paths:
        return set()
    answer = run_git(where.root, "-c", "core.quotePath=false", "check-ignore", "--", *paths)
    ignored = answer.output.decode(errors="replace").splitlines() if answer.code == 0 else []
    return {paths[path] for path in ignored if path in paths}


def _is_model(name: str, facts: Mapping[str, Any]) -> bool:
    suffix = os.path.splitext(name)[1].lower().removeprefix(".")
    written_as_one = facts.get("format") in _OF_MODELS or suffix in _OF_MODELS
    return written_as_one and ("model" in name.lower() or not _BESIDE_A_MODEL.search(name))


def _size(facts: Mapping[str, Any]) -> int:
    size = facts.get("bytes")
    return size if isinstance(size, int) else 0
