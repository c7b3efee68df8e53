"""The errors that ticketr raises.

The tree::

    TicketrError
     ├── QueueClosed       the queue takes no more jobs
     ├── QueueFull         no room, and the caller would not wait
     ├── UnknownJob        no job with this ID is known
     ├── DuplicateJob      a live job has this ID already
     ├── WouldDeadlock     the wait could never end
     └── JobError          what became of a job, raised by ``result()``
          ├── JobFailed    its function raised
          ├── JobCancelled it was cancelled
          └── JobTimedOut  its own time limit passed
"""

from __future__ import annotations


class TicketrError(Exception):
    """The base of every error that ticketr raises on purpose.

    Nurseries wrap errors in groups, so one base class lets a program write
    ``except* TicketrError``.
    """
