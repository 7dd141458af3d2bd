"""Links between files of a project, as they stand in Markdown."""

from __future__ import annotations

import os
from urllib.parse import quote

from specweave_ml.escape import Escaped


def relative_path(document: str, target: str) -> str:
    """The way from a document to a file, both given relative to the project's root."""
    return os.path.relpath(target, os.path.dirname(document) or ".")


def relative_link(document: str, target: str) -> Escaped:
    """The same as it stands in a link."""
    return Escaped(quote(relative_path(document, target)))
