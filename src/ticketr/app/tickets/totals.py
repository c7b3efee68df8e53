"""Counts issues, and adds up their points, by the values of a field. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ticketr.app.tickets.candidate import Candidate, fold

#: The names of the field with the points: of projects managed by a company, and by a team.
POINT_FIELDS = ("Story Points", "Story point estimate")


@dataclass(frozen=True, slots=True)
class Total:
    """The issues of one value.

    Attributes:
        value: The value as in the files; empty for the issues without one.
        issues: How many there are.
        points: The sum of their points; an issue without points adds nothing.
    """

    value: str
    issues: int
    points: float


def total_by(candidates: Iterable[Candidate], name: str) -> tuple[Total, ...]:
    """Return a total for each value of a field: the most issues first, those without a value last.

    Args:
        candidates: The issues.
        name: The field's name; case and accents do not matter.
    """
    wanted = fold(name)
    counts: dict[str, int] = defaultdict(int)
    points: dict[str, list[float]] = defaultdict(list)
    shown: dict[str, str] = {}
    for candidate in candidates:
        value = next(
            (text for field, text in candidate.fields.items() if fold(field) == wanted), ""
        )
        folded = fold(value.strip())
        shown.setdefault(folded, value.strip())
        counts[folded] += 1
        points[folded].append(points_of(candidate))
    totals = [Total(shown[count], counts[count], math.fsum(points[count])) for count in counts]
    return tuple(
        sorted(totals, key=lambda total: (not total.value, -total.issues, fold(total.value)))
    )


def points_of(candidate: Candidate) -> float:
    """Return the points of an issue; 0 if it has none, or no number."""
    names = {fold(name) for name in POINT_FIELDS}
    for field, text in candidate.fields.items():
        if fold(field) in names:
            try:
                number = float(text)
            except ValueError:
                continue
            if math.isfinite(number):
                return number
    return 0.0
