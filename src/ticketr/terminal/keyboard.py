"""Reads keys: bytes from the terminal become characters, tokens, events."""

from __future__ import annotations

import codecs
import math
import os
from typing import TYPE_CHECKING, Final

import trio

from ticketr.terminal.device import reopen, wait_for_foreground
from ticketr.terminal.events import Event, HungUp, Paste
from ticketr.terminal.tokens import ESC_WAIT, Tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr.terminal.naming import TerminalKind

_MOST: Final = 1 << 16


def escape_wait(environ: Mapping[str, str]) -> float:
    """How many seconds an Esc is held: ESCDELAY, which ncurses reads too, is in milliseconds."""
    try:
        return min(max(int(environ["ESCDELAY"]), 0), 10_000) / 1000
    except (KeyError, ValueError):
        return ESC_WAIT


class Keyboard:
    """The keys of a terminal.

    Args:
        descriptor: the terminal's.
        kind: names the keys.
        encoding: what its bytes mean.
        wait: seconds that a lone Esc is held.
    """

    def __init__(self, descriptor: int, kind: TerminalKind, encoding: str, wait: float) -> None:
        self._descriptor, _ = reopen(descriptor, os.O_RDONLY)
        self._kind = kind
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._tokenizer = Tokenizer(wait)
        self._may_read = trio.Event()
        self._may_read.set()

    async def read(self, send: trio.MemorySendChannel[Event]) -> None:
        """Send keys and pastes until the terminal hangs up; that is sent last."""
        while (tokens := await self._tokens()) is not None:
            for token in tokens:
                event = token if isinstance(token, Paste) else self._kind.key(token)
                if event is not None:
                    await send.send(event)
        await send.send(HungUp())

    def pause(self) -> None:
        """Read nothing for a while: what is typed now is the shell's."""
        if self._may_read.is_set():
            self._may_read = trio.Event()

    def go_on(self) -> None:
        """End a pause."""
        self._may_read.set()

    def close(self) -> None:
        """Give the descriptor back; whoever still waits for a key gets an error."""
        trio.lowlevel.notify_closing(self._descriptor)
        os.close(self._descriptor)

    async def _tokens(self) -> list[str | Paste] | None:
        """Wait for input, or for what is held to be given up; None once the terminal is gone."""
        pending = self._tokenizer.pending
        with trio.move_on_after(math.inf if pending is None else pending) as waiting:
            await trio.lowlevel.wait_readable(self._descriptor)
        if waiting.cancelled_caught:
            return self._tokenizer.flush()
        await wait_for_foreground(self._descriptor)  # reading before would stop the whole program
        await self._may_read.wait()
        try:
            data = os.read(self._descriptor, _MOST)
        except BlockingIOError:  # somebody else took it
            return []
        except OSError:
            return None
        return self._tokenizer.feed(self._decoder.decode(data)) if data else None
