from __future__ import annotations

import os
import tty
from collections.abc import Generator
from contextlib import closing

import pytest
import trio
import trio.testing

from ticketr.terminal.events import Event, HungUp, Key
from ticketr.terminal.keyboard import Keyboard, escape_wait
from ticketr.terminal.terminfo import TerminalKind


@pytest.fixture
def pty() -> Generator[tuple[int, int]]:
    """Open a terminal; yield the user's end, which the test closes, and the program's end."""
    user, terminal = os.openpty()
    tty.setraw(terminal)
    yield user, terminal
    os.close(terminal)


@pytest.fixture(scope="module")
def kind() -> TerminalKind:
    return TerminalKind("xterm-256color")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("25", 0.025), ("0", 0), ("999999", 10), ("-5", 0), ("soon", 0.04), ("", 0.04), (None, 0.04)],
)
def test_the_wait_for_an_escape_is_given_in_milliseconds(value: str | None, seconds: float) -> None:
    assert escape_wait({} if value is None else {"ESCDELAY": value}) == seconds


async def test_keys_arrive_in_order_and_a_hang_up_last(
    pty: tuple[int, int], kind: TerminalKind
) -> None:
    user, terminal = pty
    send, events = trio.open_memory_channel[Event](10)
    with trio.fail_after(100), closing(Keyboard(terminal, kind, "utf-8", 0.04)) as keyboard:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keyboard.read, send)
            os.write(user, "é\x1b[Aq".encode())
            heard = [await events.receive() for _ in range(3)]
            os.close(user)
            heard.append(await events.receive())

    assert heard == [Key("é", "é"), Key("KEY_UP"), Key("q", "q"), HungUp()]


async def test_another_encoding_is_understood(pty: tuple[int, int], kind: TerminalKind) -> None:
    user, terminal = pty
    send, events = trio.open_memory_channel[Event](10)
    with trio.fail_after(100), closing(Keyboard(terminal, kind, "latin-1", 0.04)) as keyboard:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keyboard.read, send)
            os.write(user, b"\xe9")

            assert await events.receive() == Key("é", "é")
            nursery.cancel_scope.cancel()
    os.close(user)


async def test_a_pause_in_a_pause_ends_with_the_first_resume(
    pty: tuple[int, int], kind: TerminalKind
) -> None:
    user, terminal = pty
    send, events = trio.open_memory_channel[Event](10)
    with trio.fail_after(100), closing(Keyboard(terminal, kind, "utf-8", 0.04)) as keyboard:
        keyboard.pause()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keyboard.read, send)
            os.write(user, b"q")
            await trio.testing.wait_all_tasks_blocked(0.05)
            with pytest.raises(trio.WouldBlock):
                events.receive_nowait()
            keyboard.pause()
            keyboard.resume()

            assert await events.receive() == Key("q", "q")
            nursery.cancel_scope.cancel()
    os.close(user)
