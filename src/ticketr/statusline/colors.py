"""Colour a status line with the 16 palette colours, which suit any background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr import JobStatus

if TYPE_CHECKING:
    from ticketr.statusline.model import StatusModel

_CYAN = "\x1b[36m"
_MARK_COLORS = {
    JobStatus.COMPLETED: "\x1b[32m",
    JobStatus.FAILED: "\x1b[31m",
    JobStatus.CANCELLED: "\x1b[33m",
}
_RESET = "\x1b[m"


def colored(line: str, model: StatusModel) -> str:
    """Return a line with its bar, spinner or mark coloured.

    Args:
        line: The result of :meth:`StatusModel.line`.
        model: The model that the line shows.
    """
    status = model.status
    if status is None or not line:
        return line
    end = line.find("]") + 1 if line.startswith("[") else 1
    if line[0].isdigit():  # no room for a bar
        return line
    return f"{_MARK_COLORS.get(status, _CYAN)}{line[:end]}{_RESET}{line[end:]}"
