"""A status line that shows the progress of a queue's jobs.

::

    from ticketr import open_job_queue
    from ticketr.statusline import StatusLine

    async with open_job_queue() as queue, StatusLine(queue):
        await queue.submit(work, 10)

In a terminal the line is drawn below all other output; elsewhere it becomes plain lines. An
application with its own screen can keep a :class:`StatusModel` and draw its line itself.
"""

from __future__ import annotations

try:
    from ticketr.statusline.model import StatusModel
    from ticketr.statusline.plain import PlainLines
    from ticketr.statusline.status_line import StatusLine
    from ticketr.statusline.style import LineStyle
except ModuleNotFoundError as _error:
    if _error.name != "wcwidth":
        raise
    message = "the status line needs more packages: pip install 'ticketr[statusline]'"
    raise ModuleNotFoundError(message, name=_error.name) from None

__all__ = ["LineStyle", "PlainLines", "StatusLine", "StatusModel"]
