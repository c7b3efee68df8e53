from __future__ import annotations

import pytest

from ticketr.statusline.batch import ProgressRateEstimate


def estimate_of(*reports: tuple[float, float], total: float = 100) -> ProgressRateEstimate:
    """Return the estimate after reports of (time, current)."""
    estimate = ProgressRateEstimate(reports[0][0], total, reports[0][1], reports[0][0])
    for now, current in reports[1:]:
        estimate = estimate.update(current, total, now)
    return estimate


@pytest.mark.parametrize("seconds", [0.01, 0.1, 1.0, 20.0])
def test_a_steady_job_has_its_exact_rate(seconds: float) -> None:
    estimate = estimate_of(*((step * seconds, step) for step in range(20)))

    assert estimate.rate(19 * seconds) == pytest.approx(1 / seconds)


def test_there_is_no_estimate_before_three_steps() -> None:
    estimate = estimate_of((0, 0), (5, 1), (10, 2))

    assert estimate.eta(2, 10) is None
    assert estimate.update(3, 100, 15).eta(3, 15) == pytest.approx(485)


def test_there_is_no_estimate_before_two_seconds() -> None:
    estimate = estimate_of((0, 0), (0.5, 1), (1, 2), (1.5, 3), (1.9, 4))

    assert estimate.eta(4, 1.9) is None
    assert estimate.eta(4, 2.0) is not None


def test_a_completed_job_needs_no_time() -> None:
    assert estimate_of((0, 0), (1, 100)).eta(100, 1) == 0


def test_time_without_reports_counts_as_no_progress() -> None:
    estimate = estimate_of(*((step, step) for step in range(20)))

    etas = [estimate.eta(19, now) for now in (19, 19.5, 20, 21)]

    assert all(eta is not None for eta in etas)
    assert etas == sorted(etas, key=lambda eta: eta or 0)


def test_a_job_that_takes_twice_as_long_as_ever_has_no_estimate_until_it_goes_on() -> None:
    estimate = estimate_of(*((step * 3, step) for step in range(5)))

    assert estimate.eta(4, 18) is not None
    assert estimate.eta(4, 18.1) is None
    assert estimate.update(5, 100, 60).eta(5, 60) is not None


def test_a_quick_job_is_not_stalled_before_two_seconds() -> None:
    estimate = estimate_of(*((step / 8, step) for step in range(25)))

    assert estimate.eta(24, 5) is not None
    assert estimate.eta(24, 5.01) is None


def test_one_outage_does_not_make_the_next_one_look_usual() -> None:
    estimate = estimate_of(*((step, step) for step in range(5)), (40, 6))

    assert estimate.stalled_after_seconds == 4
    assert estimate.eta(6, 44) is not None
    assert estimate.eta(6, 44.1) is None


def test_a_job_whose_steps_take_longer_from_now_on_gets_its_estimate_back() -> None:
    estimate = estimate_of(*((step, step) for step in range(5)), (14, 6), (24, 7), (34, 8))

    assert estimate.stalled_after_seconds == 16


def test_jobs_that_end_in_rounds_are_not_stalled_between_these() -> None:
    rounds = (
        (10 * turn + worker / 10, 8 * turn + worker) for turn in (1, 2) for worker in range(8)
    )
    estimate = estimate_of((0, 0), *rounds)

    assert estimate.eta(23, 29.9) is not None


def test_a_job_that_needs_days_has_no_estimate() -> None:
    estimate = ProgressRateEstimate(0, 1e9, 0, 0)
    for second in range(1, 5):
        estimate = estimate.update(second, 1e9, second)

    assert estimate.eta(4, 4) is None


def test_batches_give_a_steady_answer() -> None:
    estimate = ProgressRateEstimate(0, 10_000, 0, 0)
    foretold = []
    for second in range(1, 61):
        if second % 2 == 0:
            estimate = estimate.update(second * 100, 10_000, second)
        if second > 20:
            eta = estimate.eta(second * 100, second)
            assert eta is not None
            foretold.append(second + eta)

    assert max(foretold) - min(foretold) < 30  # of 100 seconds
    assert sum(foretold) / len(foretold) == pytest.approx(100, rel=0.1)


def test_the_estimate_follows_a_new_rate_within_seconds() -> None:
    estimate = estimate_of(*((second, second) for second in range(50)), total=10_000)
    for second in range(50, 80):
        estimate = estimate.update(50 + (second - 50) * 10, 10_000, second)

    assert estimate.rate(79) == pytest.approx(10, rel=0.1)


def test_two_reports_at_one_instant_lose_nothing() -> None:
    estimate = estimate_of((0, 0), (1, 1), (1, 2), (2, 3), (3, 4.5))
    same = estimate_of((0, 0), (1, 1), (2, 3), (3, 4.5))

    assert estimate.rate(3) == same.rate(3)
    assert estimate.steps == same.steps + 1


def test_a_new_total_or_less_done_is_a_new_phase() -> None:
    estimate = estimate_of((0, 0), (1, 1), (2, 2), (3, 3))

    assert estimate.update(3, 200, 4) == ProgressRateEstimate(4, 200, 3, 4)
    assert estimate.update(1, 100, 4) == ProgressRateEstimate(4, 100, 1, 4)
    assert estimate.update(3, 100, 4) == estimate


def test_at_its_beginning_it_has_no_rate() -> None:
    assert ProgressRateEstimate(5, 100, 0, 5).rate(5) == 0
    assert ProgressRateEstimate(5, 100, 0, 5).rate(4) == 0
