"""Output to a terminal that accepts nothing, is gone, or cannot be opened again."""

from __future__ import annotations

import os
import pickle
import re
import select
import tty
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given, strategies as st
from rows import for_each

from ticketr.terminal import NotATerminal
from ticketr.terminal.device import BufferedOutput
from ticketr.terminal.keyboard import Keyboard, normal_and_slow_escape_waits
from ticketr.terminal.session import Terminal, diff
from ticketr.terminal.terminfo import SGR_CODE_BY_STYLE, TerminalKind, sgr
from ticketr.terminal.tokens import Event, HungUp, Key


@pytest.fixture
def pty() -> Generator[tuple[int, int]]:
    """Open a raw terminal; yield the user's end and the program's end."""
    user, terminal = os.openpty()
    tty.setraw(terminal)
    yield user, terminal
    for descriptor in (user, terminal):
        try:
            os.close(descriptor)
        except OSError:  # the test did
            continue


def read_all(descriptor: int) -> bytes:
    data = b""
    while select.select([descriptor], [], [], 0)[0]:
        data += os.read(descriptor, 1 << 16)
    return data


async def test_what_the_terminal_does_not_take_is_written_later_in_order(
    pty: tuple[int, int],
) -> None:
    user, terminal = pty
    sent = b"".join(b"%08d" % number for number in range(20_000))
    got = bytearray()

    async def read() -> None:
        while len(got) < len(sent) + 3:
            await trio.lowlevel.wait_readable(user)
            got.extend(os.read(user, 1 << 16))

    with closing(BufferedOutput(terminal)) as output:
        output.write_or_buffer(sent)  # far more than the terminal accepts
        output.write_or_buffer(b"end")
        with trio.fail_after(100):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(read)
                await output.flush()

    assert bytes(got) == sent + b"end"


async def test_a_cancelled_wait_loses_nothing(pty: tuple[int, int]) -> None:
    user, terminal = pty
    sent = b"x" * 100_000
    with closing(BufferedOutput(terminal)) as output:
        output.write_or_buffer(sent)
        with trio.move_on_after(0.01) as scope:
            await output.flush()
        assert scope.cancelled_caught

        got = b""
        while len(got) < len(sent):
            got += read_all(user)
            output.write_or_buffer(b"")

        assert got == sent


async def test_the_last_words_take_the_place_of_what_was_kept(pty: tuple[int, int]) -> None:
    user, terminal = pty
    with closing(BufferedOutput(terminal)) as output:
        output.write_or_buffer(b"x" * 100_000)
        taken = read_all(user)
        assert output.replace_unsent_and_write_blocking(b"bye") is True

        assert read_all(user).lstrip(b"x") == b"bye"
        assert len(taken) < 100_000


async def test_the_last_words_arrive_whole_while_the_terminal_accepts_them_in_parts(
    pty: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ticketr.terminal.device._LAST_WRITE_TIMEOUT_SECONDS", 60.0)
    user, terminal = pty
    words = b"bye" * 100_000

    def read() -> bytes:
        got = b""
        while len(got) < len(words):
            got += os.read(user, 1 << 16)
        return got

    with closing(BufferedOutput(terminal)) as output, ThreadPoolExecutor() as threads:
        got = threads.submit(read)
        assert output.replace_unsent_and_write_blocking(words) is True

        assert got.result() == words


async def test_the_last_words_to_a_terminal_that_takes_nothing_are_given_up(
    pty: tuple[int, int],
) -> None:
    _, terminal = pty
    with closing(BufferedOutput(terminal)) as output:
        assert output.replace_unsent_and_write_blocking(b"bye" * 100_000) is False

        output.write_or_buffer(b"x" * 100_000)
        with trio.move_on_after(0.05):  # until the terminal accepts nothing
            await output.flush()
        assert output.replace_unsent_and_write_blocking(b"bye" * 1000) is False


async def test_nothing_is_written_to_a_terminal_that_is_gone(pty: tuple[int, int]) -> None:
    user, terminal = pty
    with closing(BufferedOutput(terminal)) as output:
        os.close(user)

        output.write_or_buffer(b"text")

        assert output.hung_up
        await output.flush()  # returns at once
        assert output.replace_unsent_and_write_blocking(b"bye") is False


async def test_a_terminal_that_goes_while_it_is_waited_for_ends_the_wait(
    pty: tuple[int, int],
) -> None:
    user, terminal = pty
    with closing(BufferedOutput(terminal)) as output:
        output.write_or_buffer(b"x" * 100_000)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(output.flush)
            await trio.testing.wait_all_tasks_blocked()
            os.close(user)

        assert output.hung_up


async def test_the_descriptor_that_others_use_still_blocks(pty: tuple[int, int]) -> None:
    _, terminal = pty
    with closing(BufferedOutput(terminal)):
        assert os.get_blocking(terminal)


async def test_where_it_cannot_be_opened_again_it_is_written_in_small_pieces(
    pty: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    user, terminal = pty

    def refuse(descriptor: int) -> str:
        raise PermissionError(descriptor)

    monkeypatch.setattr(os, "ttyname", refuse)
    sent = b"x" * 100_000
    got = b""
    with closing(BufferedOutput(terminal)) as output:
        output.write_or_buffer(sent)  # which would block here forever
        assert os.get_blocking(terminal)
        while len(got) < len(sent):
            got += read_all(user)
            with trio.move_on_after(0.01):
                await output.flush()

    assert got == sent


async def test_a_terminal_without_a_size_has_the_usual_one(pty: tuple[int, int]) -> None:
    with closing(BufferedOutput(pty[1])) as output:
        assert output.size() == (80, 24)


async def test_a_frame_is_written_before_other_tasks_run() -> None:
    user, terminal = os.openpty()
    tty.setraw(terminal)
    screen: Any = SimpleNamespace(is_entered=True)
    unused: Any = None
    with closing(BufferedOutput(terminal)) as output:
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


@pytest.fixture
def plain_pty() -> Generator[tuple[int, int]]:
    """Open a terminal; yield the user's end, which the test closes, and the program's end."""
    user, terminal = os.openpty()
    tty.setraw(terminal)
    yield user, terminal
    os.close(terminal)


@pytest.fixture(scope="module")
def kind() -> TerminalKind:
    return TerminalKind("xterm-256color")


def deaf(data: bytes) -> None:
    """Ignore output."""


@for_each(
    ("environ", "waits"),
    [
        ({}, (0.025, 0.12)),
        ({"SSH_CONNECTION": "192.0.2.1 5 192.0.2.2 22"}, (0.12, 0.12)),
        ({"SSH_TTY": "/dev/pts/1"}, (0.12, 0.12)),
        ({"SSH_CLIENT": ""}, (0.025, 0.12)),
        ({"ESCDELAY": "50"}, (0.05, 0.05)),
        ({"ESCDELAY": "50", "SSH_TTY": "/dev/pts/1"}, (0.05, 0.05)),
        ({"ESCDELAY": "0"}, (0, 0)),
        ({"ESCDELAY": "999999"}, (10, 10)),
        ({"ESCDELAY": "-5"}, (0, 0)),
        ({"ESCDELAY": "soon"}, (0.025, 0.12)),
        ({"ESCDELAY": ""}, (0.025, 0.12)),
    ],
)
def test_the_wait_for_an_escape_depends_on_the_line_and_can_be_set(
    environ: dict[str, str], waits: tuple[float, float]
) -> None:
    assert normal_and_slow_escape_waits(environ) == waits


async def test_keys_arrive_in_order_and_a_hang_up_last(
    plain_pty: tuple[int, int], kind: TerminalKind
) -> None:
    user, terminal = plain_pty
    send, events = trio.open_memory_channel[Event](10)
    with (
        trio.fail_after(100),
        closing(Keyboard(terminal, kind, "utf-8", (0.04, 0.12), deaf)) as keyboard,
    ):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keyboard.read, send)
            os.write(user, "é\x1b[Aq".encode())
            heard = [await events.receive() for _ in range(3)]
            os.close(user)
            heard.append(await events.receive())

    assert heard == [Key("é", "é"), Key("KEY_UP"), Key("q", "q"), HungUp()]


async def test_another_encoding_is_understood(
    plain_pty: tuple[int, int], kind: TerminalKind
) -> None:
    user, terminal = plain_pty
    send, events = trio.open_memory_channel[Event](10)
    with (
        trio.fail_after(100),
        closing(Keyboard(terminal, kind, "latin-1", (0.04, 0.12), deaf)) as keyboard,
    ):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keyboard.read, send)
            os.write(user, b"\xe9")

            assert await events.receive() == Key("é", "é")
            nursery.cancel_scope.cancel()
    os.close(user)


async def test_a_pause_in_a_pause_ends_with_the_first_resume(
    plain_pty: tuple[int, int], kind: TerminalKind
) -> None:
    user, terminal = plain_pty
    send, events = trio.open_memory_channel[Event](10)
    with (
        trio.fail_after(100),
        closing(Keyboard(terminal, kind, "utf-8", (0.04, 0.12), deaf)) as keyboard,
    ):
        keyboard.pause_reading()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keyboard.read, send)
            os.write(user, b"q")
            await trio.testing.wait_all_tasks_blocked(0.05)
            with pytest.raises(trio.WouldBlock):
                events.receive_nowait()
            keyboard.pause_reading()
            keyboard.resume_reading()

            assert await events.receive() == Key("q", "q")
            nursery.cancel_scope.cancel()
    os.close(user)


_PART = re.compile(r"\x1b\[([0-9;]*)([HKm])|([^\x1b]+)")


def shown(rows: list[str], sent: str, height: int) -> list[str]:
    """Return the characters on a screen after this output."""
    screen = [*rows, *[""] * (height - len(rows))]
    row = 0
    for numbers, kind, text in _PART.findall(sent):
        if kind == "H":
            row = int(numbers.split(";")[0]) - 1
        elif kind == "K":
            screen[row] = ""
        elif not kind:
            screen[row] += text
    return screen


rows = st.lists(st.text("abc é中", max_size=6), max_size=6)


@given(rows, rows)
def test_the_difference_turns_one_frame_into_the_other(before: list[str], after: list[str]) -> None:
    height = max(len(before), len(after))

    assert shown(before, diff(before, after), height) == [*after, *[""] * (height - len(after))]


@given(rows)
def test_equal_frames_differ_by_nothing(frame: list[str]) -> None:
    assert diff(frame, list(frame)) == ""


def test_only_changed_rows_are_written() -> None:
    assert diff(["one", "two", "three"], ["one", "2", "three"]) == "\x1b[2;1H\x1b[K2"


def test_a_row_that_was_there_is_cleared() -> None:
    assert diff(["one", "two"], ["one"]) == "\x1b[2;1H\x1b[K"


def test_unknown_rows_are_all_written_even_empty_ones() -> None:
    assert diff([None, None, None], ["one", ""]) == (
        "\x1b[1;1H\x1b[Kone\x1b[2;1H\x1b[K\x1b[3;1H\x1b[K"
    )


def test_a_style_does_not_run_on_into_the_next_row() -> None:
    assert diff([], ["\x1b[31mred", "plain"]) == (
        "\x1b[1;1H\x1b[K\x1b[31mred\x1b[m\x1b[2;1H\x1b[Kplain"
    )


def test_a_changed_style_is_a_change() -> None:
    assert diff([sgr("x", "bold")], ["x"]) == "\x1b[1;1H\x1b[Kx"


@for_each("name", SGR_CODE_BY_STYLE)
def test_every_style_is_known_and_ends_where_it_should(name: str) -> None:
    text = sgr("x", name)

    assert text.startswith("\x1b[")
    assert text.endswith("mx\x1b[m")


def test_styles_are_distinct() -> None:
    assert len({sgr("x", name) for name in SGR_CODE_BY_STYLE}) == len(SGR_CODE_BY_STYLE)


def test_styles_are_put_together() -> None:
    assert sgr("x", "bold", "cyan") == "\x1b[1;36mx\x1b[m"


def test_without_colours_the_attributes_except_dim_are_left() -> None:
    assert sgr("x", "bold", "dim", "reverse", "red", colors=False) == "\x1b[1;7mx\x1b[m"
    assert sgr("x", "italic", "underline", "strike", colors=False) == "\x1b[3;4;9mx\x1b[m"
    assert sgr("x", "red", colors=False) == "x"


def test_no_style_and_no_text_need_no_sequence() -> None:
    assert sgr("x") == "x"
    assert sgr("", "bold") == ""


def test_the_message_says_what_is_missing_and_what_to_do() -> None:
    error = NotATerminal("standard input is not a terminal")

    assert str(error) == (
        "the full-screen app needs a terminal: standard input is not a terminal; "
        "use --plain instead"
    )
    assert pickle.loads(pickle.dumps(error)).problem == error.problem
