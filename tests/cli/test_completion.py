"""Test ``ticketr completion``: the scripts, and bash with its script."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.ptys import job_on_pty

if TYPE_CHECKING:
    from fakes.users import User


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_asks_ticketr(someone: User, shell: str) -> None:
    told = someone.runs("completion", shell)

    assert told.code == 0
    assert f"_TICKETR_COMPLETE={shell}_complete" in told.out


def test_another_shell_is_wrong_usage(someone: User) -> None:
    assert someone.runs("completion", "tcsh").code == 2


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_commands_options_and_their_values(someone: User) -> None:
    script = someone.writes("completion.sh", someone.runs("completion", "bash").out)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = {"PATH": path, "PS1": "> ", "INPUTRC": os.devnull, "HOME": str(someone.root)}
    shell = ["bash", "--norc", "--noprofile", "-i"]

    # Make it the session leader: as a background job of another shell it would be stopped.
    with job_on_pty(shell, orphan=True, environ=environ) as pty:
        pty.wait_for("> ")
        pty.type(f". {script}\r")
        pty.wait_for("> ")
        for typed, completed in [
            ("ticketr stat\t", "ticketr status "),
            ("ticketr resolve --ta\t", "ticketr resolve --take "),
            ("ticketr pull --strategy rem\t", "ticketr pull --strategy remote "),
        ]:
            pty.type(typed)
            pty.wait_for(completed)
            pty.type("\x15")  # clears the line
