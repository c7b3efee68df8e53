"""Run commands in forked processes, so that none waits for imports; any may be killed.

The program reads commands from its standard input, one line of JSON each, forks for each one and
answers with its process ID. A second line tells how it ended.
"""

from __future__ import annotations

import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import ticketr


def _be_child(task: dict[str, Any]) -> None:
    os.chdir(task["folder"])
    os.environ.clear()
    os.environ.update(task["env"])
    output = os.open(task["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - as long as the process
    sys.argv = ["ticketr", *task["command"]]
    import_module("ticketr.app.cli").main()


def _fork(task: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        _be_child(task)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - a child must never go on as its parent
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    for found in pkgutil.walk_packages(ticketr.__path__, "ticketr."):
        if found.name != "ticketr.__main__":
            with suppress(ImportError):
                import_module(found.name)
    for line in sys.stdin:
        child = _fork(json.loads(line))
        os.write(1, json.dumps(child).encode() + b"\n")
        _, status = os.waitpid(child, 0)
        os.write(1, json.dumps(os.waitstatus_to_exitcode(status)).encode() + b"\n")


class Commands:
    """Runs commands one after the other; made by `open_commands`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def start(self, *command: str, folder: Path, env: Mapping[str, str], output: Path) -> int:
        """Start a command; return its process ID."""
        task = {"command": command, "folder": str(folder), "env": dict(env), "output": str(output)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(task).encode() + b"\n")
        return self._read()

    def wait(self) -> int:
        """Wait for the end of the command; return its exit code, or the signal below zero."""
        return self._read()

    def kill(self, pid: int, after: float) -> int:
        """Kill the command after some seconds, unless it has ended; return how it ended."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], after)[0]:
            os.kill(pid, signal.SIGKILL)
        return self.wait()

    def _read(self) -> int:
        assert self._process.stdout is not None
        number: int = json.loads(self._process.stdout.readline())
        return number


@contextmanager
def open_commands() -> Generator[Commands]:
    """Start the program; stop it at the end of the block."""
    from fakes.processes import piped_program  # the program has another search path

    with piped_program(__file__) as process:
        yield Commands(process)


@contextmanager
def forked_sandbox(commands: Commands, folder: Path, *options: str) -> Generator[str]:
    """Serve a sandbox from such a program while the block lasts; yield its address."""
    output = folder / "sandbox.txt"
    output.write_text("")
    pid = commands.start("sandbox", *options, folder=folder, env=dict(os.environ), output=output)
    try:
        while "\n" not in output.read_text():
            time.sleep(0.01)  # noqa: TID251 - a real process
        yield output.read_text().removeprefix("listening on ").strip()
    finally:
        os.kill(pid, signal.SIGTERM)
        assert commands.wait() in {0, 143, -signal.SIGTERM}


if __name__ == "__main__":
    main()
