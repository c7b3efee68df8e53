"""Ctrl+Z and `fg` with a real shell in a real terminal multiplexer."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from pathlib import Path

import pytest
from fakes.ptys import DEMO
from fakes.tmux import bash_in_tmux

pytestmark = pytest.mark.skipif(
    not (shutil.which("tmux") and shutil.which("bash")), reason="tmux or bash is not installed"
)


@pytest.mark.unmeasured
def test_it_stops_for_a_shell_and_comes_back_at_another_size() -> None:
    # A short path, since the length of a socket's path is limited.
    with tempfile.TemporaryDirectory() as folder, bash_in_tmux(Path(folder)) as tmux:
        tmux.type("stty -g > before; echo a line before", "Enter")
        tmux.wait_for("a line before\nshell>")
        tmux.type(shlex.join(DEMO), "Enter")
        tmux.wait_for("events 0.")
        tmux.type("Up")
        assert "a line before" not in tmux.wait_for("KEY_UP")

        tmux.type("C-z")
        assert "a line before" in tmux.wait_for("Stopped")
        tmux.type("echo it is $((6 * 7))", "Enter")
        tmux.wait_for("it is 42")
        tmux.call("resize-window", "-x", "60", "-y", "20")
        tmux.type("fg", "Enter")
        screen = tmux.wait_for("size 60x20.")
        assert "Stopped" not in screen
        tmux.wait_for("last Resumed().")

        tmux.type("C-c")
        assert "a line before" in tmux.wait_for("bye")
        tmux.type("stty -g > after; echo all $((40 + 2))", "Enter")
        tmux.wait_for("all 42")

        assert Path(folder, "after").read_text() == Path(folder, "before").read_text()


def test_it_runs_on_in_the_background_and_a_kill_ends_it() -> None:
    with tempfile.TemporaryDirectory() as folder, bash_in_tmux(Path(folder)) as tmux:
        tmux.type(shlex.join(DEMO), "Enter")
        tmux.wait_for("events 0.")
        tmux.type("C-z")
        tmux.wait_for("Stopped")
        tmux.type("bg", "Enter")
        tmux.type("echo it is $((6 * 7))", "Enter")
        tmux.wait_for("it is 42")
        tmux.type("kill %1", "Enter")
        tmux.wait_for("event QuitSignal(signal=<Signals.SIGTERM: 15>)")
