"""Test what the program prints for each kind of error, and its exit code."""

from __future__ import annotations

import errno
import subprocess
from pathlib import Path

import click
import pytest
from fakes.processes import PROGRAM, environment

from ticketr._errors import TicketrError
from ticketr.app.cli import app
from ticketr.app.config import MissingSetting


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


def test_a_missing_setting_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended_with(MissingSetting(("X",), "say it"), monkeypatch) == 2
    assert capsys.readouterr().err == "ticketr: X is not set: say it\n"


def test_wrong_usage_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended_with(click.UsageError("no such thing"), monkeypatch) == 2
    assert "no such thing" in capsys.readouterr().err


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
        timeout=50,
        check=False,
    )

    words = "ticketr: the current folder is not there any more; change to another\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", words)
