from __future__ import annotations

import pytest
import trio

from ticketr import CancelCause, RetryLater
from ticketr.jobs._job import CANCELLED, FAILED
from ticketr.jobs._worker import Outcome, outcome_of


async def cancelled() -> trio.Cancelled:
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.lowlevel.checkpoint()
        except trio.Cancelled as caught:
            return caught.with_traceback(None)
    raise AssertionError("a cancelled scope has raised nothing")


@pytest.mark.parametrize("outside", [False, True])
async def test_a_scope_that_caught_all_was_cancelled_or_out_of_time(*, outside: bool) -> None:
    asked = outcome_of(None, cancel_requested=True, is_cancelled_outside=outside)
    unasked = outcome_of(None, cancel_requested=False, is_cancelled_outside=outside)

    assert asked == Outcome(CANCELLED)
    assert unasked == Outcome(FAILED, CancelCause.TIMEOUT)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
async def test_what_ends_the_program_is_fatal_in_a_group_too(kind: type[BaseException]) -> None:
    error = kind()
    group = BaseExceptionGroup("", [error, ValueError()])

    alone = outcome_of(error, cancel_requested=True, is_cancelled_outside=True)
    grouped = outcome_of(group, cancel_requested=False, is_cancelled_outside=False)

    assert alone == Outcome(FAILED, error=error, is_fatal=True)
    assert (grouped.status, grouped.is_fatal) == (FAILED, True)


async def test_an_exception_fails_the_job_and_leaves_the_cancelled_beside_it() -> None:
    error, outer = ValueError(), await cancelled()
    group = BaseExceptionGroup("", [error, outer])

    alone = outcome_of(error, cancel_requested=True, is_cancelled_outside=False)
    beside = outcome_of(group, cancel_requested=False, is_cancelled_outside=True)

    assert alone == Outcome(FAILED, error=error)
    assert beside.status is FAILED
    assert isinstance(beside.error, ExceptionGroup)
    assert beside.error.exceptions == (error,)
    assert isinstance(beside.leaving, BaseExceptionGroup)
    assert beside.leaving.exceptions == (outer,)


async def test_a_cancelled_leaves_if_a_scope_around_the_queue_is_cancelled() -> None:
    error = await cancelled()

    outer = outcome_of(error, cancel_requested=False, is_cancelled_outside=True)
    saved = outcome_of(error, cancel_requested=True, is_cancelled_outside=False)

    assert outer == Outcome(CANCELLED, CancelCause.SCOPE, leaving=error)
    assert saved == Outcome(FAILED, error=error)


@pytest.mark.parametrize(
    ("requested", "outside", "status"),
    [(True, False, CANCELLED), (False, True, CANCELLED), (False, False, FAILED)],
)
async def test_a_job_that_stops_for_now_is_cancelled_if_it_is_to_stop(
    *, requested: bool, outside: bool, status: object
) -> None:
    outcome = outcome_of(RetryLater(1), cancel_requested=requested, is_cancelled_outside=outside)

    assert outcome.status is status
