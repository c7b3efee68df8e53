"""The full screen as a state of the terminal: entered, left, and always given back as it was.

`enter` and `leave` may be called in any order and any number of times, so that the end, a crash,
a signal and a suspension all take the same road.
"""

from __future__ import annotations

import errno
import termios
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ticketr.terminal.capture import Capture

if TYPE_CHECKING:
    from ticketr.terminal.device import Output

_INPUT, _LOCAL, _CHARACTERS = 0, 3, 6  # where these stand in a terminal's attributes


class Screen:
    """A full screen on a terminal.

    Args:
        keyboard: the descriptor whose modes are set.
        output: where to write.
        enter: what makes the full screen.
        leave: what gives the terminal back.
    """

    def __init__(self, keyboard: int, output: Output, *, enter: str, leave: str) -> None:
        self._keyboard = keyboard
        self._output = output
        self._enter, self._leave = enter.encode("ascii"), leave.encode("ascii")
        self._modes: list[Any] | None = None
        self._capture = Capture()

    @property
    def is_entered(self) -> bool:
        """Whether the screen is ours."""
        return self._modes is not None

    def enter(self) -> None:
        """Make the terminal our full screen; what was typed until now is kept."""
        if self._modes is None:
            self._modes = termios.tcgetattr(self._keyboard)
        _set_modes(self._keyboard, _raw(self._modes))
        self._capture.begin()
        self._output.put(self._enter)

    def leave(self, patience: float = 0.0) -> None:
        """Give the terminal back as it was.

        Args:
            patience: seconds that the whole program may be held up by a terminal that takes
                nothing.
        """
        if self._modes is None:
            return
        sent = self._output.put_last(self._leave, patience)
        with suppress(termios.error):  # it is gone
            _set_modes(self._keyboard, self._modes)
        self._modes = None
        self._capture.end(replay=sent)


def _raw(modes: list[Any]) -> list[Any]:
    """Every key at once and unseen; Ctrl+C and Ctrl+Z stay signals, Ctrl+S and Ctrl+V are keys."""
    raw = [*modes]
    raw[_INPUT] &= ~termios.IXON
    raw[_LOCAL] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    raw[_CHARACTERS] = [*modes[_CHARACTERS]]
    raw[_CHARACTERS][termios.VMIN], raw[_CHARACTERS][termios.VTIME] = 1, 0
    return raw


def _set_modes(descriptor: int, modes: list[Any]) -> None:
    """Set modes at once: not when all is written, which a stalled terminal never does."""
    while True:
        try:
            termios.tcsetattr(descriptor, termios.TCSANOW, modes)
        except termios.error as error:
            # A program in the background is stopped here until `fg`, then the call must be made
            # again.
            if error.args[0] != errno.EINTR:
                raise
        else:
            return
