"""What leaves the block of a queue.

The nursery belongs to the queue alone: the workers and the keeper of time are its only
children. No error of a job, a callback or the body is raised through it: a nursery asks errors for
their ``repr`` and splits them, and where that raises, it stays open. They are written down, the
nursery's scope is cancelled, and ``what_leaves`` tells what goes on once it is empty. Two
cases are easy to get wrong:

* Interrupted by a job, the nursery cancels the body. That ``Cancelled`` belongs to a
  scope which is closed by the end, so it does not go on: what the job raised does.
* Cancelled from outside, body and workers all raise. Out goes the body's own
  exception, as if there were no nursery: code around the block cannot tell it from
  code without a queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr._errors import JobFailed
from ticketr.jobs._groups import leaves, split_cancelled, unwrap_single

if TYPE_CHECKING:
    from collections.abc import Sequence


def what_leaves(
    body: BaseException | None, fatal: Sequence[BaseException], spill: BaseException | None
) -> BaseException | None:
    """What goes on from the end of the block.

    Args:
        body: What the body raised, or the wait for the last jobs.
        fatal: What jobs and callbacks raised that nobody may keep from the program.
        spill: What came out of the nursery: a Cancelled of an outer scope, or an interrupt.
    """
    cancelled, rest = split_cancelled(spill) if spill is not None else (None, None)
    others = leaves(rest)
    if any(issubclass(type(leaf), Exception) for leaf in others) and spill is not None:
        spill.add_note("This is a fault of ticketr itself. Please report it.")
        return spill
    fatal = [*fatal, *others]
    if not fatal:
        return body if body is not None else next(iter(leaves(cancelled)), None)
    errors = [unwrap_single(error) for error in fatal]
    own = split_cancelled(body)[1] if body is not None else None
    if own is not None and not _comes_of(own, fatal):
        errors.insert(0, own)
    return errors[0] if len(errors) == 1 else BaseExceptionGroup("body and jobs failed", errors)


def _comes_of(own: BaseException, fatal: Sequence[BaseException]) -> bool:
    """Whether the body only was told of what leaves anyway."""
    return type(own) is JobFailed and any(own.__cause__ is error for error in fatal)
