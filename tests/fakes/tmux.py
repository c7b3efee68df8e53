"""Drive a shell inside tmux: type keys and read the screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from fakes.processes import LONG


class Tmux:
    """One window of 80 by 24 with bash in it."""

    def __init__(self, socket: Path) -> None:
        self._command = ["tmux", "-S", str(socket), "-f", os.devnull]

    def call(self, *arguments: str) -> str:
        """Run a tmux command; return what it prints."""
        return subprocess.run(
            [*self._command, *arguments], check=True, capture_output=True, text=True, timeout=LONG
        ).stdout

    def type(self, *keys: str) -> None:
        """Send keys by tmux's names, such as `C-c`, or text."""
        self.call("send-keys", *keys)

    def wait_for(self, text: str) -> str:
        """Poll the screen until it shows a text; return the screen."""
        deadline = time.monotonic() + LONG
        while text not in (screen := self.call("capture-pane", "-p")):
            assert time.monotonic() < deadline, f"no {text!r} in:\n{screen}"
        return screen

    def modes(self) -> str:
        """Return tmux's own view of the screen, cursor, wrap and mouse."""
        names = ("alternate_on", "cursor_flag", "wrap_flag", "mouse_any_flag", "mouse_sgr_flag")
        return self.call("display-message", "-p", " ".join(f"{each}=#{{{each}}}" for each in names))

    def wait_for_shell(self, modes: str) -> None:
        """Poll until no other program runs in the foreground, and these are the modes again."""
        deadline = time.monotonic() + LONG
        shown = ("bash", modes)
        while shown != (
            now := (
                self.call("display-message", "-p", "#{pane_current_command}").strip(),
                self.modes(),
            )
        ):
            assert time.monotonic() < deadline, f"{now}, not {shown}"


@contextmanager
def bash_in_tmux(folder: Path) -> Generator[Tmux]:
    """Run bash inside its own tmux server."""
    # Not in the test's folder, whose path may be too long for a socket.
    socket = folder / "tmux"
    tmux = Tmux(socket)
    environment = ["env", "-u", "NO_COLOR", "-u", "ESCDELAY", "PS1=shell> ", "HISTFILE="]
    bash = [*environment, shutil.which("bash") or "bash", "--norc", "--noprofile", "-i"]
    tmux.call("new-session", "-d", "-x", "80", "-y", "24", "-c", str(folder), *bash)
    try:
        tmux.wait_for("shell>")
        yield tmux
    finally:
        tmux.call("kill-server")
