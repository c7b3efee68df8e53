"""A terminal in full-screen use: events come from it, frames go to it.

Nothing here runs in a thread, and nothing blocks: keys are read when there are some, frames are
written as far as the terminal takes them, and signals arrive as events on the same channel.
"""

from __future__ import annotations

import codecs
import os
import signal
import sys
import termios
from contextlib import asynccontextmanager, closing, contextmanager
from typing import TYPE_CHECKING, Final, final

import trio

from ticketr.terminal.device import Output, wait_for_foreground
from ticketr.terminal.errors import NotATerminal
from ticketr.terminal.events import Event, Quit, Resize, Resumed
from ticketr.terminal.frame import diff
from ticketr.terminal.keyboard import Keyboard, escape_wait
from ticketr.terminal.naming import TerminalKind
from ticketr.terminal.screen import Screen

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Callable,
        Generator,
        Mapping,
        Sequence,
    )
    from types import FrameType

_SIGNALS: Final = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGWINCH,
    signal.SIGTSTP,
    signal.SIGCONT,
)
#: One update: a terminal that knows these shows it as a whole, others ignore them.
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
#: Seconds that leaving waits for a terminal which takes nothing.
_GRACE: Final = 1.0
#: Seconds that an end by force may be held up by a terminal which takes nothing.
_PATIENCE: Final = 0.2


@final
class Terminal:
    """The terminal, while it is our full screen; made by `open_terminal`.

    Attributes:
        colors: whether to use colours: there are some, and the user did not ask for none.
        unicode: whether it can show more than ASCII.
    """

    def __init__(
        self,
        screen: Screen,
        output: Output,
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
        self._size = output.size()
        self._shown: list[str | None] = []
        self._is_resuming = False
        self.redraw()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in cells."""
        return self._size

    async def events(self, send: trio.MemorySendChannel[Event]) -> None:
        """Send what the terminal tells: keys, pastes, sizes, signals.

        A task of its own, and only one. Ctrl+Z is carried out in here: the terminal is given
        back, the process stops, and after `fg` the screen is made again and `Resumed` is sent;
        after `bg` the program goes on unseen until `fg`. After `HungUp` only signals come.

        The first SIGINT or SIGTERM is a `Quit` event. A second one gives the terminal back and
        ends the process at once, even while a task hogs it.

        Cancellation:
            The only way it ends. A key that was being sent is lost.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keyboard.read, send)
            async for number in self._signals:
                await self._hear(signal.Signals(number), send, nursery)

    async def draw(self, rows: Sequence[str]) -> None:
        """Show rows: only what differs from what is shown is written.

        While the terminal takes nothing, this waits, and nothing else does; the frame that was
        begun is finished before the next. While the terminal is not ours, nothing is written.

        Args:
            rows: from the top, each at most as wide as the screen; more rows than it has are cut.

        Cancellation:
            What is left of the frame is written before the next one.
        """
        await self._output.flush()
        if not self._screen.is_entered:
            return
        rows = rows[: self._size[1]]
        text = diff(self._shown, rows)
        self._shown[:] = rows
        if text:
            begin, end = self._brackets
            self._output.put(f"{begin}{text}{end}".encode(self._encoding, "replace"))
            await self._output.flush()

    def redraw(self) -> None:
        """Take nothing on the screen for granted: the next frame is written whole."""
        self._shown = [None] * self._size[1]

    async def _hear(
        self, number: signal.Signals, send: trio.MemorySendChannel[Event], nursery: trio.Nursery
    ) -> None:
        if number == signal.SIGWINCH:
            self._look_at_size()
            await send.send(Resize(*self._size))
        elif number in (signal.SIGTSTP, signal.SIGCONT):
            self._keyboard.pause()
            if number == signal.SIGTSTP:
                await self._suspend()
            if not self._is_resuming:
                self._is_resuming = True
                nursery.start_soon(self._resume, send)
        else:
            # Not for SIGHUP: the kernel and the shell may both send one.
            if number != signal.SIGHUP:
                signal.signal(number, _ender(self._screen))
            await send.send(Quit(number))

    async def _suspend(self) -> None:
        with trio.move_on_after(_GRACE):
            await self._output.flush()
        self._screen.leave()
        _stop_process()

    async def _resume(self, send: trio.MemorySendChannel[Event]) -> None:
        await wait_for_foreground(0)
        self._is_resuming = False
        try:
            self._screen.enter()
        except termios.error:  # it is gone, which the keyboard tells
            return
        finally:
            self._keyboard.go_on()
        self._look_at_size()
        await send.send(Resumed())

    def _look_at_size(self) -> None:
        self._size = self._output.size()
        self.redraw()


@asynccontextmanager
async def open_terminal(*, environ: Mapping[str, str] = os.environ) -> AsyncGenerator[Terminal]:
    """Make the terminal of standard input and output a full screen, for the block.

    On every way out of the block the terminal is given back as it was: modes, cursor, screen,
    signal handlers. What else was printed meanwhile to standard output and error, if they are
    the terminal, is kept back and printed then. Keys typed before are not lost. Only SIGKILL
    leaves a terminal behind that needs the command `reset`.

    Ctrl+C in the block is a `Quit` event and no `KeyboardInterrupt`. Tasks that use the terminal
    belong inside the block. Only the main thread can open it.

    Args:
        environ: where to look for TERM, NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, CLICOLOR,
            ESCDELAY, TICKETR_ASCII and TICKETR_NO_SYNC.

    Raises:
        NotATerminal: standard input or output is none, or one that can only print lines.
    """
    _check(environ)
    kind = TerminalKind(environ["TERM"])
    encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
    # Signals first: from the moment that the screen is ours, none may end us without a word.
    with (
        trio.open_signal_receiver(*_SIGNALS) as signals,
        closing(Output(1)) as output,
        closing(Keyboard(0, kind, encoding, escape_wait(environ))) as keyboard,
    ):
        screen = Screen(0, output, enter=kind.enter, leave=kind.leave)
        try:
            with _quit_key_ends(screen):
                screen.enter()
                yield Terminal(
                    screen,
                    output,
                    keyboard,
                    signals,
                    encoding=encoding,
                    colors=_wants_colors(environ, kind),
                    environ=environ,
                )
        finally:
            with trio.move_on_after(_GRACE, shield=True):
                await output.flush()
            screen.leave()


def _check(environ: Mapping[str, str]) -> None:
    for descriptor, name in ((0, "input"), (1, "output")):
        if not os.isatty(descriptor):
            raise NotATerminal(f"standard {name} is not a terminal")
    kind = environ.get("TERM", "")
    if kind in {"", "dumb", "unknown"}:
        raise NotATerminal(f"TERM={kind} can only print lines")


def _wants_colors(environ: Mapping[str, str], kind: TerminalKind) -> bool:
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR") or environ.get("CLICOLOR_FORCE"):
        return True
    return environ.get("CLICOLOR") != "0" and kind.colors >= 8


def _stop_process() -> None:
    """Stop as Ctrl+Z does, until somebody continues us.

    By SIGTSTP and not SIGSTOP: where no shell is there to continue us, the kernel ignores it.
    Aimed at this thread, so that the process has stopped before the call returns.
    """
    handlers = {
        number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTSTP, signal.SIGCONT)
    }
    try:
        signal.raise_signal(signal.SIGTSTP)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _ender(screen: Screen) -> Callable[[int, FrameType | None], None]:
    """Make a handler that ends the process as the signal would, the terminal as it was."""

    def end_at_once(number: int, _: FrameType | None) -> None:
        screen.leave(_PATIENCE)
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    return end_at_once


@contextmanager
def _quit_key_ends(screen: Screen) -> Generator[None]:
    r"""Let Ctrl+\ end the process by force, its screen left: a way out of a program that hangs."""
    before = signal.signal(signal.SIGQUIT, _ender(screen))
    try:
        yield
    finally:
        signal.signal(signal.SIGQUIT, before)
