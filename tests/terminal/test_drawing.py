"""Test when a frame is written."""

from __future__ import annotations

import os
import tty
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import trio

from ticketr.terminal.device import Output
from ticketr.terminal.session import Terminal


async def test_a_frame_is_written_before_other_tasks_run() -> None:
    user, terminal = os.openpty()
    tty.setraw(terminal)
    screen: Any = SimpleNamespace(is_entered=True)
    unused: Any = None
    with closing(Output(terminal)) as output:
        session = Terminal(
            screen, output, unused, unused, encoding="utf-8", colors=False, environ={}
        )
        with trio.CancelScope() as scope:
            scope.cancel()  # the first checkpoint ends it
            await session.draw(["first"])
        written = os.read(user, 1024)
    os.close(user)
    os.close(terminal)

    assert scope.cancelled_caught
    assert b"first" in written
