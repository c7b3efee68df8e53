"""What filters, orders and totals look at in an issue. Pure."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType

from ticketr.app.tickets.model import Ticket

# Combining accents of the Latin, Greek and Cyrillic scripts. The vowel signs of other scripts are no
# accents, and stay.
_ACCENTS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff]+")
# Letters with a part that Unicode does not take off.
_LETTER_REPLACEMENTS = {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe"}
_LETTER_TO_REPLACE_PATTERN = re.compile(f"[{''.join(_LETTER_REPLACEMENTS)}]")


def fold(text: str) -> str:
    """Return a text without case and accents, to compare it with another one.

    ``Søren`` and ``SOREN`` become ``soren``, ``Weiß`` becomes ``weiss``.
    """
    if text.isascii():
        return text.lower()
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    if text.isascii():
        return text
    return _LETTER_TO_REPLACE_PATTERN.sub(lambda match: _LETTER_REPLACEMENTS[match[0]], text)


#: Caches short values of fields: there are few, and they are folded often.
_fold_cached = lru_cache(maxsize=4096)(fold)
#: The most characters of a value that is remembered.
_MAX_CACHED_LENGTH = 60
#: What has a name like a field.
FILTERABLE_NON_FIELDS = frozenset(("key", "title", "text"))


def _fold_value_cached(text: str) -> str:
    return _fold_cached(text) if len(text) <= _MAX_CACHED_LENGTH else fold(text)


@lru_cache(maxsize=1024)
def _names_by_folded_name(names: tuple[str, ...]) -> Mapping[str, str]:
    """Return the names of fields by their folded names: many issues have the same fields."""
    return {fold(name): name for name in names}


@dataclass(frozen=True, slots=True)
class FilterableIssue:
    """An issue as a filter sees it.

    What nearly all filters search in is prepared once, here.

    Attributes:
        key: The issue's key; empty for a draft.
        title: The issue's title, or the error of a broken file.
        fields: The names and texts of its fields, as in its file.
        text: The rest of its text: the description, the acceptance criteria and rich-text fields.
        file_states: Which of `FILE_STATES` hold for it.
        updated: Its last change in Jira, as Jira writes it; empty if it is not known.
        haystack: Its key, title, text and values of fields, folded; one line each.
    """

    key: str
    title: str
    fields: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    text: str = ""
    file_states: frozenset[str] = frozenset()
    updated: str = ""
    haystack: str = field(init=False, repr=False, compare=False)
    _names_by_folded: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        own = [fold(self.key), fold(self.title), fold(self.text)]
        haystack = "\n".join(own + [_fold_value_cached(text) for text in self.fields.values()])
        object.__setattr__(self, "haystack", haystack)
        object.__setattr__(self, "_names_by_folded", _names_by_folded_name(tuple(self.fields)))

    def folded_text(self, name: str) -> str:
        """Return the folded text of a field; empty where the field is.

        Args:
            name: The folded name of the field, or ``key``, ``title`` or ``text``.
        """
        field_name = self._names_by_folded.get(name)
        if field_name is not None:
            value = self.fields[field_name]
        elif name in FILTERABLE_NON_FIELDS:
            value = str(getattr(self, name))
        else:
            return ""
        return _fold_value_cached(value)


def filterable_issue_of(
    issue: Ticket, file_states: frozenset[str] = frozenset(), *, updated: str = ""
) -> FilterableIssue:
    """Return an issue of a file as a filter sees it.

    Args:
        issue: The ticket or sub-task.
        file_states: Its states; that of a draft is added.
        updated: Its last change in Jira, as Jira writes it.
    """
    text = "\n".join((issue.description, *issue.acceptance_criteria, *issue.rich_texts.values()))
    own = file_states if issue.key is not None else file_states | {"draft"}
    return FilterableIssue(issue.key or "", issue.title, issue.fields, text, own, updated)


#: Compares with others of the same order; issues without a value come last.
SortKey = tuple[object, ...]

_NUMBERED_KEY = re.compile(r"(.+)-([0-9]+)")
#: Jira's own priorities, old names and new ones, the most urgent first.
_PRIORITIES_BY_URGENCY = (
    ("blocker",),
    ("highest", "critical"),
    ("high", "major"),
    ("medium", "normal"),
    ("low", "minor"),
    ("lowest", "trivial"),
)
_PRIORITY_RANKS = {
    name: rank for rank, names in enumerate(_PRIORITIES_BY_URGENCY) for name in names
}


def sort_key(name: str) -> Callable[[FilterableIssue], SortKey]:
    """Return the key function of an order, for ``sorted``.

    Issues that are equal in an order, and all issues of ``key``, are in the order of their keys,
    ``AB-9`` before ``AB-10``, then drafts by title.

    Args:
        name: One of `SORT_NAMES`. ``priority`` begins with the most urgent, ``updated`` with the
            latest change in Jira, ``points`` with the most.

    Raises:
        KeyError: There is no such order.
    """
    return _SORT_KEY_BY_NAME[name]


def _by_key(candidate: FilterableIssue) -> SortKey:
    match = _NUMBERED_KEY.fullmatch(candidate.key)
    place = (match[1], int(match[2])) if match else ("", 0)
    return (match is None, *place, fold(candidate.title))


def _by_title(candidate: FilterableIssue) -> SortKey:
    return (fold(candidate.title), *_by_key(candidate))


def _by_field(name: str) -> Callable[[FilterableIssue], SortKey]:
    def key(candidate: FilterableIssue) -> SortKey:
        value = candidate.folded_text(name)
        return (not value, value, *_by_key(candidate))

    return key


def rank_of_priority(folded: str) -> int | None:
    """Return the rank of a folded priority, 0 for the most urgent; None if it is not Jira's own."""
    return _PRIORITY_RANKS.get(folded)


def _by_priority(candidate: FilterableIssue) -> SortKey:
    value = candidate.folded_text("priority")
    rank = _PRIORITY_RANKS.get(value, len(_PRIORITIES_BY_URGENCY))
    return (not value, rank, value, *_by_key(candidate))


def _by_latest_update(candidate: FilterableIssue) -> SortKey:
    moment = _epoch_seconds(candidate.updated)
    return (moment is None, -(moment or 0.0), *_by_key(candidate))


def _by_points_descending(candidate: FilterableIssue) -> SortKey:
    points = points_or_zero(candidate)
    return (not points, -points, *_by_key(candidate))


def _epoch_seconds(text: str) -> float | None:
    """Return a moment as Jira writes it in seconds since the epoch; None if it is not a moment."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


_SORT_KEY_BY_NAME = MappingProxyType(
    {
        "key": _by_key,
        "title": _by_title,
        "status": _by_field("status"),
        "priority": _by_priority,
        "assignee": _by_field("assignee"),
        "updated": _by_latest_update,
        "type": _by_field("type"),
        "sprint": _by_field("sprint"),
        "points": _by_points_descending,
    }
)
#: The names of the orders.
SORT_NAMES = tuple(_SORT_KEY_BY_NAME)


#: The folded names of the field with the points: of projects managed by a company, and by a team.
_POINT_FIELDS = ("story points", "story point estimate")


@dataclass(frozen=True, slots=True)
class GroupSum:
    """The issues of one value.

    Attributes:
        value: The value as in the files; empty for the issues without one.
        issue_count: How many there are.
        points: The sum of their points; an issue without points adds nothing.
    """

    value: str
    issue_count: int
    points: float


def issue_and_point_totals_by(
    candidates: Iterable[FilterableIssue], name: str
) -> tuple[GroupSum, ...]:
    """Return a total for each value of a field: the most issues first, those without a value last.

    Args:
        candidates: The issues.
        name: The field's name; case and accents do not matter.
    """
    folded_name = fold(name)
    counts: dict[str, int] = defaultdict(int)
    points: dict[str, list[float]] = defaultdict(list)
    shown: dict[str, str] = {}
    for candidate in candidates:
        value = next(
            (text for field, text in candidate.fields.items() if fold(field) == folded_name), ""
        )
        folded = fold(value.strip())
        shown.setdefault(folded, value.strip())
        counts[folded] += 1
        points[folded].append(points_or_zero(candidate))
    totals = [GroupSum(shown[count], counts[count], math.fsum(points[count])) for count in counts]
    return tuple(
        sorted(totals, key=lambda total: (not total.value, -total.issue_count, fold(total.value)))
    )


def points_or_zero(candidate: FilterableIssue) -> float:
    """Return the points of an issue; 0 if it has none, or no number."""
    for name in _POINT_FIELDS:
        with suppress(ValueError):
            number = float(candidate.folded_text(name) or 0.0)
            if number and math.isfinite(number):
                return number
    return 0.0
