"""Test the program around its commands: errors, streams, modules, the screen, questions."""

from __future__ import annotations

import errno
import json
import logging
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import click
import pytest
from fakes.processes import LONG, PROGRAM, environment, make_workspace, sandbox_thread
from fakes.ptys import job_on_pty, ticketr_on_pty
from fakes.states import snapshot
from fakes.users import User, ticketr_here

from ticketr import JobProgress, JobStatus
from ticketr._errors import TicketrError
from ticketr.app.cli import app
from ticketr.app.cli.help import COMMAND_GROUPS
from ticketr.app.cli.screen import cancelled_job_messages, read_keymap, status_line_style
from ticketr.app.sync import DuplicateKey
from ticketr.app.tui.jobs_state import QUIET_TAG
from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.terminal import Terminal


def ended_with(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> int | str | None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(app.cli, "main", fail)
    monkeypatch.setattr("sys.argv", ["ticketr", *arguments])
    with pytest.raises(SystemExit) as caught:
        app.main()
    return caught.value.code


def test_an_error_of_ticketr_is_one_clean_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended_with(TicketrError("a\x1b[2Jb\nc"), monkeypatch) == 1
    assert capsys.readouterr().err == "ticketr: ab c\n"


def test_a_bug_of_ticketr_is_reported_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended_with(ValueError("oops"), monkeypatch) == 1
    error = capsys.readouterr().err
    assert "this should not happen (ValueError: oops)" in error
    assert "Traceback" not in error


def test_debug_shows_where_a_fault_came_from(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert ended_with(ValueError("oops"), monkeypatch, "--debug") == 1
    assert caplog.records[0].exc_info is not None


def test_debug_counts_for_one_command(tmp_path: Path) -> None:
    ticketr_here("--debug", "list", folder=tmp_path)
    assert logging.getLogger("ticketr").isEnabledFor(logging.DEBUG)

    ticketr_here("list", folder=tmp_path)
    assert not logging.getLogger("ticketr").isEnabledFor(logging.DEBUG)


def test_an_error_of_a_file_is_not_taken_for_one_of_the_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = OSError(errno.ENOSPC, "No space left on device")

    assert ended_with(error, monkeypatch) == 1
    assert "this should not happen" in capsys.readouterr().err


def test_a_group_without_ctrl_c_in_it_is_not_kept_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended_with(BaseExceptionGroup("", [GeneratorExit()]), monkeypatch) == 1

    assert "this should not happen (GeneratorExit: )" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (click.exceptions.Abort(), "\nticketr: interrupted\n"),
        (KeyboardInterrupt(), "ticketr: interrupted\n"),
        (BaseExceptionGroup("", [KeyboardInterrupt()]), "ticketr: interrupted\n"),
    ],
    ids=["at a question", "alone", "out of a nursery"],
)
def test_ctrl_c_outside_a_job_ends_with_130_and_a_message(
    error: BaseException,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    codes: list[int] = []

    def leave(code: int) -> None:
        codes.append(code)
        raise SystemExit(code)

    monkeypatch.setattr("os._exit", leave)

    assert ended_with(error, monkeypatch) == 130
    assert codes == [130]
    assert capsys.readouterr().err == words


def test_a_folder_that_is_gone_is_reported(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    line = 'rmdir "$PWD" && exec "$@"'
    ended = subprocess.run(
        ["/bin/sh", "-c", line, "sh", *PROGRAM, "status"],
        cwd=gone,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )

    words = "ticketr: the current folder is not there any more; change to another\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", words)


OURS = DuplicateKey("A-1", "a.md", "b.md")


def group(*errors: BaseException) -> BaseException:
    return BaseExceptionGroup("Exceptions from Trio nursery", errors)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (group(OURS), 1, "ticketr: A-1 is in a.md and in b.md; keep one of them\n"),
        (group(ValueError("x"), group(group(OURS))), 1, f"ticketr: {OURS}\n"),
        (group(OURS, KeyboardInterrupt()), 130, "ticketr: interrupted\n"),
        (group(click.UsageError("say which")), 2, "ticketr: say which\n"),
        (group(group(click.Abort())), 130, "\nticketr: interrupted\n"),
        (group(SystemExit(3), OURS), 3, ""),
        (group(SystemExit("no")), 1, ""),
    ],
)
def test_the_errors_in_a_group_are_reported(
    someone: User, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str
) -> None:
    def fails(**_: object) -> None:
        raise error

    monkeypatch.setattr(app.cli, "main", fails)

    told = someone.runs("status")

    assert (told.code, told.err) == (code, words)


def test_an_unexpected_error_is_named_and_not_its_group(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep: BaseException = ZeroDivisionError("oh")
    for _ in range(5000):
        deep = group(deep)

    def fails(**_: object) -> None:
        raise deep

    monkeypatch.setattr(app.cli, "main", fails)

    told = someone.runs("status")

    assert told.code == 1
    assert "(ZeroDivisionError: oh)" in told.err
    assert "Trio nursery" not in told.err
    assert not isinstance(deep, TicketrError)


FILE = "# TICKET: [DEMO-1] Search that forgives\n\n## Fields\n\nStatus: To Do\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    make_workspace(tmp_path)
    (tmp_path / "DEMO-1.md").write_text(FILE, encoding="utf-8")
    return tmp_path


def test_plain_prints_tickets_and_edits_and_the_commands(workspace: Path) -> None:
    ended = ticketr_here("--plain", folder=workspace)

    assert ended.returncode == 0, ended.stderr
    assert "DEMO-1" in ended.stdout.splitlines()[0]
    first, *commands, last = ended.stderr.splitlines()[-len(COMMAND_GROUPS["Daily"]) - 2 :]
    assert first == "Without a screen, these commands do the same as the app:"
    assert commands[2] == "ticketr sync: Pull, merge and push in one go."
    assert last == "ticketr --help: list all commands"
    assert "\x1b" not in ended.stdout + ended.stderr


def test_plain_opens_no_screen_and_asks_nothing_in_a_terminal(workspace: Path) -> None:
    with ticketr_on_pty(workspace, "--plain", env=environment()) as pty:
        assert pty.wait_for_end() == 0

        assert "Search that forgives" in pty.output
        assert "ticketr --help: list all commands" in pty.output
        assert "\x1b[?1049h" not in pty.output


def test_plain_tells_of_a_broken_file_by_its_exit_code(workspace: Path) -> None:
    (workspace / "bad.md").write_text("<<<<<<< HEAD\n# TICKET: [DEMO-2] Two\n", encoding="utf-8")

    ended = ticketr_here("--plain", folder=workspace)

    assert ended.returncode == 1
    assert "bad.md:1" in ended.stderr + ended.stdout
    assert ended.stderr.splitlines()[-1] == "ticketr --help: list all commands"


@pytest.mark.parametrize(
    ("option", "name"), [("--ascii", "TICKETR_ASCII"), ("--no-mouse", "TICKETR_NO_MOUSE")]
)
def test_an_option_does_what_its_variable_does(
    option: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "")

    app.cli.main([option, "completion", "bash"], standalone_mode=False)

    assert os.environ[name] == "1"


class Plain:
    """A terminal with the two attributes that the tests need."""

    colors = False
    unicode = True


@pytest.mark.parametrize("name", ["TICKETR_NO_MOTION", "REDUCED_MOTION"])
def test_without_motion_the_app_shows_no_spinner(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = cast("Terminal", Plain())
    monkeypatch.delenv("TICKETR_NO_MOTION", raising=False)
    monkeypatch.delenv("REDUCED_MOTION", raising=False)
    assert status_line_style(terminal).motion

    monkeypatch.setenv(name, "1")

    assert not status_line_style(terminal).motion


def test_the_terminal_decides_what_it_supports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TICKETR_ASCII", "1")

    style = status_line_style(cast("Terminal", Plain()))

    assert (style.color, style.unicode) == (False, True)


def test_the_keys_of_the_user_are_those_of_the_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKETR_CONFIG_DIR", str(tmp_path))
    assert read_keymap() == KeyMap()
    config = tmp_path / "config.toml"
    config.touch(mode=0o600)
    config.write_text('[keys]\npull = "F8"\n')

    assert read_keymap().key_name(KeyAction.PULL, Context.MAIN) == "F8"


def test_every_job_that_was_cancelled_is_told() -> None:
    one, two = (
        replace(
            snapshot(JobStatus.CANCELLED, job=job),
            cancel_requested=True,
            progress=JobProgress(job, 1, 2, message=f"Cancelled: {job}/9 pulled", revision=1),
        )
        for job in ("1", "2")
    )
    waited = replace(one, progress=None)

    unasked = replace(one, tags=frozenset({QUIET_TAG}))
    words = cancelled_job_messages([one, snapshot(JobStatus.COMPLETED), waited, unasked, two])

    assert words == ["Cancelled: 1/9 pulled", "Cancelled: 2/9 pulled"]


def test_a_job_that_failed_in_the_app_leaves_no_traceback_behind(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    with (
        sandbox_thread(tickets=1) as url,
        ticketr_on_pty(tmp_path, env=environment(url, JIRA_API_TOKEN="expired")) as pty,
    ):
        pty.wait_for("No tickets here yet")
        pty.type("P")
        pty.wait_for("✗")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert "Traceback" not in pty.output


def test_a_key_that_cannot_be_is_named_before_the_screen_opens(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    settings = tmp_path / "settings"
    settings.mkdir(mode=0o700)
    file = settings / "config.toml"
    file.touch(mode=0o600)
    file.write_text('[keys]\npull = "W"\npush = "W"\n')
    environ = environment("http://127.0.0.1:1", TICKETR_CONFIG_DIR=str(settings))

    with ticketr_on_pty(tmp_path, env=environ) as pty:
        assert pty.wait_for_end() == 2

        assert "config.toml:3: W would be both pull and push in the main screen" in pty.output
        assert "\x1b[?1049h" not in pty.output


LISTING = """
import sys
from ticketr.app.cli import main
sys.argv[0] = 'ticketr'
try: main()
except SystemExit as end: code = end.code
print(code or 0, *sys.modules)
"""
#: What only other commands need, or tickets that are not in these tests.
RARE = {
    *("anyio", "h2", "marklas", "zoneinfo", "rich", "ticketr._install"),
    *("ticketr.app.config.state_names", "ticketr.app.config.token_command"),
    *("ticketr.app.jira.adf._conversion", "ticketr.app.sync.pull.downloading"),
    *("ticketr.app.sync.compare.diff3", "ticketr.app.sync.compare.merge"),
    *("ticketr.app.sync.push.creating", "ticketr.app.sync.push.recovery"),
    *(f"ticketr.app.tickets.{name}" for name in ("filterable", "filter")),
}


def loaded(command: str, folder: Path, env: Mapping[str, str]) -> set[str]:
    """Run a command in a process of its own; return the modules that it has loaded."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", LISTING, command, *(["--yes"] if command == "push" else [])],
        cwd=folder,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    code, *names = done.stdout.splitlines()[-1].split()
    assert code == "0", done.stderr
    return set(names)


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return the modules of a pull that finds nothing new, and of a push of one title."""
    folder = tmp_path_factory.mktemp("work")
    make_workspace(folder)
    with sandbox_thread(tickets=5) as url:
        env = environment(url)
        loaded("pull", folder, env)
        pulled = loaded("pull", folder, env)
        path = folder / "DEMO-1.md"
        heading, _, rest = path.read_text().partition("\n")
        path.write_text(f"{heading} again\n{rest}")
        return {"pull": pulled, "push": loaded("push", folder, env)}


@pytest.mark.unmeasured
@pytest.mark.parametrize("command", ["pull", "push"])
def test_the_command_loads_nothing_that_few_runs_need(
    command: str, modules: dict[str, set[str]]
) -> None:
    assert [name for name in RARE if find_spec(name) is None] == []
    assert modules[command].isdisjoint(RARE), sorted(modules[command] & RARE)


needs_full_device = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no /dev/full"
)


def shell(
    *arguments: str, streams: str, folder: Path, url: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command as a shell does that redirects its streams."""
    return subprocess.run(
        ["/bin/sh", "-c", f"exec {shlex.join([*PROGRAM, *arguments])} {streams}"],
        cwd=folder,
        env=environment(url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )


@needs_full_device
@pytest.mark.parametrize(
    ("command", "streams", "code"),
    [
        (["pull"], "2>/dev/full", 2),
        (["pull"], "2>&-", 2),
        (["nonsense"], "2>/dev/full <&-", 2),
        (["nonsense"], "2>&- <&-", 2),
        (["workspace", "list"], "2>/dev/full", 0),
    ],
)
def test_an_error_that_cannot_be_printed_changes_no_exit_code(
    command: list[str], streams: str, code: int, tmp_path: Path
) -> None:
    ended = shell(*command, streams=streams, folder=tmp_path)

    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "", "")


@needs_full_device
@pytest.mark.parametrize("streams", ["2>/dev/full", "2>&- <&-"])
def test_work_is_done_although_nothing_can_be_printed(tmp_path: Path, streams: str) -> None:
    make_workspace(tmp_path)
    with sandbox_thread(tickets=3) as url:
        pulled = shell("pull", "--json", streams=streams, folder=tmp_path, url=url)
        path = tmp_path / "DEMO-1.md"
        path.write_text(path.read_text().replace("] ", "] Mine: ", 1))
        pushed = shell("push", "--json", streams=streams, folder=tmp_path, url=url)
        path.write_text(path.read_text().replace("Type: ", "Type: No ", 1))
        refused = shell("sync", streams=streams, folder=tmp_path, url=url)

    assert (pulled.returncode, json.loads(pulled.stdout)["new"]) == (0, 3)
    assert [each["key"] for each in json.loads(pushed.stdout)["updated"]] == ["DEMO-1"]
    assert (pushed.returncode, refused.returncode, refused.stdout) == (0, 3, "")
    state = (tmp_path / ".ticketr" / "state.db").read_bytes()
    assert state.startswith(b"SQLite format 3")  # no output was written into it


@needs_full_device
@pytest.mark.parametrize(
    ("command", "streams", "words"),
    [
        (["status", "--json"], ">&-", "ticketr: cannot write the output: it is closed\n"),
        (["--version"], ">&-", "ticketr: cannot write the output: it is closed\n"),
        (["status"], ">/dev/full 2>/dev/full", ""),
        (["status"], ">&- 2>&- <&-", ""),
    ],
)
def test_an_output_that_cannot_be_written_is_an_error(
    command: list[str], streams: str, words: str, tmp_path: Path
) -> None:
    ended = shell(*command, streams=streams, folder=tmp_path)

    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", words)


@needs_full_device
def test_a_command_that_writes_no_output_needs_none(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    with sandbox_thread(tickets=3) as url:
        ended = shell("pull", streams=">&-", folder=tmp_path, url=url)

    assert ended.returncode == 0
    assert "3 new" in ended.stderr
    assert (tmp_path / "DEMO-1.md").exists()


# The stream interrupts the program as it flushes the question, where input() discards the error.
ASKING = """
import io, signal, sys

class Interrupting(io.TextIOWrapper):
    shown = ""
    def write(self, text):
        self.shown += text
        return super().write(text)
    def flush(self):
        super().flush()
        if self.shown.endswith(": "):
            self.shown = ""
            signal.raise_signal(signal.SIGINT)

sys.stderr = Interrupting(open(2, "wb", buffering=0), write_through=True)

import click
from ticketr.app.cli.console import ask, confirm

try:
    print("answer:", {question}, flush=True)
except click.Abort:
    print("aborted", flush=True)
"""


@pytest.mark.parametrize(
    ("question", "answer"),
    [("confirm('Send it?')", "y\r"), ("ask('Site')", "a.example\r")],
    ids=["a question", "a text"],
)
def test_ctrl_c_while_a_question_is_printed_ends_it(question: str, answer: str) -> None:
    command = [sys.executable, "-c", ASKING.replace("{question}", question)]

    with job_on_pty(command) as pty:
        pty.wait_for(": ")
        pty.type(answer)
        pty.wait_for("aborted")
        assert pty.wait_for_end() == 0


def test_an_answer_without_ctrl_c_counts() -> None:
    program = ASKING.replace("{question}", "confirm('Send it?')").replace("raise_signal", "Signals")

    with job_on_pty([sys.executable, "-c", program]) as pty:
        pty.wait_for(": ")
        pty.type("y\r")
        pty.wait_for("answer: True")
