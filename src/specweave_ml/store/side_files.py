"""Files that many experiments share, named by what is in them: package lists in `.env/`, changed code in `.code/`."""

from __future__ import annotations

import os

from specweave_ml.store.replace import replace_file


def keep_side_files(experiments: str, files: dict[str, bytes]) -> None:
    """Write those that are not there yet; each name says where below `experiments/`.

    Raises:
        OSError: one cannot be written.
    """
    for name, content in files.items():
        path = f"{experiments}/{name}"
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
            replace_file(path, content, sync=False)
