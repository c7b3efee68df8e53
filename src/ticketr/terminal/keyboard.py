"""Read a terminal's bytes and convert them to characters, tokens and events."""

from __future__ import annotations

import codecs
import fcntl
import math
import os
import select
import signal
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Final

import trio

from ticketr.terminal.device import wait_for_foreground
from ticketr.terminal.key_protocol import KeyProtocol
from ticketr.terminal.tokens import (
    ESC_WAIT,
    SLOW_ESC_WAIT,
    Event,
    HungUp,
    Paste,
    Tokenizer,
    read_report,
    to_legacy_token,
)
from ticketr.tty import reopen_nonblocking_or_dup

if TYPE_CHECKING:
    from ticketr.terminal.terminfo import TerminalKind

#: The most bytes of one read.
_MAX_READ_BYTES: Final = 1 << 16


#: Seconds after which a program hangs that has not read a key.
_PROGRAM_HANGS_AFTER_SECONDS: Final = 1.0
#: Keys that the terminal makes signals of without the kitty keyboard protocol.
_SIGNAL_BY_KEY: Final = {"\x03": signal.SIGINT, "\x1a": signal.SIGTSTP, "\x1c": signal.SIGQUIT}


def normal_and_slow_escape_waits(environ: Mapping[str, str]) -> tuple[float, float]:
    """Return for how many seconds to hold an Esc, and for how many on a slow line.

    These are ncurses' ESCDELAY (in ms) or the defaults; a line of SSH may be slow.
    """
    try:
        wait = min(max(int(environ["ESCDELAY"]), 0), 10_000) / 1000
    except (KeyError, ValueError):
        is_remote = any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))
        return (SLOW_ESC_WAIT if is_remote else ESC_WAIT), SLOW_ESC_WAIT
    return wait, wait


class Keyboard:
    """The keyboard of a terminal.

    Args:
        descriptor: A descriptor of the terminal.
        kind: Names the keys.
        encoding: The encoding of the terminal's bytes.
        waits: Seconds for which a lone Esc is held, at first and on a slow line.
        write: Writes to the terminal.

    Attributes:
        protocol: Takes the terminal's answers.
    """

    def __init__(
        self,
        descriptor: int,
        kind: TerminalKind,
        encoding: str,
        waits: tuple[float, float],
        write: Callable[[bytes], object],
    ) -> None:
        self._descriptor, is_own = reopen_nonblocking_or_dup(descriptor, os.O_RDONLY)
        self._kind = kind
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._tokenizer = Tokenizer(*waits)
        self._write = write
        self.protocol = KeyProtocol(write)
        self._may_read = trio.Event()
        self._may_read.set()
        self._unread_since: float | None = None
        self._hung = False
        self._handler = signal.signal(signal.SIGIO, self._restore_keys_if_program_hangs)
        if is_own:  # else the flag would also be the shell's
            fcntl.fcntl(self._descriptor, fcntl.F_SETOWN, os.getpid())
            flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags | os.O_ASYNC)

    async def read(self, send: trio.MemorySendChannel[Event]) -> None:
        """Send keys and pastes, and `HungUp` at the end of the terminal's input."""
        while (tokens := await self._wait_for_tokens()) is not None:
            for token in tokens:
                event = self._signal_or_event(token)
                if event is not None:
                    await send.send(event)
        await send.send(HungUp())

    async def drain_until_answered(self) -> None:
        """Read until the terminal has answered or is gone; what is typed is forgotten."""
        while self.protocol.is_waiting and await self._wait_for_tokens() is not None:
            pass

    def drop_unread_keys(self) -> None:
        """Forget what was typed and has not been read, but not the terminal's answers."""
        while select.select([self._descriptor], [], [], 0)[0] and self._read() is not None:
            pass

    def pause_reading(self) -> None:
        """Stop reading, so that the shell gets what is typed."""
        if self._may_read.is_set():
            self._may_read = trio.Event()

    def resume_reading(self) -> None:
        """Read again after `pause_reading`."""
        self._may_read.set()

    def close(self) -> None:
        """Close the descriptor; a task that waits for a key gets `trio.ClosedResourceError`."""
        trio.lowlevel.notify_closing(self._descriptor)
        os.close(self._descriptor)
        signal.signal(signal.SIGIO, self._handler)

    def _restore_keys_if_program_hangs(self, _sigio: int, _: FrameType | None) -> None:
        r"""Restore the keys if input was unread for long, so that Ctrl+\ is a signal again."""
        now = time.monotonic()
        if self._unread_since is None:
            self._unread_since = now
        elif self.protocol.is_on and now - self._unread_since > _PROGRAM_HANGS_AFTER_SECONDS:
            self._hung = True
            self.protocol.restore_keys()

    def _signal_or_event(self, token: str | Paste) -> Event | None:
        """Return the event of a token; None after the signal of a key such as Ctrl+C was sent."""
        if isinstance(token, Paste):
            return token
        key = to_legacy_token(token)
        if key in _SIGNAL_BY_KEY and key is not token:
            os.kill(0, _SIGNAL_BY_KEY[key])  # to the same processes as the terminal does
            return None
        return read_report(token) or self._kind.key(key)

    async def _wait_for_tokens(self) -> list[str | Paste] | None:
        """Return the next keys and reports, or None once the terminal is gone."""
        pending = self._tokenizer.rest_timeout_seconds
        with trio.move_on_after(math.inf if pending is None else pending) as waiting:
            await trio.lowlevel.wait_readable(self._descriptor)
        if waiting.cancelled_caught:
            return self._tokenizer.flush()
        await wait_for_foreground(self._descriptor)  # in the background, a read stops the process
        if not self._may_read.is_set():  # a checkpoint lets other tasks run before the key is read
            await self._may_read.wait()
        return self._read()

    def _read(self) -> list[str | Paste] | None:
        """Read what is there, and take the answers out."""
        self._unread_since = None
        if self._hung:
            self._hung = False
            self._write(self.protocol.begin_query().encode("ascii"))
        try:
            data = os.read(self._descriptor, _MAX_READ_BYTES)
        except BlockingIOError:  # another process read it
            return []
        except OSError:
            return None
        if not data:
            return None
        tokens = self._tokenizer.feed(self._decoder.decode(data))
        tokens = [
            token
            for token in tokens
            if isinstance(token, Paste) or not self.protocol.handle_answer(token)
        ]
        self._tokenizer.is_exact = self.protocol.is_on
        return tokens
