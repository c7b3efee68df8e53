"""A worker process: it runs the jobs of a queue, life after life, until it is told to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from ticketr.cluster._batches import open_batches
from ticketr.cluster._connection import open_connection
from ticketr.cluster._life import Life
from ticketr.cluster._settings import WorkerSettings
from ticketr.cluster._signed import SignedCodec
from ticketr.cluster._store import RecordStore
from ticketr.jobs._values import checked_seconds, checked_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


async def run_worker(
    url: str | None = None,
    *,
    name: str = "default",
    secret: str | None = None,
    workers: int = 4,
    lease: float = 10.0,
    grace: float = 5.0,
    report_every: float = 0.05,
    modules: Iterable[str] | None = None,
    stop: trio.Event | None = None,
    allow_plaintext: bool = False,
    on_ready: Callable[[str], object] | None = None,
) -> None:
    """Run the jobs of a queue until an event is set.

    Running jobs get ``grace`` seconds then. Those that have not ended go back to the queue.

    Cancellation:
        The running jobs are stopped and go back to the queue.

    Args:
        url: Where the server is, as for :func:`open_cluster_queue`.
        name: The queue's name.
        secret: The queue's secret; None for ``TICKETR_CLUSTER_SECRET``.
        workers: How many jobs run at once.
        lease: The seconds after which others take over the jobs of a worker that is silent. It
            stops its jobs itself after three quarters of that.
        grace: The seconds that running jobs get at the end.
        report_every: The seconds between two reports of a job's progress to the server.
        modules: The modules whose functions and classes may be jobs; None for all.
        stop: Set to end the worker.
        allow_plaintext: Whether TCP without TLS may leave this machine.
        on_ready: Called with the worker's ID once it takes jobs.

    Raises:
        ClusterMisconfigured: The URL, the secret or the server's settings are wrong.
        ClusterUnavailable: The server cannot be reached at the start, or does not answer.
        TypeError, ValueError: An argument is invalid.
    """
    settings = WorkerSettings(
        workers=checked_whole("workers", workers, 1, 10_000),
        lease=checked_lease(lease),
        grace=checked_seconds("grace", grace, limit=True),
        report_every=checked_seconds("report_every", report_every),
        modules=None if modules is None else frozenset(modules),
    )
    stop = trio.Event() if stop is None else stop
    is_started = False

    def started(worker: str) -> None:
        nonlocal is_started
        if not is_started:
            is_started = True
            if on_ready is not None:
                on_ready(worker)

    async with open_connection(
        url, name=name, secret=secret, allow_plaintext=allow_plaintext
    ) as connection:
        store = RecordStore(connection, is_patient=True)
        codec = SignedCodec(connection.secret)
        async with open_batches(store) as batches:
            while not stop.is_set():
                await Life(connection, store, batches, codec, settings, stop).run(started)


def checked_lease(lease: object) -> float:
    """Return a valid lease.

    Raises:
        TypeError: It is no number.
        ValueError: It is shorter than half a second.
    """
    seconds = checked_seconds("lease", lease)
    if seconds < 0.5:
        raise ValueError(f"lease must be at least 0.5 seconds, not {seconds:g}")
    return seconds
