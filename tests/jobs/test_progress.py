from __future__ import annotations

import math

import pytest

from ticketr import JobProgress
from ticketr.jobs._progress import advance


def progress(current: float, total: float, message: str = "") -> JobProgress:
    return JobProgress("job-1", current, total, message, 1)


@pytest.mark.parametrize(
    ("current", "total", "percentage"),
    [(0, 0, 0.0), (7, 0, 0.0), (0, 4, 0.0), (1, 4, 25.0), (4, 4, 100.0), (5, 4, 100.0)],
)
def test_percentage(current: float, total: float, percentage: float) -> None:
    assert progress(current, total).percentage == percentage


@pytest.mark.parametrize(
    ("shown", "current", "total", "message"),
    [
        ("45% (54/120) Pulling tickets", 54, 120, "Pulling tickets"),
        ("38% (45/120)", 45, 120, ""),
        ("99% (999999/1000000)", 999_999, 1_000_000, ""),
        ("100% (3/3)", 3, 3, ""),
        ("(7) Looking", 7, 0, "Looking"),
    ],
)
def test_shown_as(shown: str, current: float, total: float, message: str) -> None:
    assert str(progress(current, total, message)) == shown


@pytest.mark.parametrize(
    ("old", "reported", "new"),
    [
        ((0, 0), (3, 10), (3, 10)),
        ((3, 10), (4, None), (4, 10)),
        ((4, 10), (3, None), (4, 10)),  # a late report of a slower child
        ((4, 10), (3, 10), (4, 10)),
        ((9, 10), (0, 50), (0, 50)),  # a new phase
        ((4, 10), (11, None), (10, 10)),
        ((4, 0), (11, None), (11, 0)),
        ((4, 10), (-1, 20), (0, 20)),
        ((4, 10), (5, -1), (5, 0)),
        ((4, 10), (math.nan, None), (4, 10)),
        ((4, 10), (math.inf, None), (4, 10)),
        ((4, 10), (5, math.nan), (5, 10)),
        ((4, 10), (5, math.inf), (5, 10)),
        ((0, 0), (10**300, 2 * 10**300), (10**300, 2 * 10**300)),
        ((4, 10), (10**400, None), (4, 10)),
        ((4, 10), (5, 10**400), (5, 10)),  # 5.0 / 10**400 is not a percentage but an OverflowError
    ],
)
def test_a_report_is_folded_into_the_progress_so_far(
    old: tuple[float, float], reported: tuple[float, float | None], new: tuple[float, float]
) -> None:
    assert advance(*old, *reported) == new
