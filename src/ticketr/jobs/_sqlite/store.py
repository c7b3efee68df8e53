"""The store of a queue's jobs as users see it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Literal, final

from ticketr.jobs._sqlite.database import RunSync, absolute_path, checked_run_sync, run_to_end
from ticketr.jobs._values import checked_count, safe_repr

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._sqlite.writer import StoreWriter


def check_store(store: object) -> None:
    """Raise TypeError if an object is not a store."""
    if type(store) is not SqliteStore:
        raise TypeError(
            f"store must be a SqliteStore, such as SqliteStore('jobs.sqlite'), not {safe_repr(store)}"
        )


@final
class SqliteStore:
    """A store of jobs in an SQLite file, so that they outlive the process.

    ::

        async with open_job_queue(store=SqliteStore("jobs.sqlite")) as queue:
            await queue.submit(send, "ann@example.com")  # returns when the job is on disk

    The next opening takes up what is left. A job is started at least once, and may be started again
    after its process was killed; it ends once. The job's function must be one that can be imported,
    and its arguments must be of JSON's types, or what ``codec`` takes.

    One queue at a time has the file open.

    Args:
        path: The file. It is created if it does not exist, readable by its owner only. Its folder
            must exist, on a local disk.
        codec: How arguments, keys and results are written. ``"json"`` takes None, booleans, finite
            numbers, texts, lists, and dicts with texts as keys. ``"pickle"`` takes all that can be
            pickled. Jobs that were written with another codec are not loaded.
        functions: The functions, and modules with functions, that jobs may call; None for all. A row
            of the file names the function to call, so a file that others can write is refused,
            unless this is given and the codec is JSON.
        max_kills: How often the process may end while a job runs before the job fails with
            ``TooManyKills``; ``math.inf`` for no limit. The ``attempts`` of its ``Retry`` are a limit too:
            with ``Retry(attempts=1)`` a job is never started twice.
        run_sync: An async function that calls a blocking one. The default calls it in a thread. A
            mock clock does not wait for a thread, so a test on one passes a function that calls it
            directly.

    Raises:
        TypeError, ValueError: An argument is invalid.
        NotSendable: One of the functions cannot be imported.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        codec: Literal["json", "pickle"] = "json",
        functions: Iterable[Callable[..., object] | ModuleType] | None = None,
        max_kills: float = 5,
        run_sync: RunSync = run_to_end,
    ) -> None:
        from ticketr.jobs._calls import codec_named  # noqa: PLC0415 - only with a store

        self._path = absolute_path(path)
        self._codec = codec_named(codec, functions)
        self._max_kills = checked_count("max_kills", max_kills, 1)
        self._run_sync = checked_run_sync(run_sync)

    def make_writer(self, core: QueueCore) -> StoreWriter:
        """Return what writes the jobs of one queue to the file; internal."""
        from ticketr.jobs._sqlite.writer import StoreWriter  # noqa: PLC0415 - only with a store

        return StoreWriter(core, self._path, self._codec, self._max_kills, self._run_sync)

    def __repr__(self) -> str:
        return f"SqliteStore({str(self._path)!r})"
