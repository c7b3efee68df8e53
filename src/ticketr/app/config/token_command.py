"""Runs the user's own command that prints a token. No shell is involved."""

from __future__ import annotations

import subprocess
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import trio

from ticketr.app.config.errors import TokenFailed

#: Seconds; a password manager may wait for its user to unlock it.
TIMEOUT = 120.0
#: Bytes; no token is longer.
LARGEST = 64 * 1024


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
    run = partial(
        trio.run_process,
        list(words),
        stdin=outside,
        stdout=subprocess.PIPE,
        stderr=outside,
        cwd=folder,
        check=False,
    )
    with trio.move_on_after(TIMEOUT) as timeout:
        printed, code = await _read(program, run)
    if timeout.cancelled_caught:
        raise _token_failure(program, f"did not end within {TIMEOUT:.0f} s")
    if code != 0:
        raise _token_failure(program, f"ended with exit code {code}")
    token = printed.partition("\n")[0].strip()
    if not token:
        raise _token_failure(program, "printed no token on its first line")
    return token


async def _read(program: str, run: Callable[..., Awaitable[object]]) -> tuple[str, int | None]:
    """Run a command; return its output and its exit code."""
    printed = b""
    process: trio.Process | None = None
    problem = "cannot be started"
    async with trio.open_nursery() as nursery:
        try:
            process = await nursery.start(run)
        except (OSError, ValueError) as error:  # the latter for a word that no program can get
            problem = f"cannot be started: {getattr(error, 'strerror', None) or 'a NUL in it'}"
        else:
            assert process is not None
            assert process.stdout is not None
            async for chunk in process.stdout:
                printed += chunk
                if len(printed) > LARGEST:
                    problem = "printed far more than a token"
                    nursery.cancel_scope.cancel()
    if process is None or len(printed) > LARGEST:
        raise _token_failure(program, problem)
    return printed.decode(errors="replace"), process.returncode


def _token_failure(program: str, problem: str) -> TokenFailed:
    remedy = "run the command yourself to see why; it is in your config.toml"
    return TokenFailed("token_command", f"{program!r} {problem}", remedy)
