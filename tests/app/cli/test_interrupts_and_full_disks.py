"""Test a signal or a full disk outside of any job: one line, and its exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes.processes import PROGRAM, environment, make_workspace

WITH_COMMAND = (
    '[sites."https://acme.atlassian.net"]\nemail = "me@acme.com"\ntoken_command = {command}\n'
)
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def settings(folder: Path) -> dict[str, str]:
    """Return an environment whose token command writes to a pipe and then hangs."""
    folder.mkdir(mode=0o700)
    os.mkfifo(folder / "told")
    script = "import time; told = open('told', 'w'); told.write('here\\\\n'); told.flush(); "
    command = [sys.executable, "-c", script + "time.sleep(300)"]
    words = "[" + ", ".join(f'"{word}"' for word in command) + "]"
    config = folder / "config.toml"
    config.write_text(WITH_COMMAND.format(command=words))
    config.chmod(0o600)
    site = "https://acme.atlassian.net"
    config_folder = str(folder)
    return environment(site, JIRA_EMAIL="", JIRA_API_TOKEN="", TICKETR_CONFIG_DIR=config_folder)


def interrupted(*command: str, folder: Path) -> tuple[int, str, str]:
    """Send SIGINT while the token command runs, and wait until that has ended, too."""
    env = settings(folder / "config")
    make_workspace(folder)
    with (
        subprocess.Popen(
            [*PROGRAM, *command],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        (folder / "config" / "told").open() as told,
    ):
        assert told.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=100)
        assert told.read() == ""  # the other end is closed
    return process.returncode, out, err


@pytest.mark.parametrize(
    "command", [["pull"], ["push"], ["workspace", "check"], ["workspace", "check", "--json"]]
)
def test_ctrl_c_while_a_token_command_runs_is_one_line_and_130_and_ends_it(
    command: list[str], tmp_path: Path
) -> None:
    ended = interrupted(*command, folder=tmp_path)

    assert ended == (130, "", "ticketr: interrupted\n")


def test_ctrl_c_while_a_token_command_runs_shows_where_for_debug(tmp_path: Path) -> None:
    code, _, err = interrupted("--debug", "pull", folder=tmp_path)

    assert code == 130
    assert "KeyboardInterrupt" in err


LOADING = """
import signal, sys
from ticketr.app.cli import main

class Interrupt:
    left = int(sys.argv.pop(1))

    def find_spec(self, name, path=None, target=None):
        Interrupt.left -= 1
        if not Interrupt.left:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
main()
"""


#: Prints a line from inside of `main`: before it, Ctrl+C is Python's own affair.
STARTED = """
import sys
from ticketr.app.cli import main

class Told:
    def find_spec(self, name, path=None, target=None):
        if name == "ticketr.app.cli.exits":
            print(flush=True)

sys.meta_path.insert(0, Told())
main()
"""


def interrupt_import(number: int, command: str, folder: Path) -> tuple[int, str]:
    """Send SIGINT as the command imports its n-th module; return its code and its errors.

    Once the command itself runs, click ends the line of the terminal's ``^C`` first.
    """
    ended = subprocess.run(
        [sys.executable, "-c", LOADING, str(number), command],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stderr.removeprefix("\n")


@pytest.mark.parametrize("number", [1, 2, 3, 5, 10, 20, 50, 100])
def test_ctrl_c_while_the_program_is_loaded_is_one_line_and_130(
    number: int, tmp_path: Path
) -> None:
    ended = interrupt_import(number, "status", tmp_path)

    assert ended == (130, "ticketr: interrupted\n")


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("command", ["status", "pull", "--help"])
def test_ctrl_c_at_every_import_is_one_line_and_130(command: str, tmp_path: Path) -> None:
    make_workspace(tmp_path)
    number = 1
    while (ended := interrupt_import(number, command, tmp_path))[0] == 130:
        assert ended == (130, "ticketr: interrupted\n"), number
        number += 1

    assert number > 30
    assert "Traceback" not in ended[1]


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("command", ["status", "pull", "--help", "completion"])
def test_ctrl_c_at_any_time_shows_no_traceback(command: str, tmp_path: Path) -> None:
    make_workspace(tmp_path)
    for number in range(300):
        with subprocess.Popen(
            [sys.executable, "-c", STARTED, command],
            cwd=tmp_path,
            env=environment("http://127.0.0.1:9"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(number / 300 * 0.4)  # noqa: TID251 - a real process, at any time
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=100)

        assert "Traceback" not in err, number
        assert "Exception ignored" not in err, number
        assert process.returncode in {0, 1, 2, 130, -signal.SIGINT}, number


@needs_full
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["--help"], ["jobs"]])
def test_a_full_disk_behind_the_output_is_named_in_one_line(
    command: list[str], unbuffered: str, tmp_path: Path
) -> None:
    with FULL.open("w") as full:
        ended = subprocess.run(
            [*PROGRAM, *command],
            cwd=tmp_path,
            env=environment(PYTHONUNBUFFERED=unbuffered),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    words = "ticketr: cannot write the output: No space left on device\n"
    assert (ended.returncode, ended.stderr) == (1, words)


def test_a_closed_pipe_prints_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        ended = subprocess.run(
            [*PROGRAM, "status", "--json"],
            cwd=tmp_path,
            env=environment(),
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (ended.returncode, ended.stderr) == (1, "")
