"""Cuts what a terminal sends into whole keys: pure, no input or output, no clock.

A terminal sends one character for a letter and several for an arrow, and they may arrive one by
one over a slow line. So an Esc is a key of its own only if nothing follows it for a moment, and
whoever reads must know how long that moment is: `Tokenizer.pending` says so.

Two rules keep a user from harm. An Esc is never swallowed: inside anything that it cannot belong
to, it ends that and begins anew. And nothing that belongs to a sequence or a paste is ever given
as keys, however it was split, since a pasted ``q`` must not quit.
"""

from __future__ import annotations

import re

from ticketr.terminal.events import Paste

ESC = "\x1b"
#: Seconds that a lone Esc is held.
ESC_WAIT = 0.040
#: Seconds that a sequence is held whose rest comes from the same key press.
SEQUENCE_WAIT = 0.150
#: Seconds without a character after which a paste is given as far as it came.
PASTE_WAIT = 1.0
#: Characters of a paste that are kept.
MAX_PASTE = 1_000_000

_PASTE_ON, _PASTE_OFF = "\x1b[200~", "\x1b[201~"
#: An operating system command or a device's reply; ours to drop, but whole.
_STRING = "\x1b[]P_^X][^\x00-\x1f\x7f\x9c]{0,65536}"

_WHOLE = re.compile(
    "[^\x1b]"
    "|\x1b\\[(?:\\[[@-~]|M[^\x1b]{3}|(?![M[])[ -?]{0,60}[@-~])"  # Linux's F1; X10 mouse; CSI
    "|\x1bO[0-9;]{0,8}[@-~]"
    f"|{_STRING}(?:\x07|\x9c|\x1b\\\\)"
    "|\x1b[^]\x1b[OPX^_]",  # Alt and a character
    re.DOTALL,
)
# What may still become one of these. It always matches at an Esc, the Esc alone if nothing else.
_BEGUN = re.compile(
    f"\x1b(?:\\[(?:\\[|M[^\x1b]{{0,2}}|(?![M[])[ -?]{{0,60}})|O[0-9;]{{0,8}})|{_STRING}\x1b?|\x1b",
    re.DOTALL,
)


class Tokenizer:
    """Cuts a stream of characters into keys and pastes, however the stream is split.

    A token is a `Paste`, or the characters of one key: a plain character or a whole sequence.

    Args:
        escape_wait: seconds that a lone Esc is held.
    """

    def __init__(self, escape_wait: float = ESC_WAIT) -> None:
        self._escape_wait = escape_wait
        self._held = ""
        self._pasted: list[str] | None = None  # None: not in a paste
        self._room = MAX_PASTE

    @property
    def pending(self) -> float | None:
        """How many seconds to wait for the rest of what is held; None if nothing is held."""
        if self._pasted is not None:
            return PASTE_WAIT if self._held or self._pasted else None
        if not self._held:
            return None
        return self._escape_wait if self._held == ESC else SEQUENCE_WAIT

    def feed(self, text: str) -> list[str | Paste]:
        """Give the tokens that are whole now."""
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
                self._pasted, self._room = [], MAX_PASTE
            else:
                tokens.append(token)
        return tokens

    def flush(self) -> list[str | Paste]:
        """Give up what is held as it stands: nothing more came within `pending`."""
        held, self._held = self._held, ""
        if self._pasted is not None:
            return self._flush_paste(held)
        if len(held) > 1 and held.endswith(ESC):  # a reply that was broken off by an Esc
            return [held[:-1], ESC]
        return [held] if held else []

    def _feed_paste(self, text: str, start: int, tokens: list[str | Paste]) -> int:
        """Take what belongs to the paste; gives where the rest begins."""
        end = text.find(_PASTE_OFF, start)
        if end >= 0:
            self._keep(text[start:end])
            tokens += self._give_paste()
            self._pasted = None
            return end + len(_PASTE_OFF)
        end = len(text) - _overlap(text[start:])
        self._keep(text[start:end])
        self._held = text[end:]
        return len(text)

    def _flush_paste(self, held: str) -> list[str | Paste]:
        """Give the paste so far. It goes on, since its rest must never be typed as keys.

        Should its end never come, an Esc alone is the way out.
        """
        if held == ESC and not self._pasted:
            self._pasted = None
            return [ESC]
        self._keep(held)
        return [*self._give_paste()]

    def _keep(self, text: str) -> None:
        assert self._pasted is not None
        if kept := text[: self._room]:
            self._pasted.append(kept)
            self._room -= len(kept)

    def _give_paste(self) -> list[Paste]:
        assert self._pasted is not None
        text = "".join(self._pasted).replace("\r\n", "\n").replace("\r", "\n")
        self._pasted = []
        return [Paste(text)] if text else []


def _end_of_token(text: str, start: int) -> int | None:
    """Find where the token at `start` ends; None if it may go on after the text."""
    if whole := _WHOLE.match(text, start):
        return whole.end()
    begun = _BEGUN.match(text, start)
    assert begun is not None
    if begun.end() == len(text):
        return None
    # Broken: it ends before what does not belong to it, and an Esc at its end is not its own.
    return begun.end() - (begun.end() - start > 1 and text[begun.end() - 1] == ESC)


def _overlap(text: str) -> int:
    """How many characters at the end of the text may begin the end of a paste."""
    longest = min(len(_PASTE_OFF) - 1, len(text))
    return next((n for n in range(longest, 0, -1) if _PASTE_OFF.startswith(text[-n:])), 0)
