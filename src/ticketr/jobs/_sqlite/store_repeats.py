"""The repeats of a store: as rows of its file, and back."""

from __future__ import annotations

import json
import math
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ticketr._errors import NotSendable
from ticketr.jobs._arguments.function import resolve_function
from ticketr.jobs._calls.importable import LoadFailed, importable_name, load_allowed
from ticketr.jobs._calls.stored_call import StoredCall
from ticketr.jobs._maps.due_times import Calendar, Interval, utc
from ticketr.jobs._maps.repeat import Repeat, call_in_context
from ticketr.jobs._record import JobRecord
from ticketr.jobs._sqlite.store_calls import unpack_call
from ticketr.jobs._values import checked_seconds, safe_repr

if TYPE_CHECKING:
    from ticketr.jobs._calls.codecs import Codec, CodecName
    from ticketr.jobs._calls.importable import AllowedNames
    from ticketr.jobs._maps.due_times import DueTimes


class RepeatRow(NamedTuple):
    """A repeat of the file.

    Times are seconds since 1970 on the wall clock.
    """

    id: str
    codec: CodecName
    job: bytes
    key: bytes | None
    options: str
    priority: int
    every: str
    first_at: float
    due_at: float
    is_due_used: int
    is_paused: int
    runs: int
    missed: int


def pack_every(every: object, allowed: AllowedNames | None) -> str:
    """Return the ``every`` of a repeat as text.

    Raises:
        NotSendable: It is a function that cannot be imported, or that the store does not allow.
    """
    if callable(every):
        what = "'every' of the repeat"
        name = importable_name(every, what)
        if allowed is not None and name not in allowed:
            raise NotSendable(what, safe_repr(every), "is not among the store's functions")
        return json.dumps({"function": name})
    return json.dumps({"seconds": checked_seconds("every", every)})


def row_of_repeat(repeat: Repeat, offset: float) -> RepeatRow | None:
    """Return the row of a repeat; None if it has ended."""
    template, times = repeat.template, repeat.due_times
    if template is None or times is None or template.extras.stored is None:
        return None
    call = template.extras.stored
    return RepeatRow(
        repeat.id,
        call.codec,
        call.job,
        call.key,
        call.options,
        template.extras.priority,
        repeat.every,
        times.first_at + offset,
        times.due_at + offset,
        int(repeat.is_due_used),
        int(repeat.is_paused),
        repeat.runs,
        repeat.missed,
    )


def repeat_of_row(
    row: RepeatRow,
    number: int,
    now: float,
    offset: float,
    codec: Codec,
    allowed: AllowedNames | None,
) -> Repeat:
    """Return the repeat of a row.

    Args:
        row: The row.
        number: Its place in the order of the repeats.
        now: The time on Trio's clock.
        offset: The difference between wall-clock time and Trio's clock.
        codec: The codec that the store was opened with.
        allowed: What may be loaded; None for anything.

    Raises:
        LoadFailed: Its job or function cannot be imported or rebuilt.
    """
    stored = StoredCall(row.codec, row.job, row.key, row.options)
    call = unpack_call(stored, codec, allowed)
    function, _ = resolve_function(call.job, call.args)
    template = JobRecord(function, call.args, copy_context(), call.name, call.timeout, call.retry)
    options = {"key": call.key, "tags": call.tags, "priority": row.priority, "stored": stored}
    template.set_options(options)
    times = _times_of(row, template, now, offset, allowed)
    repeat = Repeat(row.id, number, template, times, is_behind=False)
    repeat.restore(
        row.every,
        is_due_used=bool(row.is_due_used),
        is_paused=bool(row.is_paused),
        runs=row.runs,
        missed=row.missed,
    )
    return repeat


def _times_of(
    row: RepeatRow,
    template: JobRecord,
    now: float,
    offset: float,
    allowed: AllowedNames | None,
) -> DueTimes:
    try:
        every: dict[str, Any] = json.loads(row.every)
        if "seconds" in every:
            seconds, first_at, due_at = every["seconds"], row.first_at - offset, row.due_at - offset
            if row.is_due_used or row.due_at > row.first_at:
                # The next is due within an interval, unless the clock was set back.
                ahead = max(math.floor((due_at - now) / seconds) - 1, 0) * seconds
                first_at, due_at = first_at - ahead, due_at - ahead
            return Interval(first_at, seconds, due_at)
        function = load_allowed(every["function"], allowed)
    except (ValueError, KeyError, TypeError) as error:
        raise LoadFailed(f"its 'every' is damaged: {error!r}") from error
    return Calendar(utc(row.due_at), partial(call_in_context, template, function), offset)
