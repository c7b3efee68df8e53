"""A change of a text, word by word, as a line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.sync import word_diff
from ticketr.text import clean
from ticketr.tui.styled import Span

if TYPE_CHECKING:
    from ticketr.tui.styled import Line


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
