from __future__ import annotations

import math

import trio
from fakes.records import pending_record

from ticketr.jobs._admission import Submission
from ticketr.jobs._scheduling.schedule import Schedule


def test_one_can_be_taken_out_of_the_middle() -> None:
    schedule, a, b, c = Schedule(10), pending_record("a"), pending_record("b"), pending_record("c")
    for job in (a, b, c):
        schedule.add(job, 0)

    schedule.discard(b)

    assert schedule.pending == 2
    assert [schedule.take(), schedule.take(), schedule.take()] == [a, c, None]


def test_one_that_goes_has_no_time_any_more_by_which_it_must_have_started() -> None:
    schedule = Schedule(10)
    cancelled, taken = pending_record("a"), pending_record("b")
    for job in (cancelled, taken):
        job.own_extras().start_by = 5
        schedule.add(job, 0)

    schedule.discard(cancelled)
    assert schedule.take() is taken

    assert schedule.next_time() == math.inf
    assert schedule.expired(9) == []


async def test_waiting_submitters_enter_in_order_as_there_is_room() -> None:
    schedule = Schedule(1)
    task = trio.lowlevel.current_task()
    first, second, third = (Submission(pending_record(name), task) for name in "abc")
    schedule.add(pending_record("inside"), 0)
    for submission in (first, second, third):
        schedule.add_submission(submission)
    schedule.withdraw(second)

    assert (len(schedule.submissions), schedule.pending) == (2, 1)
    schedule.take()
    assert schedule.next_admitted() is first
    schedule.add(first.record, 0)
    assert schedule.clear_submissions() == [third]
    assert (len(schedule.submissions), schedule.pending) == (0, 1)
