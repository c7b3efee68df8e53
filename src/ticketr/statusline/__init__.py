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

from importlib.util import find_spec

from ticketr.statusline.model import StatusModel
from ticketr.statusline.status_line import StatusLine
from ticketr.statusline.style import LineStyle

if find_spec("wcwidth") is None:  # it is imported with the first text that is not ASCII
    from ticketr._install import missing_packages_message

    raise ModuleNotFoundError(
        missing_packages_message("the status line", "statusline"), name="wcwidth"
    )

__all__ = ["LineStyle", "StatusLine", "StatusModel"]
