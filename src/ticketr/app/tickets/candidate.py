"""What a filter and a sort order look at in an issue. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ticketr.app.tickets.model import Ticket

# Combining accents of the Latin, Greek and Cyrillic scripts. The vowel signs of other scripts are no
# accents, and stay.
_ACCENTS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff]+")
# Letters with a part that Unicode does not take off.
_LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe"}
_LETTER = re.compile(f"[{''.join(_LETTERS)}]")


def fold(text: str) -> str:
    """Return a text without case and accents, to compare it with another one.

    ``Søren`` and ``SOREN`` become ``soren``, ``Weiß`` becomes ``weiss``.
    """
    if text.isascii():
        return text.lower()
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return text if text.isascii() else _LETTER.sub(lambda match: _LETTERS[match[0]], text)


#: Caches short values of fields: there are few, and they are folded often.
_fold_again = lru_cache(maxsize=4096)(fold)
#: The most characters of a value that is remembered.
_SHORT = 60
#: What has a name like a field.
_OWN = frozenset(("key", "title", "text"))


def _fold_value(text: str) -> str:
    return _fold_again(text) if len(text) <= _SHORT else fold(text)


@lru_cache(maxsize=1024)
def _by_folded_name(names: tuple[str, ...]) -> Mapping[str, str]:
    """Return the names of fields by their folded names: many issues have the same fields."""
    return {fold(name): name for name in names}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An issue as a filter sees it.

    What nearly all filters search in is prepared once, here.

    Attributes:
        key: The issue's key; empty for a draft.
        title: The issue's title, or the error of a broken file.
        fields: The names and texts of its fields, as in its file.
        text: The rest of its text: the description, the acceptance criteria and rich-text fields.
        flags: Which of `FLAGS` hold for it.
        updated: Its last change in Jira, as Jira writes it; empty if it is not known.
        haystack: Its key, title, text and values of fields, folded; one line each.
    """

    key: str
    title: str
    fields: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    text: str = ""
    flags: frozenset[str] = frozenset()
    updated: str = ""
    haystack: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        own = [fold(self.key), fold(self.title), fold(self.text)]
        haystack = "\n".join(own + [_fold_value(text) for text in self.fields.values()])
        object.__setattr__(self, "haystack", haystack)

    def folded(self, name: str) -> str:
        """Return the folded text of a field; empty where the field is.

        Args:
            name: The folded name of the field, or ``key``, ``title`` or ``text``.
        """
        field_name = _by_folded_name(tuple(self.fields)).get(name)
        if field_name is not None:
            value = self.fields[field_name]
        elif name in _OWN:
            value = str(getattr(self, name))
        else:
            return ""
        return _fold_value(value)


def candidate_of(
    issue: Ticket, flags: frozenset[str] = frozenset(), *, updated: str = ""
) -> Candidate:
    """Return an issue of a file as a filter sees it.

    Args:
        issue: The ticket or sub-task.
        flags: Its flags; that of a draft is added.
        updated: Its last change in Jira, as Jira writes it.
    """
    text = "\n".join((issue.description, *issue.acceptance_criteria, *issue.texts.values()))
    own = flags if issue.key is not None else flags | {"draft"}
    return Candidate(issue.key or "", issue.title, issue.fields, text, own, updated)
