"""Runs the user's own command that prints a token. No shell is involved."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import trio

from ticketr.app.config.errors import TokenFailed

#: Seconds; a password manager may wait for its user to unlock it.
COMMAND_TIMEOUT_SECONDS = 120.0


async def run_token_command(words: Sequence[str], *, folder: Path, interactive: bool) -> str:
    """Run a command and return the first line that it prints.

    It is started in the user's own folder of settings, never in a workspace: so a program named
    by a relative path is not one that came with a git repository.

    Cancellation:
        Ends the command.

    Args:
        words: The program and its arguments.
        folder: The user's folder of settings.
        interactive: Whether it may read from the terminal and write to standard error, as a
            password manager that asks for its own password does.

    Raises:
        TokenFailed: It could not be started, failed, printed nothing, or did not end. The error
            names the program alone, since arguments and output may hold secrets.
    """
    program = words[0]
    outside = None if interactive else subprocess.DEVNULL
    with trio.move_on_after(COMMAND_TIMEOUT_SECONDS) as timeout:
        try:
            ended = await trio.run_process(
                list(words),
                stdin=outside,
                capture_stdout=True,
                stderr=outside,
                cwd=folder,
                check=False,
            )
        except (OSError, ValueError) as error:  # the latter for a word that no program can get
            reason = getattr(error, "strerror", None) or "a NUL in it"
            raise _token_failure(program, f"cannot be started: {reason}") from None
    if timeout.cancelled_caught:
        raise _token_failure(program, f"did not end within {COMMAND_TIMEOUT_SECONDS:.0f} s")
    if ended.returncode != 0:
        raise _token_failure(program, f"ended with exit code {ended.returncode}")
    token = ended.stdout.decode(errors="replace").partition("\n")[0].strip()
    if not token:
        raise _token_failure(program, "printed no token on its first line")
    return token


def _token_failure(program: str, problem: str) -> TokenFailed:
    remedy = "run the command yourself to see why; it is in your config.toml"
    return TokenFailed("the token_command", f"{program!r} {problem}", remedy)
