"""The app with two more keys, for tests on a real terminal: F11 fails, F12 prints in every way."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings

from ticketr.app.cli import main
from ticketr.app.tui import app
from ticketr.app.tui.messages import Message
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.update import update as update_app
from ticketr.terminal import Key


def update(state: AppState, message: Message, now: float) -> Step:
    """Do what the two keys are for; leave all else to the app."""
    match message:
        case Key("KEY_F11"):
            raise RuntimeError("boom")
        case Key("KEY_F12"):
            make_noise()
            return state.with_notice("made some noise"), ()
        case _:
            return update_app(state, message, now)


def make_noise() -> None:
    """Print on both streams: from Python, below Python, and from a child process."""
    sys.stdout.write("noise of print\n")
    sys.stderr.write("noise of stderr\n")
    logging.getLogger("somebody").warning("noise of logging")
    warnings.warn("noise of warnings", UserWarning, stacklevel=1)
    os.write(2, b"noise of the descriptor\n")
    subprocess.run(["sh", "-c", "echo noise of a child >&2"], check=True)


if __name__ == "__main__":
    vars(app)["update"] = update
    main()
