from __future__ import annotations

import math

from ticketr.jobs._timer import Timer


def test_the_alarm_only_becomes_earlier_until_it_is_reset() -> None:
    timer = Timer()
    timer.reset(9)
    timer.wake_at(5)
    timer.wake_at(7)

    assert timer.scope.deadline == 5
    assert timer.reset(math.inf).deadline == math.inf


def test_a_requested_check_is_due_at_once_and_only_once() -> None:
    timer = Timer()
    timer.request_deadlock_check()

    assert (timer.scope.deadline, timer.reset(9).deadline) == (-math.inf, -math.inf)
    assert [timer.begin_deadlock_check() for _ in range(2)] == [True, False]


def test_a_planned_check_becomes_due_when_its_time_has_passed() -> None:
    timer = Timer()
    timer.request_deadlock_check_at(5)
    timer.request_deadlock_check_at(8)

    assert timer.reset(math.inf).deadline == 5
    timer.pass_time(4)
    early = timer.begin_deadlock_check()
    timer.pass_time(5)
    assert (early, timer.begin_deadlock_check(), timer.deadlock_check_at) == (False, True, math.inf)
