"""Output to a terminal that accepts nothing, is gone, or cannot be opened again."""

from __future__ import annotations

import os
import select
import tty
from collections.abc import Generator
from contextlib import closing

import pytest
import trio

from ticketr.terminal.device import Output


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

    with closing(Output(terminal)) as output:
        output.put(sent)  # far more than the terminal accepts
        output.put(b"end")
        with trio.fail_after(100):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(read)
                await output.flush()

    assert bytes(got) == sent + b"end"


async def test_a_cancelled_wait_loses_nothing(pty: tuple[int, int]) -> None:
    user, terminal = pty
    sent = b"x" * 100_000
    with closing(Output(terminal)) as output:
        output.put(sent)
        with trio.move_on_after(0.01) as scope:
            await output.flush()
        assert scope.cancelled_caught

        got = b""
        while len(got) < len(sent):
            got += read_all(user)
            output.put(b"")

        assert got == sent


async def test_the_last_words_take_the_place_of_what_was_kept(pty: tuple[int, int]) -> None:
    user, terminal = pty
    with closing(Output(terminal)) as output:
        output.put(b"x" * 100_000)
        taken = read_all(user)
        assert output.replace_unsent(b"bye", 0) is True

        assert read_all(user).lstrip(b"x") == b"bye"
        assert len(taken) < 100_000


async def test_the_last_words_to_a_terminal_that_takes_nothing_are_given_up(
    pty: tuple[int, int],
) -> None:
    _, terminal = pty
    with closing(Output(terminal)) as output:
        assert output.replace_unsent(b"bye" * 100_000, 0.01) is False

        output.put(b"x" * 100_000)
        with trio.move_on_after(0.05):  # until the terminal accepts nothing
            await output.flush()
        assert output.replace_unsent(b"bye" * 1000, 0.01) is False


async def test_nothing_is_written_to_a_terminal_that_is_gone(pty: tuple[int, int]) -> None:
    user, terminal = pty
    with closing(Output(terminal)) as output:
        os.close(user)

        output.put(b"text")

        assert output.hung_up
        await output.flush()  # returns at once
        assert output.replace_unsent(b"bye", 1) is False


async def test_a_terminal_that_goes_while_it_is_waited_for_ends_the_wait(
    pty: tuple[int, int],
) -> None:
    user, terminal = pty
    with closing(Output(terminal)) as output:
        output.put(b"x" * 100_000)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(output.flush)
            await trio.testing.wait_all_tasks_blocked()
            os.close(user)

        assert output.hung_up


async def test_the_descriptor_that_others_use_still_blocks(pty: tuple[int, int]) -> None:
    _, terminal = pty
    with closing(Output(terminal)):
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
    with closing(Output(terminal)) as output:
        output.put(sent)  # which would block here forever
        assert os.get_blocking(terminal)
        while len(got) < len(sent):
            got += read_all(user)
            with trio.move_on_after(0.01):
                await output.flush()

    assert got == sent


async def test_a_terminal_without_a_size_has_the_usual_one(pty: tuple[int, int]) -> None:
    with closing(Output(pty[1])) as output:
        assert output.size() == (80, 24)
