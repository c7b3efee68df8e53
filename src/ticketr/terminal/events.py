"""The events of a terminal."""

from __future__ import annotations

import signal as signals
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Key:
    """A key was pressed.

    Attributes:
        name: The character that the key types (``"q"``, ``"P"``, ``" "``), else a name such as
            ``"KEY_UP"``, ``"KEY_ENTER"``, ``"KEY_ESCAPE"``, ``"KEY_F2"``, ``"KEY_BTAB"``
            (Shift+Tab), ``"KEY_CTRL_C"``, ``"KEY_ALT_X"``, ``"KEY_CTRL_RIGHT"``.
        text: The character; empty for a key that types none.
    """

    name: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Paste:
    """Text was pasted, in one event.

    A paste is cut after a million characters. If it pauses for a second, it becomes several
    events.

    Attributes:
        text: The untrusted text, with newlines as line ends.
    """

    text: str


class MouseAction(Enum):
    """What was done with the mouse."""

    CLICK = "click"
    WHEEL_UP = "wheel up"
    WHEEL_DOWN = "wheel down"


@dataclass(frozen=True, slots=True)
class Mouse:
    """The mouse was used.

    Attributes:
        action: What was done.
        x: The column, from 0.
        y: The row, from 0.
    """

    action: MouseAction
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Focused:
    """The terminal's window has the focus again; other programs may have changed files."""


@dataclass(frozen=True, slots=True)
class Resize:
    """The terminal has another size; the next frame is drawn whole.

    Attributes:
        width: The width in cells.
        height: The height in cells.
    """

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Quit:
    """A signal asks the program to end.

    Attributes:
        signal: SIGINT (Ctrl+C), SIGTERM or SIGHUP.
    """

    signal: signals.Signals


@dataclass(frozen=True, slots=True)
class Resumed:
    """The program continues after a stop (Ctrl+Z); the next frame is drawn whole.

    Deadlines may have passed in the meantime, and the size may have changed.
    """


@dataclass(frozen=True, slots=True)
class HungUp:
    """The terminal is gone: no keys follow, and drawing has no effect."""


Event = Key | Paste | Mouse | Focused | Resize | Quit | Resumed | HungUp
