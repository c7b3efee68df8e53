"""What a worker is told when it is started."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What a worker is told when it is started.

    Attributes:
        workers: How many jobs it runs at once.
        lease: The seconds after which others take over the jobs of a worker that is silent.
        grace: The seconds that running jobs get when the worker is to end.
        report_every: The seconds between two reports of a job's progress to the server.
        modules: The modules whose functions and classes may be jobs; None for all.
    """

    workers: int = 4
    lease: float = 10.0
    grace: float = 5.0
    report_every: float = 0.05
    modules: frozenset[str] | None = None

    @property
    def words(self) -> str:
        """What the status of the queue shows of the worker."""
        return f"{socket.gethostname()} {os.getpid()} {self.workers}"
