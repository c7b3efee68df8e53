"""Removes secrets from a server's text, in any spelling of them. Pure.

A server that repeats a token may break it up with a control sequence or with invisible
characters, or encode it as in a URL, in JSON, HTML or Python. Text is cleaned before it is shown,
so it is cleaned before it is searched, too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from ticketr._lazy import compile_on_use
from ticketr.cleaning import clean

#: What replaces a secret.
HIDDEN = "[hidden]"

# The parts that are skipped or decoded. An escaped control sequence is skipped as a whole, and so is
# everything but visible ASCII: no token contains it, and it may split a token.
_SPECIAL = r"""
      (?:\\+x1b|\\+u001b|%(?:25)*1b)(?:(?:\[|%(?:25)*5b)[0-?]*[\x20-/]*[@-~])?
    | \\+x(?P<byte>[0-9a-f]{2}) | \\+u(?P<unit>[0-9a-f]{4})
    | %(?:25)*(?P<percent>[0-9a-f]{2})
    | &\#(?P<decimal>[0-9]{1,7});? | &\#x(?P<entity>[0-9a-f]{1,6});?
    | &(?:shy|nbsp|zwn?j|zerowidthspace);
    | \\+[abefnrtv0] | \\+(?P<quoted>[!-/:-@\[-`{-~])
    | [^!-~]+
"""
# The control sequences that a terminal does not show at all; other sequences of two characters take a letter along.
_SEQUENCE = r"""
      (?:\x1b\[|\x9b)[0-?]*[\x20-/]*[@-~]
    | (?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x9c|\x1b\\)
"""
# What such a sequence begins with.
_STARTS = frozenset("\x1b\x9b\x9d")
_FLAGS = re.IGNORECASE | re.VERBOSE
_AS_WRITTEN = re.compile(_SPECIAL, _FLAGS)
_AS_SHOWN = compile_on_use(f"{_SEQUENCE} | {_SPECIAL}", _FLAGS)


def redact(text: str, secrets: Iterable[str]) -> str:
    """Replace secrets in a text by `HIDDEN`.

    Returns:
        The text itself if it holds none of them; else one clean line without them.
    """
    sought = _alphabet(frozenset(secrets))
    redacted = _replace_secrets(text, sought, _AS_WRITTEN)
    if not _STARTS.isdisjoint(redacted):
        redacted = _replace_secrets(redacted, sought, _AS_SHOWN)
    line = clean(redacted)
    shown = line if line == redacted else _replace_secrets(line, sought, _AS_WRITTEN)
    return text if redacted == text and shown == line else shown


@lru_cache(maxsize=8)
def _alphabet(secrets: frozenset[str]) -> frozenset[str]:
    """Return secrets in the form in which texts are compared."""
    return frozenset(_AS_WRITTEN.sub(_letter, secret).lower() for secret in secrets) - {""}


def _replace_secrets(text: str, sought: Collection[str], special: re.Pattern[str]) -> str:
    """Replace secrets in one reading of a text."""
    letters = special.sub(_letter, text).lower()
    if not any(secret in letters for secret in sought):
        return text
    places = _character_places(text, special)
    spans = sorted(span for secret in sought for span in _secret_ranges(letters, places, secret))
    kept: list[str] = []
    at = 0
    for start, end in spans:
        if start >= at:
            kept += (text[at:start], HIDDEN)
        at = max(at, end)
    return "".join((*kept, text[at:]))


def _secret_ranges(
    letters: str, places: list[tuple[int, int]], secret: str
) -> Iterator[tuple[int, int]]:
    """Yield where in the text a secret is, from its first letter to its last."""
    at = letters.find(secret)
    while at >= 0:
        yield places[at][0], places[at + len(secret) - 1][1]
        at = letters.find(secret, at + 1)


def _character_places(text: str, special: re.Pattern[str]) -> list[tuple[int, int]]:
    """Return the place in the text of each character that is compared."""
    places: list[tuple[int, int]] = []
    at = 0
    for match in special.finditer(text):
        places += ((place, place + 1) for place in range(at, match.start()))
        if _letter(match):
            places.append(match.span())
        at = match.end()
    places += ((place, place + 1) for place in range(at, len(text)))
    return places


def _letter(special: re.Match[str]) -> str:
    """Return the character of an escape; empty for an invisible one."""
    form = special.lastgroup
    if form is None:
        return ""
    written = special[form]
    if form == "quoted":
        return written
    letter = int(written, 10 if form == "decimal" else 16)
    return chr(letter) if 0x21 <= letter <= 0x7E else ""
