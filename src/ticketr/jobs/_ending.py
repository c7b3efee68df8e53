"""What leaves the block of a queue.

A nursery calls the ``repr`` of each error, and splits groups. It stays open if one of these raises.
So no error of a job, a callback or the body goes through the queue's nursery. The queue keeps the
errors and cancels the nursery's scope. When the nursery is empty, ``what_leaves`` returns what to
raise. Two cases are easy to get wrong:

* A job interrupts the queue, and the nursery cancels the body. The body's ``Cancelled`` belongs to a
  scope that ends with the block. The job's error leaves the block.
* A scope around the block is cancelled, and the body and all workers raise. The body's own exception
  leaves the block, as in code without a nursery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr._errors import JobFailed
from ticketr.jobs._cancelled import split_cancelled
from ticketr.jobs._groups import leaves, unwrap_single

if TYPE_CHECKING:
    from collections.abc import Sequence


def what_leaves(
    body: BaseException | None,
    fatal: Sequence[BaseException],
    spill: BaseException | None,
    failure: BaseException | None = None,
) -> BaseException | None:
    """Return what to raise at the end of the block.

    Args:
        body: What the body raised, or the wait for the last jobs.
        fatal: The interrupts and exits that jobs and callbacks raised.
        spill: What came out of the nursery: a Cancelled of an outer scope, or an interrupt.
        failure: The error of the job whose failure has cancelled the queue. It leaves in a group.
    """
    cancelled, rest = split_cancelled(spill) if spill is not None else (None, None)
    others = leaves(rest)
    if any(issubclass(type(leaf), Exception) for leaf in others) and spill is not None:
        spill.add_note("This is a fault of ticketr itself. Please report it.")
        return spill
    fatal = [*fatal, *others]
    if not fatal and failure is None:
        return body if body is not None else next(iter(leaves(cancelled)), None)
    errors = [unwrap_single(error) for error in fatal]
    if failure is not None:
        errors.append(failure)
    own = split_cancelled(body)[1] if body is not None else None
    if own is not None and not _comes_of(own, [*fatal, failure]):
        errors.insert(0, own)
    if len(errors) > 1:
        return BaseExceptionGroup("body and jobs failed", errors)
    return errors[0] if failure is None else BaseExceptionGroup("a job failed", errors)


def _comes_of(own: BaseException, fatal: Sequence[BaseException | None]) -> bool:
    """Return whether the body's error is a ``JobFailed`` about an error that leaves anyway."""
    return type(own) is JobFailed and any(own.__cause__ is error for error in fatal)
