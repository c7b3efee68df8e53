"""A terminal in full-screen use: receive its events and draw frames, without threads.

Nothing blocks: keys are read when they are available, frames are written as far as the terminal
accepts them, and signals arrive as events on the same channel.
"""

from __future__ import annotations

import base64
import codecs
import os
import signal
import sys
import termios
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from itertools import zip_longest
from types import FrameType
from typing import Final, final

import trio

from ticketr.terminal.device import BufferedOutput, NotATerminal, wait_for_foreground
from ticketr.terminal.full_screen import FullScreenMode
from ticketr.terminal.keyboard import Keyboard, normal_and_slow_escape_waits
from ticketr.terminal.terminfo import TerminalKind
from ticketr.terminal.tokens import FOCUS_ON, MOUSE_ON, Event, QuitSignal, Resize, Resumed
from ticketr.tty import can_draw, wants_color


def diff(before: Sequence[str | None], after: Sequence[str]) -> str:
    """Return the output that turns one frame into another; empty if they are equal.

    Each changed row is cleared before it is written, so nothing of the old row remains, even if
    the terminal measures the new one shorter than expected.

    Args:
        before: The rows on the screen, from the top; None for a row with unknown content.
        after: The new rows. Further rows of `before` become empty.
    """
    return "".join(
        f"\x1b[{number};1H\x1b[K{new}" + ("\x1b[m" if "\x1b" in new else "")
        for number, (old, new) in enumerate(zip_longest(before, after, fillvalue=""), start=1)
        if old != new and new is not None
    )


_HANDLED_SIGNALS: Final = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGWINCH,
    signal.SIGTSTP,
    signal.SIGCONT,
)
#: Signals that are meant for the program to which the terminal is handed over.
_SIGNALS_LEFT_TO_OTHER_PROGRAM: Final = (signal.SIGINT, signal.SIGTSTP, signal.SIGCONT)
#: A synchronized update: terminals that support it show it as a whole, others ignore it.
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
#: Seconds to wait at the end for a terminal that accepts nothing.
_FLUSH_TIMEOUT_SECONDS: Final = 1.0
#: A terminal with fewer colours than these is drawn without any.
_MIN_COLORS: Final = 8


@final
class Terminal:
    """The terminal while it is a full screen; made by `open_terminal`.

    Attributes:
        colors: Whether to use colours, according to the terminal and the environment.
        unicode: Whether the terminal can show more than ASCII.
        size: Width and height in cells.
        is_handed_over: Whether another program uses the terminal now.
    """

    def __init__(
        self,
        screen: FullScreenMode,
        output: BufferedOutput,
        keyboard: Keyboard,
        signals: AsyncIterator[int],
        *,
        encoding: str,
        colors: bool,
        environ: Mapping[str, str],
    ) -> None:
        self.colors = colors
        self.unicode = codecs.lookup(encoding).name == "utf-8" and not environ.get("TICKETR_ASCII")
        self._screen = screen
        self._output = output
        self._keyboard = keyboard
        self._signals = signals
        self._encoding = encoding
        self._brackets = ("", "") if environ.get("TICKETR_NO_SYNC") else (_BEGIN, _END)
        self.size = output.size()
        self._shown: list[str | None] = []
        self._is_resuming = False
        self.is_handed_over = False
        self.draw_next_frame_whole()

    async def events(self, send: trio.MemorySendChannel[Event]) -> None:
        """Send keys, pastes, the mouse, sizes and signals as events; run this in one task.

        On Ctrl+Z, restore the terminal and stop the process; after `fg`, enter the full screen
        again and send `Resumed`. After `bg` the program runs without a screen until `fg`. After
        `HungUp`, only signals are sent.

        The first SIGINT or SIGTERM is a `QuitSignal` event. The second one restores the terminal
        and ends the process at once, even if a task blocks it.

        Cancellation:
            Ends it, and is the only way to. A key that was being sent is lost.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keyboard.read, send)
            async for number in self._signals:
                await self._handle_signal(signal.Signals(number), send, nursery)

    async def draw(self, rows: Sequence[str]) -> None:
        """Draw a frame; write only the rows that have changed.

        Wait while the terminal accepts nothing. Write nothing while the terminal is not a full
        screen.

        Args:
            rows: The rows from the top, each at most as wide as the screen; further rows are cut.

        Cancellation:
            The rest of the frame is written before the next one.
        """
        if self._output.has_unsent:  # else a checkpoint lets other tasks run before the frame
            await self._output.flush()
        if self._screen.is_entered:
            rows = rows[: self.size[1]]
            text = diff(self._shown, rows)
            self._shown[:] = rows
            if text:
                begin, end = self._brackets
                self._output.write_or_buffer(
                    f"{begin}{text}{end}".encode(self._encoding, "replace")
                )
        await self._output.flush()

    def draw_next_frame_whole(self) -> None:
        """Write the next frame whole."""
        self._shown = [None] * self.size[1]

    def drop_keys(self) -> None:
        """Forget what was typed and has not been read, such as before the first frame."""
        self._keyboard.drop_unread_keys()

    async def copy(self, text: str) -> None:
        """Put a text on the clipboard of the terminal, also over ssh (OSC 52).

        A terminal that does not support this ignores it.

        Cancellation:
            The sequence is written as a whole before the next frame.
        """
        if self._screen.is_entered:
            encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
            self._output.write_or_buffer(f"\x1b]52;c;{encoded}\x07".encode("ascii"))
        await self._output.flush()

    @asynccontextmanager
    async def handed_over(self) -> AsyncGenerator[None]:
        """Restore the terminal for the block, so that another program, such as an editor, uses it.

        In the block, nothing is drawn, no keys are read, and Ctrl+C is no `QuitSignal` event: it is
        meant for the other program. A change of the size is a `Resize` event, as ever, so receive
        events in the block. The first frame after the block is drawn whole. Blocks cannot be
        nested.

        Cancellation:
            Makes the terminal a full screen again.
        """
        assert not self.is_handed_over
        self.is_handed_over = True
        try:
            await self._wait_for_flush_and_answers()
            self._keyboard.pause_reading()
            self._screen.leave()
            yield
        finally:
            self.is_handed_over = False
            with suppress(termios.error):  # the terminal is gone; the keyboard sends HungUp
                self._screen.enter()
            self._keyboard.resume_reading()
            self._read_size_and_redraw_next()

    async def _handle_signal(
        self, number: signal.Signals, send: trio.MemorySendChannel[Event], nursery: trio.Nursery
    ) -> None:
        if self.is_handed_over and number in _SIGNALS_LEFT_TO_OTHER_PROGRAM:
            if number == signal.SIGTSTP:
                _suspend_process()  # together with the other program
        elif number == signal.SIGWINCH:
            self._read_size_and_redraw_next()
            await send.send(Resize(*self.size))
        elif number in (signal.SIGTSTP, signal.SIGCONT):
            if number == signal.SIGTSTP and self._screen.is_entered:
                await self._wait_for_flush_and_answers()
            self._keyboard.pause_reading()
            if number == signal.SIGTSTP:
                self._screen.leave()
                _suspend_process()
            if not self._is_resuming:
                self._is_resuming = True
                nursery.start_soon(self._resume, send)
        else:
            # Not for SIGHUP: the kernel and the shell may both send one.
            if number != signal.SIGHUP:
                signal.signal(number, _force_quit_handler(self._screen))
                self._keyboard.protocol.restore_keys()  # a second Ctrl+C has to be a signal
            await send.send(QuitSignal(number))

    async def _wait_for_flush_and_answers(self) -> None:
        """Wait for the terminal's part, so that no other program gets an answer meant for this."""
        with trio.move_on_after(_FLUSH_TIMEOUT_SECONDS):
            await self._output.flush()
        await self._keyboard.protocol.wait_answered()

    async def _resume(self, send: trio.MemorySendChannel[Event]) -> None:
        await wait_for_foreground(0)
        self._is_resuming = False
        try:
            self._screen.enter()
        except termios.error:  # the terminal is gone; the keyboard sends HungUp
            return
        finally:
            self._keyboard.resume_reading()
        self._read_size_and_redraw_next()
        await send.send(Resumed())

    def _read_size_and_redraw_next(self) -> None:
        self.size = self._output.size()
        self.draw_next_frame_whole()


@asynccontextmanager
async def open_terminal(*, environ: Mapping[str, str] = os.environ) -> AsyncGenerator[Terminal]:
    """Make the terminal of standard input and output a full screen for the block.

    Every exit from the block restores the terminal's modes, cursor, screen and signal handlers.
    Other output to the terminal on standard output and error is captured and printed then. Keys
    typed before are not lost. Only after SIGKILL does the terminal need the command `reset`.

    In the block, Ctrl+C is a `QuitSignal` event and no `KeyboardInterrupt`. Tasks that use the
    terminal must end inside the block. Only the main thread can open it.

    Args:
        environ: The environment; TERM, NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, CLICOLOR, ESCDELAY,
            SSH_CONNECTION, SSH_CLIENT, SSH_TTY, TICKETR_ASCII, TICKETR_NO_MOUSE and
            TICKETR_NO_SYNC are used.

    Raises:
        NotATerminal: Standard input or output is not a terminal, or one that only prints lines.

    Cancellation:
        Restores the terminal, after waiting up to a second for it to accept the last frame, and up
        to three from the start for its answer.
    """
    _require_terminal(environ)
    kind = TerminalKind(environ["TERM"])
    encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
    # Signals first: once the full screen is entered, none may end the process without clean-up.
    with (
        trio.open_signal_receiver(*_HANDLED_SIGNALS) as signals,
        closing(BufferedOutput(1)) as output,
        closing(
            Keyboard(
                0, kind, encoding, normal_and_slow_escape_waits(environ), output.write_or_buffer
            )
        ) as keyboard,
    ):
        reports = FOCUS_ON if environ.get("TICKETR_NO_MOUSE") else f"{FOCUS_ON}{MOUSE_ON}"
        enter = f"{kind.enter}{reports}"
        screen = FullScreenMode(
            0, output, enter=enter, leave=kind.leave, protocol=keyboard.protocol
        )
        try:
            with _sigquit_forces_exit(screen):
                screen.enter()
                yield Terminal(
                    screen,
                    output,
                    keyboard,
                    signals,
                    encoding=encoding,
                    colors=wants_color(environ, by_default=kind.colors >= _MIN_COLORS),
                    environ=environ,
                )
        finally:
            with trio.move_on_after(_FLUSH_TIMEOUT_SECONDS, shield=True):
                await output.flush()
            if screen.is_entered and not output.has_unsent:
                with trio.move_on_at(keyboard.protocol.give_up_at, shield=True):
                    await keyboard.drain_until_answered()
            screen.leave()


def _require_terminal(environ: Mapping[str, str]) -> None:
    for descriptor, name in ((0, "input"), (1, "output")):
        if not os.isatty(descriptor):
            raise NotATerminal(f"standard {name} is not a terminal")
    if not can_draw(environ):
        raise NotATerminal(f"TERM={environ.get('TERM', '')} can only print lines")


def _suspend_process() -> None:
    """Stop the process as Ctrl+Z does, until it is continued.

    Use SIGTSTP, not SIGSTOP, since the kernel ignores it if no shell can continue the process.
    Send it to this thread, so that the process stops before the call returns.
    """
    handlers = {
        number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTSTP, signal.SIGCONT)
    }
    try:
        signal.raise_signal(signal.SIGTSTP)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _force_quit_handler(screen: FullScreenMode) -> Callable[[int, FrameType | None], None]:
    """Return a signal handler that restores the terminal and lets the signal end the process."""

    def end_at_once(number: int, _: FrameType | None) -> None:
        screen.leave()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    return end_at_once


@contextmanager
def _sigquit_forces_exit(screen: FullScreenMode) -> Generator[None]:
    r"""Let Ctrl+\ restore the terminal and end the process, even if the program hangs."""
    before = signal.signal(signal.SIGQUIT, _force_quit_handler(screen))
    try:
        yield
    finally:
        signal.signal(signal.SIGQUIT, before)
