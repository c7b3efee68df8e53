"""Pull on a terminal that is not read: the pull ends, and the screen is right once it is read."""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pyte
import pytest
from fakes.processes import PROGRAM, environment, sandbox_process
from fakes.ptys import Pty, job_on_pty, wait_until

from ticketr.app.config import STATE_FOLDER
from ticketr.app.tickets import parse

TICKETS = 900
WIDTH, HEIGHT = 100, 24
#: A number of tickets that shows that the pull is running and far from its end.
SOME = rf"\([1-9]\d*/{TICKETS}\) Pulling tickets"
COMPLETE = f"Pull complete: {TICKETS} tickets"
RESULT = f"{TICKETS} new, 0 updated, 0 unchanged"
REDRAW = "\x0c"
FRAME_BEGIN, FRAME_END = "\x1b[?2026h", "\x1b[?2026l"


def settled_in(folder: Path) -> int:
    """Return how many issues are on disk, by the workspace's state."""
    with closing(sqlite3.connect(folder / STATE_FOLDER / "state.db")) as state:
        return int(state.execute("SELECT count(*) FROM issue").fetchone()[0])


def issues_in(folder: Path) -> int:
    """Count the issues in the files; fail if a file is incomplete."""
    files = folder.glob("*.md")
    return sum(ticket.count() for path in files for ticket in parse(path.read_text()).tickets)


def is_being_pulled(folder: Path) -> bool:
    """Return whether a job holds the workspace's lock."""
    descriptor = os.open(folder / STATE_FOLDER / "lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def pull_to_the_end_unread(pty: Pty, folder: Path) -> None:
    """Stop reading during a pull, fill the terminal, and wait until all files are written."""
    pty.wait_for(SOME)
    pty.fill()
    assert pty.is_full()
    assert settled_in(folder) < TICKETS

    wait_until(lambda: not is_being_pulled(folder))

    assert pty.is_full()  # the terminal was never read, so nothing could be drawn
    assert settled_in(folder) == issues_in(folder) == TICKETS


def rows_on(pty: Pty) -> list[str]:
    """Return the rows that the user sees."""
    screen = pyte.Screen(WIDTH, HEIGHT)
    pyte.Stream(screen).feed(pty.output)
    return list(screen.display)


def wait_for_end_of_frame(pty: Pty, text: str) -> None:
    """Read until a frame with this text is complete."""
    pty.wait_for(rf"{re.escape(text)}[\s\S]*?{re.escape(FRAME_END)}")


@pytest.mark.unmeasured
def test_the_app_goes_on_pulling_on_a_terminal_that_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    demo = [*PROGRAM, "demo", f"--tickets={TICKETS}", "--latency=0.4", f"--folder={folder}"]
    with job_on_pty(demo, size=(WIDTH, HEIGHT)) as pty:
        pull_to_the_end_unread(pty, folder)

        wait_for_end_of_frame(pty, COMPLETE)
        late = pty.output.rpartition("\0")[2]
        # The state of the workspace is drawn with the result of the pull or in a later frame.
        while "synced now" not in "\n".join(shown := rows_on(pty)):
            pty.wait_for(re.escape(FRAME_END))
        pty.type(REDRAW)
        wait_for_end_of_frame(pty, COMPLETE)

        assert COMPLETE in shown[-1]
        assert shown == rows_on(pty)  # no row is left from drawing on the full terminal
        assert late.count(FRAME_BEGIN) <= 2  # the frames in between were skipped
        pty.type("q")
        assert pty.wait_for_end() == 0
        assert pty.is_restored()


@pytest.mark.unmeasured
def test_the_command_goes_on_pulling_on_a_terminal_that_is_not_read(tmp_path: Path) -> None:
    with (
        sandbox_process(tickets=TICKETS, latency=0.4) as url,
        job_on_pty(
            [*PROGRAM, "pull", f"--folder={tmp_path}"],
            size=(WIDTH, HEIGHT),
            environ=environment(url),
        ) as pty,
    ):
        pull_to_the_end_unread(pty, tmp_path)

        pty.wait_for(rf"{RESULT}\r+\n")
        assert pty.wait_for_end() == 0
        assert pty.modes() == pty.modes_before
        # The status line could not be erased in time, but the result has a line of its own.
        assert [row for row in rows_on(pty) if row.strip()][-1].rstrip() == RESULT
