"""The marks of the list: status, and initials of people. Pure."""

from __future__ import annotations

from functools import lru_cache

from ticketr.text import clip

_TO_DO = frozenset(
    [
        "to do",
        "todo",
        "open",
        "new",
        "backlog",
        "selected for development",
        "reopened",
        "created",
        "planned",
        "ready",
        "to be done",
        "zu erledigen",
        "offen",
        "neu",
        "à faire",
        "por hacer",
        "da fare",
        "待办",
        "未着手",
    ]
)
_DONE = frozenset(
    [
        "done",
        "closed",
        "resolved",
        "complete",
        "completed",
        "cancelled",
        "canceled",
        "released",
        "rejected",
        "fertig",
        "erledigt",
        "geschlossen",
        "terminé",
        "terminé(e)",
        "fermé",
        "listo",
        "hecho",
        "fatto",
        "完成",
        "完了",
        "won't do",
        "won't fix",
        "declined",
        "abandoned",
        "archived",
        "published",
        "shipped",
    ]
)


@lru_cache(maxsize=512)
def status_mark(status: str) -> str:
    """Return a status as one character: ○ to do, ◐ in progress, ● done; a blank if it is unknown.

    A file holds a status by its name alone, so the usual names decide; any other counts as being
    in progress.
    """
    name = status.strip().casefold()
    if not name:
        return " "
    if name in _TO_DO:
        return "○"
    return "●" if name in _DONE else "◐"


@lru_cache(maxsize=512)
def initials(name: str) -> str:
    """Return a person's name in two cells at most; a dash for nobody."""
    words = [word for word in name.replace("@", " ").split() if word[0].isalnum()]
    if not words:
        return "–"
    if not words[0][0].isascii() and words[0][0].isalpha() and len(words) == 1:
        return clip(words[0], 2, ellipsis="")
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])
    return clip(letters.upper() if len(words) > 1 else letters.capitalize(), 2, ellipsis="")
