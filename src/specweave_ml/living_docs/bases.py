"""What was generated last time, one committed file a region: the base of the next merge, on every clone.

`.specweave/docs/internal/x.md` keeps its regions in `.specweave/docs-sync/docs/internal/x.md/<region>.md`; a document
outside `.specweave` in `.specweave/docs-sync/_root/<its path>/`.
"""

from __future__ import annotations

import os
import re

from specweave_ml.errors import StoreError
from specweave_ml.living_docs.markers import ID
from specweave_ml.living_docs.text import normal_body

FOLDER = ".specweave/docs-sync"

_NAME = re.compile(rf"({ID})\.md")


def mirrored(document: str) -> str:
    """The place of a document in a folder that mirrors the project, without a second `.specweave` inside the first."""
    inside = document.removeprefix(".specweave/")
    return inside if inside != document else f"_root/{document}"


def base_folder(document: str) -> str:
    """The folder of a document's base files, relative to the project's root."""
    return f"{FOLDER}/{mirrored(document)}"


def base_path(document: str, region: str) -> str:
    """The base file of a region, relative to the project's root."""
    return f"{base_folder(document)}/{region}.md"


def read_bases(root: str, document: str) -> dict[str, str]:
    """The bodies that were generated last time, in their normal form, by region.

    Raises:
        StoreError: they cannot be read.
    """
    folder = f"{root}/{base_folder(document)}"
    bases: dict[str, str] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = _NAME.fullmatch(entry.name)
                if name and entry.is_file(follow_symlinks=False):
                    with open(entry.path, "rb") as file:
                        bases[name[1]] = normal_body(file.read().decode(errors="replace"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise StoreError(f"what was generated before cannot be read: {error.strerror}", path=folder) from error
    return bases


def base_content(body: str) -> bytes:
    """The bytes of a base file."""
    return f"{body}\n".encode()
