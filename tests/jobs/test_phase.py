from __future__ import annotations

import math

from ticketr import CancelCause
from ticketr.jobs._phase import FIRST_STUCK_WARNING, Phase


def test_the_first_cause_stays() -> None:
    phase = Phase()

    causes = [phase.note_cause(CancelCause.SCOPE), phase.note_cause(CancelCause.SHUTDOWN)]

    assert causes == [CancelCause.SCOPE, CancelCause.SCOPE]
    assert phase.cut_off_cause is CancelCause.SCOPE


def test_a_later_cut_off_changes_nothing_and_each_is_due_once() -> None:
    phase = Phase()
    phase.cut_off_by(5)
    phase.cut_off_by(9)

    assert [phase.is_cut_off_due(time) for time in (4, 5, 9)] == [False, True, False]
    assert phase.cut_off_at == math.inf


def test_each_warning_takes_twice_as_long_while_jobs_run() -> None:
    phase = Phase()
    phase.expect_stop(0)
    warned = [
        time
        for time in range(int(16 * FIRST_STUCK_WARNING))
        if phase.is_stuck_warning_due(time, has_running=True)
    ]

    assert warned == [5, 15, 35, 75]


def test_nothing_is_warned_of_without_running_jobs() -> None:
    phase = Phase()
    phase.expect_stop(0)

    assert phase.is_stuck_warning_due(5, has_running=False)
    assert phase.stuck_warning_at == math.inf
