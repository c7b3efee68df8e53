"""A change of a text, word by word, as a line. Pure."""

from __future__ import annotations

from functools import lru_cache

from ticketr.app.sync import word_diff
from ticketr.app.tui.styled import Line, Span, wrap_line
from ticketr.text import clean


@lru_cache(maxsize=16)
def wrapped_words(before: str, after: str, cells: int, first: str, rest: str) -> tuple[Line, ...]:
    """Return a change as wrapped lines.

    A frame is drawn many times a second, and long texts take long to compare and to wrap.

    Args:
        before: The old text, not cleaned.
        after: The new text, not cleaned.
        cells: The width of the lines.
        first: What the first line begins with.
        rest: What the other lines begin with.
    """
    return tuple(wrap_line(changed_words(before, after), cells, first=first, rest=rest))


def changed_words(before: str, after: str) -> Line:
    """Return a change as a line: what is gone in ``[-...-]``, what is new in ``{+...+}``.

    Args:
        before: The old text, not cleaned.
        after: The new text, not cleaned.
    """
    spans: list[Span] = []
    for kind, piece in word_diff(before, after):
        shown = clean(piece)
        match kind:
            case "removed":
                spans.append(Span(f"[-{shown}-]", ("red",)))
            case "added":
                spans.append(Span(f"{{+{shown}+}}", ("green",)))
            case _:
                spans.append(Span(shown))
    return tuple(spans)
