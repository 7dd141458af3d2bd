"""The words of living documents: the project's own templates where it has them, else ours.

A template of ours, `templates/living/NAME.j2`, is replaced by a file of the same name in the project's folder
`.specweave/templates/experiment-tracker/`. It may also extend or include ours as `living/NAME.j2`. It runs in Jinja's
sandbox, and what it is given are texts and numbers, nothing that could be called to any effect.
"""

from __future__ import annotations

import os
from traceback import walk_tb
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from specweave_ml.errors import Refused
from specweave_ml.render import make_environment, template_folder

OVERRIDES = ".specweave/templates/experiment-tracker"


class Wording:
    """The templates for the project at `root`."""

    def __init__(self, root: str) -> None:
        self._root = root
        own, ours = f"{root}/{OVERRIDES}", template_folder()
        loaders = [FileSystemLoader(folder) for folder in (own, f"{ours}/living", ours)]
        self._environment = make_environment(ImmutableSandboxedEnvironment, ChoiceLoader(loaders))

    def render(self, template: str, **values: Any) -> str:
        """The text of a template, such as `increment.md`, with these values.

        Raises:
            Refused: a template of the project's own has a mistake; the error names its file and line.
        """
        try:
            return self._environment.get_template(f"{template}.j2").render(values)
        except Exception as error:
            # Whatever a template of the project's own can do wrong is its author's to mend; ours fail as they are.
            place = self._place(error)
            if place is None:
                raise
            raise Refused(
                f"a template of this project has a mistake: {_what(error)}; nothing was written",
                path=place,
                next_step="mend it, or take the file away to have ours",
            ) from error

    def _place(self, error: Exception) -> str | None:
        """The file and line of the project's own template where it went wrong; None where that is one of ours."""
        own = os.path.join(f"{self._root}/{OVERRIDES}", "")
        places = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
        if isinstance(error, TemplateSyntaxError):
            places.append((error.filename or "", error.lineno))
        elif isinstance(error, UnicodeDecodeError):
            return OVERRIDES
        lines = [f"{os.path.relpath(file, self._root)}:{line}" for file, line in places if file.startswith(own)]
        return lines[-1] if lines else None


def _what(error: Exception) -> str:
    if isinstance(error, TemplateNotFound):
        return f"there is no template {error.message}"
    return str(getattr(error, "message", None) or error) or type(error).__name__
