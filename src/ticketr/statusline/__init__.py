"""One line that says how the jobs of a queue are getting on.

::

    from ticketr import open_job_queue
    from ticketr.statusline import StatusLine

    async with open_job_queue() as queue, StatusLine(queue):
        await queue.submit(work, 10)

In a terminal it is drawn below whatever else is printed; anywhere else it becomes plain lines.
A screen of one's own keeps a :class:`StatusModel` and draws its line where it likes.
"""

from __future__ import annotations

from ticketr.statusline.model import StatusModel
from ticketr.statusline.plain import PlainLines
from ticketr.statusline.status_line import StatusLine
from ticketr.statusline.style import LineStyle

__all__ = ["LineStyle", "PlainLines", "StatusLine", "StatusModel"]
