"""The status line on a real terminal, and what remains of it after each kind of end."""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path

import pyte
import pytest
from fakes.ptys import Pty, job_on_pty

PROGRAM = str(Path(__file__).parents[1] / "fakes" / "pty_status.py")
GOING = r"\d+% \(\d+/100\) Going on"


def program(mode: str, *arguments: str) -> list[str]:
    return [sys.executable, PROGRAM, mode, *arguments]


def end_of(pty: Pty, last: str = "after\r\n") -> int:
    """Read the output until the program has ended; return its exit code."""
    pty.wait_for(last)
    return pty.wait_for_end()


def screen_of(pty: Pty) -> pyte.Screen:
    """Return the rows that the user sees, scrolled-off ones included."""
    screen = pyte.Screen(80, 2000)
    pyte.Stream(screen).feed(pty.output)
    return screen


def rows_of(screen: pyte.Screen) -> list[str]:
    rows = [row.rstrip() for row in screen.display]
    assert not any(rows[screen.cursor.y :]), "something is left below the cursor"
    return rows[: screen.cursor.y]


def assert_clean(pty: Pty) -> list[str]:
    """Assert that the line is erased and the terminal restored; return the rows."""
    screen = screen_of(pty)
    assert not screen.cursor.hidden
    assert screen.cursor.x == 0
    assert pty.modes() == pty.modes_before
    return rows_of(screen)


def test_after_a_normal_end_the_outcome_stays() -> None:
    with job_on_pty(program("noisy")) as pty:
        assert end_of(pty) == 0
        rows = assert_clean(pty)

    assert rows[-1] == "after"
    assert rows[-2].startswith("✓ Printing | ")


def test_what_is_printed_is_whole_and_in_order() -> None:
    with job_on_pty(program("noisy")) as pty:
        end_of(pty)
        rows = assert_clean(pty)

    expected = [
        text.format(row=row)
        for row in range(40)
        for text in (
            "out {row}",
            "err {row}",
            "log {row}",
            "thread {row}",
            "thread {row} again",
            "in mid row {row}",
            "one",
            "by one {row}",
        )
    ]
    assert rows[:-2] == expected
    assert pty.output.count("Printing") > 40  # the line was there all the time


def test_after_ctrl_c_the_line_is_gone() -> None:
    with job_on_pty(program("forever")) as pty:
        pty.wait_for(GOING)
        pty.type("\x03")
        assert end_of(pty, "KeyboardInterrupt\r\n") in {1, -signal.SIGINT}
        rows = assert_clean(pty)

    assert rows[-1].lstrip("| ") == "KeyboardInterrupt"
    assert not any("| ETA" in row for row in rows)


def test_after_an_error_the_line_is_gone(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with job_on_pty(program("boom", str(fifo))) as pty:
        pty.wait_for(GOING)
        fifo.write_bytes(b"")  # go on
        assert end_of(pty, "boom\r\n") == 1
        rows = assert_clean(pty)

    assert rows[-1] == "RuntimeError: boom"
    assert "Traceback (most recent call last):" in rows
    assert not any("| ETA" in row for row in rows)


def test_even_a_kill_leaves_the_cursor_and_the_modes() -> None:
    with job_on_pty(program("forever")) as pty:
        pty.wait_for(GOING)
        os.kill(pty.pid, signal.SIGKILL)
        assert pty.wait_for_end() == -signal.SIGKILL

        assert not screen_of(pty).cursor.hidden
        assert pty.modes() == pty.modes_before


def test_a_child_process_can_print_while_the_line_is_hidden() -> None:
    with job_on_pty(program("hidden")) as pty:
        pty.wait_for("child two")
        pty.wait_for(GOING)
        pty.type("\n")
        end_of(pty)
        rows = assert_clean(pty)

    assert rows[:2] == ["child one", "child two"]
    assert rows[-2].startswith("⊘ forever cancelled at ")


@pytest.mark.parametrize("width", [40, 100])
def test_a_new_width_redraws_the_line(width: int) -> None:
    with job_on_pty(program("forever")) as pty:
        pty.wait_for(GOING + r" \| \d+s \| ETA")
        pty.resize(width, 24)
        if width > 80:
            pty.wait_for(r"ctrl\+c cancel")
        else:
            pty.wait_for(r"\r(\x1b\[36m)?\d+% \(\d+/100\) Going on \| ETA")
        pty.type("\x03")
        end_of(pty, "KeyboardInterrupt\r\n")


def test_a_stalled_terminal_blocks_no_job(tmp_path: Path) -> None:
    done = tmp_path / "done"
    os.mkfifo(done)

    with job_on_pty(program("stalled", str(done))) as pty:
        # Opening waits until the program has counted; its terminal is not read meanwhile.
        assert done.read_text() == "all counted"
        pty.wait_for("✓[^\r]* Counting")  # once it is read, the line comes back
        pty.type("\n")
        assert end_of(pty) == 0


def read_until_quiet(pty: Pty) -> None:
    while select.select([pty._user], [], [], 0.3)[0]:
        pty._read()


def test_an_idle_line_writes_nothing() -> None:
    with job_on_pty(program("idle")) as pty:
        pty.wait_for("now idle\r\n")
        pty.wait_for("✓[^\r]* Counting[^\r]*\r")
        read_until_quiet(pty)  # a frame may come in pieces
        before = pty.output
        read_until_quiet(pty)
        assert pty.output == before
        pty.type("\n")
        pty.wait_for("after")


@pytest.mark.parametrize("kind", ["dumb", "unknown", ""])
def test_a_terminal_that_can_only_print_gets_plain_lines(kind: str) -> None:
    with job_on_pty(program("idle"), environ={"TERM": kind}) as pty:
        pty.wait_for("now idle")
        pty.type("\n")
        end_of(pty)

    assert "\x1b" not in pty.output
    assert [row for row in pty.output.splitlines() if row.startswith("Counting")]


def test_no_color_leaves_the_moves_and_takes_the_colours() -> None:
    with job_on_pty(program("noisy"), environ={"NO_COLOR": "1"}) as pty:
        end_of(pty)

    assert "\x1b[K" in pty.output
    assert "\x1b[3" not in pty.output


def test_an_encoding_that_lacks_the_characters_gets_others() -> None:
    environ = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    with job_on_pty(program("noisy"), environ=environ) as pty:
        end_of(pty)
        rows = assert_clean(pty)

    assert pty.output.isascii()
    assert rows[-2].startswith("+ Printing | ")
