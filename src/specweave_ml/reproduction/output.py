"""What a command prints: passed on as it comes, and kept, up to a size."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from specweave_ml.redact import redact_text

if TYPE_CHECKING:
    from subprocess import Popen

KEPT = 256 << 10
"""Bytes of the beginning, and as many of the end."""

_CHUNK = 1 << 16


class Output:
    """Both streams of a running command, read by a thread each until the command closes them."""

    def __init__(self, process: Popen[bytes]) -> None:
        self._lock = threading.Lock()
        self._head = bytearray()
        self._tail = bytearray()
        self._left_out = 0
        streams = ((process.stdout, 1), (process.stderr, 2))
        self._threads = [
            # A descriptor of its own: nobody closes it, or hands its number to another file, while it is read.
            threading.Thread(target=self._pass_on, args=(os.dup(stream.fileno()), to), daemon=True)
            for stream, to in streams
            if stream is not None
        ]
        for thread in self._threads:
            thread.start()

    def wait(self, seconds: float) -> None:
        """Wait for the rest; a child that the command left behind may hold the streams open for ever."""
        for thread in self._threads:
            thread.join(seconds)

    def text(self) -> str:
        """The beginning and the end, with the number of bytes between them that were not kept; secrets redacted."""
        with self._lock:
            gap = f"\n… {self._left_out} bytes are not kept …\n".encode() if self._left_out else b""
            data = bytes(self._head) + gap + bytes(self._tail)
        return redact_text(data.decode("utf-8", "backslashreplace"))

    def _pass_on(self, descriptor: int, to: int) -> None:
        with open(descriptor, "rb", buffering=0) as stream:
            while chunk := stream.read(_CHUNK):
                self._keep(chunk)
                try:
                    _write_all(to, chunk)
                except OSError:  # whoever read our output has gone; the command goes on, and its output is kept
                    to = -1

    def _keep(self, chunk: bytes) -> None:
        with self._lock:
            room = KEPT - len(self._head)
            self._head += chunk[:room]
            self._tail += chunk[room:]
            beyond = len(self._tail) - KEPT
            if beyond > 0:
                del self._tail[:beyond]
                self._left_out += beyond


def _write_all(to: int, data: bytes) -> None:
    while data and to >= 0:
        data = data[os.write(to, data) :]
