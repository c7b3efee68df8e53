"""What a terminal tells a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal as signals


@dataclass(frozen=True, slots=True)
class Key:
    """A key was pressed.

    Attributes:
        name: the character itself if it types one (``"q"``, ``"P"``, ``" "``), else a name such
            as ``"KEY_UP"``, ``"KEY_ENTER"``, ``"KEY_ESCAPE"``, ``"KEY_F2"``, ``"KEY_BTAB"``
            (Shift+Tab), ``"KEY_CTRL_C"``, ``"KEY_ALT_X"``, ``"KEY_CTRL_RIGHT"``.
        text: what it types; empty for a key that types nothing.
    """

    name: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Paste:
    """Text was pasted, all of it in one event; untrusted, its line ends are newlines.

    More than a million characters are cut off, and a paste that comes to a halt for a second is
    given in pieces.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Resize:
    """The terminal has another size, in cells; the next frame is drawn from nothing."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Quit:
    """A signal asks the program to end: SIGINT (Ctrl+C), SIGTERM or SIGHUP."""

    signal: signals.Signals


@dataclass(frozen=True, slots=True)
class Resumed:
    """The program was stopped (Ctrl+Z) and goes on; the next frame is drawn from nothing.

    Clocks went on meanwhile, so time limits may have passed, and the size may be another.
    """


@dataclass(frozen=True, slots=True)
class HungUp:
    """The terminal is gone: no key will come, and what is drawn goes nowhere."""


Event = Key | Paste | Resize | Quit | Resumed | HungUp
