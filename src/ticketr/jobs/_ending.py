"""What leaves the block of a queue.

The nursery belongs to the queue alone: the workers and the keeper
of time are its only children, and no error of a job ever reaches it, except what must
not be kept from the program: an interrupt, and a cancellation from outside. So what
comes out of the nursery is known in all cases, and ``what_leaves`` can take the group
off that a nursery puts around everything. Two cases are easy to get wrong:

* Interrupted by a job, the nursery cancels the body. That ``Cancelled`` belongs to a
  scope which is closed a moment later. It is raised inside the nursery, which strips
  it; raised again behind it, it would fall through the whole program.
* Cancelled from outside, body and workers all raise. Out goes the body's own
  exception, as if there were no nursery: code around the block cannot tell it from
  code without a queue.
"""

from __future__ import annotations

from ticketr._errors import JobFailed
from ticketr.jobs._groups import leaves, split_cancelled


def what_leaves(
    body: BaseException | None, fatal: list[BaseException], spill: BaseException | None
) -> BaseException | None:
    """What goes on from the end of the block.

    Args:
        body: What the body raised, or the wait for the last jobs.
        fatal: What jobs raised that nobody may keep from the program.
        spill: What came out of the nursery: these, and a Cancelled of an outer scope.
    """
    if spill is None:
        return None
    known = {id(leaf) for error in (body, *fatal) for leaf in leaves(error)}
    cancelled, rest = split_cancelled(spill)
    others = [leaf for leaf in leaves(rest) if id(leaf) not in known]
    if any(isinstance(leaf, Exception) for leaf in others):
        spill.add_note("This is a fault of ticketr itself. Please report it.")
        return spill
    fatal = [*fatal, *others]  # sys.exit() in a callback
    if not fatal:
        return body if body is not None else next(leaves(cancelled), None)
    errors = [lone(error) for error in fatal]
    own = split_cancelled(body)[1] if body is not None else None
    if own is not None and not (isinstance(own, JobFailed) and own.__cause__ in fatal):
        errors.insert(0, own)
    return errors[0] if len(errors) == 1 else BaseExceptionGroup("body and jobs failed", errors)


def lone(error: BaseException) -> BaseException:
    """An error out of the groups around it, if it is alone in them."""
    only = list(leaves(error))
    return only[0] if len(only) == 1 else error
