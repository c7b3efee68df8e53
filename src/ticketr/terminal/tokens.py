"""Splits a terminal's characters into events: keys, pastes, the mouse. Pure: no I/O, no clock.

A terminal sends one character for a letter and several for an arrow, which may arrive one by one
over a slow line. So an Esc is a key only if nothing follows it for a while, and none at all if the
terminal speaks the kitty keyboard protocol; `Tokenizer.rest_timeout_seconds` is the time for which
the reader has to wait.

An Esc is never lost: where it cannot continue a sequence, it ends it and begins a new token. No
part of a sequence or paste ever becomes a key, however it is split: a pasted ``q`` must not quit.
"""

from __future__ import annotations

import math
import re
import signal as signals
from dataclasses import dataclass, field
from enum import Enum
from typing import Final


@dataclass(frozen=True, slots=True)
class Key:
    """A key was pressed.

    Attributes:
        char_or_key_name: The character that the key types (``"q"``, ``"P"``, ``" "``), else a name
            such as ``"KEY_UP"``, ``"KEY_ENTER"``, ``"KEY_ESCAPE"``, ``"KEY_F2"``, ``"KEY_BTAB"``
            (Shift+Tab), ``"KEY_CTRL_C"``, ``"KEY_ALT_X"``, ``"KEY_CTRL_RIGHT"``.
        text: The character; empty for a key that types none.
    """

    char_or_key_name: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Paste:
    """Text was pasted, in one event.

    A paste is cut after a million characters. If it pauses for a second, it becomes several
    events.

    Attributes:
        text: The untrusted text, with newlines as line ends.
    """

    text: str = field(repr=False)


class MouseAction(Enum):
    """What was done with the mouse."""

    LEFT_PRESS = "left press"
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
class FocusGained:
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
class QuitSignal:
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


Event = Key | Paste | Mouse | FocusGained | Resize | QuitSignal | Resumed | HungUp


#: Focus reports on and off.
FOCUS_ON, FOCUS_OFF = "\x1b[?1004h", "\x1b[?1004l"
#: Clicks and the wheel as SGR reports, on and off.
MOUSE_ON, MOUSE_OFF = "\x1b[?1000h\x1b[?1006h", "\x1b[?1006l\x1b[?1000l"

_FOCUS_IN: Final = "\x1b[I"
#: A press; a release, which ends with "m", follows every press and means nothing.
_MOUSE_PRESS_REPORT: Final = re.compile(r"\x1b\[<(\d{1,4});(\d{1,5});(\d{1,5})M")
#: Buttons without the bits for Shift, Alt and Ctrl: 4, 8 and 16.
_ACTION_BY_BUTTON: Final = {
    0: MouseAction.LEFT_PRESS,
    64: MouseAction.WHEEL_UP,
    65: MouseAction.WHEEL_DOWN,
}


_SHIFT_BIT: Final = 1
_ALT_BIT: Final = 2
_CTRL_BIT: Final = 4
#: Caps Lock and Num Lock.
_LOCK_BITS: Final = 64 | 128
#: The character, the one with Shift, the one that a Latin keyboard has in this place; the modifiers.
_KITTY_KEY: Final = re.compile(
    "\x1b\\[([0-9]{1,7})(?::[0-9]{0,7}(?::([0-9]{1,7}))?)?(?:;([0-9]{1,3}))?u"
)
#: The keypad's keys that type nothing: Enter, and others by their number and end in a sequence.
_KEYPAD_ENTER_CODE: Final = 57414
_SEQUENCE_END_BY_KEYPAD_CODE: Final = dict(
    enumerate(("1D", "1C", "1A", "1B", "5~", "6~", "1H", "1F", "2~", "3~"), 57417)
)


def to_legacy_token(token: str) -> str:
    """Return what a terminal without the kitty keyboard protocol sends for a key.

    On a keyboard of another script, Ctrl and Alt go with the letter that a Latin one has there.

    Args:
        token: A whole token; one that such a terminal does not send is returned as it is.
    """
    match = _KITTY_KEY.fullmatch(token)
    if match is None:
        return token
    code, held = int(match[1]), int(match[3] or 1) - 1 & ~_LOCK_BITS
    latin = int(match[2] or 0)
    if code > 127 and latin in range(ord("a"), ord("z") + 1):
        code = latin
    if code in _SEQUENCE_END_BY_KEYPAD_CODE:
        keypad = _SEQUENCE_END_BY_KEYPAD_CODE[code]
        return f"\x1b[{keypad[0]};{held + 1}{keypad[1]}"
    char = "\r" if code == _KEYPAD_ENTER_CODE else chr(code) if code < 128 else ""
    if not char or held & ~(_SHIFT_BIT | _ALT_BIT | _CTRL_BIT):
        return token
    if char == "\t" and held == _SHIFT_BIT:
        return "\x1b[Z"
    if held & _CTRL_BIT and char.isprintable():
        if char not in " abcdefghijklmnopqrstuvwxyz[\\]^_":
            return token
        char = chr(code & 0x1F)
    elif held & _SHIFT_BIT:
        char = char.upper()
    return f"\x1b{char}" if held & _ALT_BIT else char


def read_report(token: str) -> Mouse | FocusGained | None:
    """Return the event of a report; None for a key, and for a report that means nothing.

    Args:
        token: A whole token.
    """
    if token == _FOCUS_IN:
        return FocusGained()
    match = _MOUSE_PRESS_REPORT.fullmatch(token)
    # Shift, Alt and Ctrl, held with a button, change nothing.
    action = _ACTION_BY_BUTTON.get(int(match[1]) & ~(4 | 8 | 16)) if match is not None else None
    if match is None or action is None:
        return None
    return Mouse(action, int(match[2]) - 1, int(match[3]) - 1)


ESC = "\x1b"
#: Seconds for which a lone Esc is held: at first, and once the rest of a key came later.
ESC_WAIT, SLOW_ESC_WAIT = 0.025, 0.120
#: Seconds for which an incomplete sequence is held.
SEQUENCE_WAIT_SECONDS = 0.150
#: Seconds without a character after which the paste so far is returned, or half an answer dropped.
PASTE_WAIT_SECONDS = 1.0
#: The most characters of a paste; the rest is dropped.
MAX_PASTE_CHARACTERS = 1_000_000

_PASTE_ON, _PASTE_OFF = "\x1b[200~", "\x1b[201~"
#: The beginning of a terminal's answer, and of no key.
_ANSWER_PREFIX = "\x1b[?"
#: Without its end, an operating system command or a device's reply, which names no key.
_OPEN_CONTROL_STRING = "\x1b[]P_^X][^\x00-\x1f\x7f\x9c]{0,65536}"

_COMPLETE_TOKEN = re.compile(
    "[^\x1b]"
    "|\x1b\\[(?:\\[[@-~]|M[^\x1b]{3}|(?![M[])[ -?]{0,60}[@-~])"  # Linux's F1; X10 mouse; CSI
    "|\x1bO[0-9;]{0,8}[@-~]"
    f"|{_OPEN_CONTROL_STRING}(?:\x07|\x9c|\x1b\\\\)"
    "|\x1b[^]\x1b[OPX^_]",  # Alt and a character
    re.DOTALL,
)
#: What makes a key out of an Esc that was given; a person does not type it so soon after one.
_KEY_REST_AFTER_ESCAPE = re.compile("\\[|O[A-Z]")
# The beginning of such a token. It always matches at an Esc, at least the Esc itself.
_PARTIAL_TOKEN = re.compile(
    f"\x1b(?:\\[(?:\\[|M[^\x1b]{{0,2}}|(?![M[])[ -?]{{0,60}})|O[0-9;]{{0,8}})|{_OPEN_CONTROL_STRING}\x1b?|\x1b",
    re.DOTALL,
)


class Tokenizer:
    """Splits a stream of characters, fed in any pieces, into keys and pastes.

    A token is a `Paste`, or the characters of one key: a plain character or a whole sequence.

    Args:
        escape_wait: Seconds for which a lone Esc is held.
        slow_wait: The same from when the rest of a key has come after `escape_wait`, but within
            this time.

    Attributes:
        is_exact: Whether a lone Esc is never a key, but the beginning of one.
    """

    def __init__(self, escape_wait: float = ESC_WAIT, slow_wait: float = SLOW_ESC_WAIT) -> None:
        self.is_exact = False
        self._escape_wait = escape_wait
        self._slow_wait = slow_wait
        self._gave_escape = False  # because nothing followed it in time
        self._is_rejoined = False  # what is held begins with an Esc that was given before
        self._held = ""
        self._pasted: list[str] | None = None  # None: not in a paste
        self._room = MAX_PASTE_CHARACTERS

    @property
    def rest_timeout_seconds(self) -> float | None:
        """The seconds to wait for the rest of an incomplete token; None if there is none."""
        if self._pasted is not None:
            return PASTE_WAIT_SECONDS if self._held or self._pasted else None
        if not self._held:
            return self._slow_wait - self._escape_wait if self._gave_escape else None
        if self._held == ESC:
            return math.inf if self.is_exact else self._escape_wait
        return (
            PASTE_WAIT_SECONDS if self._held.startswith(_ANSWER_PREFIX) else SEQUENCE_WAIT_SECONDS
        )

    def feed(self, text: str) -> list[str | Paste]:
        """Add characters; return the tokens that are complete now."""
        if self._gave_escape and text:
            self._gave_escape = False
            self._is_rejoined = _KEY_REST_AFTER_ESCAPE.match(text) is not None
            self._held = ESC if self._is_rejoined else ""
        text, self._held = self._held + text, ""
        tokens: list[str | Paste] = []
        start = 0
        while start < len(text):
            if self._pasted is not None:
                start = self._feed_paste(text, start, tokens)
                continue
            end = _end_of_token(text, start)
            if end is None:
                self._held = text[start:]
                break
            token, start = text[start:end], end
            if token == _PASTE_ON:
                self._pasted, self._room = [], MAX_PASTE_CHARACTERS
            else:
                tokens.append(token)
        return self._drop_given_esc_unless_key(tokens) if self._is_rejoined else tokens

    def flush(self) -> list[str | Paste]:
        """Return the incomplete token as it is, since nothing came within `rest_timeout_seconds`."""
        held, self._held = self._held, ""
        if self._pasted is not None:
            return self._flush_and_stay_in_paste(held)
        if self._is_rejoined:
            self._is_rejoined = False
            return [*held[1:]]
        self._gave_escape = held == ESC and self._escape_wait < self._slow_wait
        if len(held) > 1 and held.endswith(ESC):  # a reply that an Esc interrupted
            return [held[:-1], ESC]
        return [held] if held else []

    def _drop_given_esc_unless_key(self, tokens: list[str | Paste]) -> list[str | Paste]:
        """Check whether the Esc that was given began a key; if not, it is not given again."""
        if self._pasted is None and not tokens:
            return tokens  # not known yet
        self._is_rejoined = False
        if (
            self._pasted is None
            and isinstance(tokens[0], str)
            and not _COMPLETE_TOKEN.match(tokens[0])
        ):
            return [*tokens[0][1:], *tokens[1:]]
        self._escape_wait = self._slow_wait
        return tokens

    def _feed_paste(self, text: str, start: int, tokens: list[str | Paste]) -> int:
        """Consume the paste's characters; return the index of the first one after them."""
        end = text.find(_PASTE_OFF, start)
        if end >= 0:
            self._keep_pasted_up_to_limit(text[start:end])
            tokens += self._take_pasted_so_far()
            self._pasted = None
            return end + len(_PASTE_OFF)
        end = len(text) - _length_of_partial_paste_end(text[start:])
        self._keep_pasted_up_to_limit(text[start:end])
        self._held = text[end:]
        return len(text)

    def _flush_and_stay_in_paste(self, held: str) -> list[str | Paste]:
        """Return the paste so far, and stay in it, since its rest must not become keys.

        If its end never comes, a lone Esc ends it.
        """
        if held == ESC and not self._pasted:
            self._pasted = None
            return [ESC]
        self._keep_pasted_up_to_limit(held)
        return [*self._take_pasted_so_far()]

    def _keep_pasted_up_to_limit(self, text: str) -> None:
        assert self._pasted is not None
        if kept := text[: self._room]:
            self._pasted.append(kept)
            self._room -= len(kept)

    def _take_pasted_so_far(self) -> list[Paste]:
        assert self._pasted is not None
        text = "".join(self._pasted).replace("\r\n", "\n").replace("\r", "\n")
        self._pasted = []
        return [Paste(text)] if text else []


def _end_of_token(text: str, start: int) -> int | None:
    """Return the end of the token at `start`; None if it may continue after the text."""
    if whole := _COMPLETE_TOKEN.match(text, start):
        return whole.end()
    begun = _PARTIAL_TOKEN.match(text, start)
    assert begun is not None
    if begun.end() == len(text):
        return None
    # Malformed: it ends before the first unexpected character; a final Esc begins a new token.
    return begun.end() - (begun.end() - start > 1 and text[begun.end() - 1] == ESC)


def _length_of_partial_paste_end(text: str) -> int:
    """Return how many characters at the text's end may begin the end mark of a paste."""
    longest = min(len(_PASTE_OFF) - 1, len(text))
    return next((n for n in range(longest, 0, -1) if _PASTE_OFF.startswith(text[-n:])), 0)
