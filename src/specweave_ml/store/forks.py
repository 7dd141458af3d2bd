"""Imports that a fork cannot cut in two.

A module that one thread is importing while another thread forks stays locked for ever in the child, where the first
thread does not exist: the child hangs at its own import of that module.
"""

from __future__ import annotations

import os
import threading

whole_import = threading.RLock()
"""Held around an import that may happen beside the caller's own code; a fork waits for it."""

os.register_at_fork(
    before=whole_import.acquire, after_in_parent=whole_import.release, after_in_child=whole_import.release
)
