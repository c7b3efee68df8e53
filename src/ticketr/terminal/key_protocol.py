"""Asks a terminal for the kitty keyboard protocol, in which no key is the beginning of another.

A terminal that speaks it answers the question, any other ignores it. Behind the question comes
one that every terminal answers, so that its answer shows that no other follows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final

import trio

#: The question for the protocol's flags, and the one for the device's attributes.
QUERY_SEQUENCES: Final = "\x1b[?u\x1b[c"
#: The flags: Esc, Ctrl and Alt keys are sequences, with the key of a Latin keyboard in its place.
_DISAMBIGUATE_FLAG: Final = 1
_ALTERNATE_KEYS_FLAG: Final = 4
#: Turn the protocol on, and back to what was before.
PUSH, POP = f"\x1b[>{_DISAMBIGUATE_FLAG | _ALTERNATE_KEYS_FLAG}u", "\x1b[<u"
_FLAGS_ANSWER: Final = re.compile("\x1b\\[\\?([0-9]{1,9})u")
_ATTRIBUTES_ANSWER: Final = re.compile("\x1b\\[\\?[0-9;]*c")
#: Seconds to wait for the answers before another program gets the terminal.
_ANSWER_TIMEOUT_SECONDS: Final = 3.0


class KeyProtocol:
    """What the terminal has said of its keys.

    Args:
        write: Writes a sequence to the terminal.

    Attributes:
        is_on: Whether the terminal has said that the protocol is on.
        give_up_at: The time until which to wait for the answers.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.is_on = False
        self.give_up_at = -math.inf
        self._write = write
        self._is_begun = False
        self._is_pushed = False
        self._was_answered = False
        self._unanswered = 0
        self._answered = trio.Event()

    @property
    def is_waiting(self) -> bool:
        """Whether the terminal still has to answer."""
        return self._unanswered > 0

    def begin_query(self) -> str:
        """Return the question; nothing for a terminal that has never answered one."""
        self._is_begun = True
        is_silent = self._unanswered and not self._was_answered
        return "" if is_silent else self._register_query()

    def end(self) -> str:
        """Return the sequence that restores the keys; nothing if they were not changed."""
        is_pushed = self._is_pushed
        self.is_on = self._is_begun = self._is_pushed = False
        return POP if is_pushed else ""

    def restore_keys(self) -> None:
        """Restore the keys at once, so that Ctrl+C is a signal even if the program hangs."""
        self._write(self.end().encode("ascii"))

    def handle_answer(self, token: str) -> bool:
        """Handle an answer, and turn the protocol on; return False if the token is none."""
        if match := _FLAGS_ANSWER.fullmatch(token):
            flags = int(match[1])
            # Some terminals know the first flag alone.
            self.is_on = self._is_begun and flags & ~_ALTERNATE_KEYS_FLAG == _DISAMBIGUATE_FLAG
            if (
                self._is_begun
                and not self._is_pushed
                and flags != _DISAMBIGUATE_FLAG | _ALTERNATE_KEYS_FLAG
            ):
                self._is_pushed = True
                self._write(f"{PUSH}{self._register_query()}".encode("ascii"))
        elif _ATTRIBUTES_ANSWER.fullmatch(token):
            self._was_answered = True
            self._unanswered = max(self._unanswered - 1, 0)
            if not self._unanswered:
                self._answered.set()
        else:
            return False
        return True

    async def wait_answered(self) -> None:
        """Wait for the answers; not for a terminal that has had time enough."""
        with trio.move_on_at(self.give_up_at):
            if self._unanswered:
                await self._answered.wait()

    def _register_query(self) -> str:
        """Count one more query that has no answer yet; return its sequences."""
        now = trio.current_time()
        if now >= self.give_up_at:  # another program may have got the answers
            self._unanswered = 0
        if not self._unanswered:
            self._answered = trio.Event()
        self._unanswered += 1
        self.give_up_at = now + _ANSWER_TIMEOUT_SECONDS
        return QUERY_SEQUENCES
