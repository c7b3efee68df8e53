"""The sizes of the screen's parts. Pure."""

from __future__ import annotations

from dataclasses import dataclass

#: From this width on, the list and the open ticket are side by side.
SIDE_BY_SIDE = 80
#: From this height on, the workspaces have a panel of their own above the tickets.
WITH_WORKSPACES = 14
#: From this height on, a rule separates the body from the two lines below it.
WITH_RULE = 12
#: The most rows for workspaces, unless their panel has the focus.
MOST_WORKSPACES = 4
#: The least width and height of a screen; a smaller one shows one line.
SMALLEST = (20, 4)


@dataclass(frozen=True, slots=True)
class Layout:
    """The sizes of the screen's parts, in cells and rows.

    Attributes:
        width: The width of the screen.
        body: The rows between the first line and the lines at the bottom.
        has_rule: Whether a rule is below the body.
        left: The width of the list; 0 where only the open ticket is shown.
        right: The width of the open ticket; 0 where only the list is shown.
        workspaces: The rows of workspaces; 0 where their panel is hidden.
        tickets: The rows of tickets.
        detail: The rows of the open ticket.
    """

    width: int
    body: int
    has_rule: bool
    left: int
    right: int
    workspaces: int
    tickets: int
    detail: int

    @property
    def above(self) -> int:
        """The rows of the workspaces' panel, its title included."""
        return self.workspaces + 1 if self.workspaces else 0


def layout_of(width: int, height: int, *, workspaces: int, is_detail_only: bool) -> Layout:
    """Return the layout of a screen.

    Args:
        width: The width of the screen.
        height: The height of the screen.
        workspaces: The number of workspaces.
        is_detail_only: Whether the open ticket has the focus and, on a narrow screen or zoomed,
            the whole width.
    """
    has_rule = height >= WITH_RULE
    body = max(1, height - 3 - has_rule)
    if is_detail_only:
        left, right = 0, width
    elif width >= SIDE_BY_SIDE:
        left = min(width * 53 // 100, 90)
        right = width - left - 1
    else:
        left, right = width, 0
    shown = min(workspaces, MOST_WORKSPACES) if height >= WITH_WORKSPACES else 0
    above = shown + 1 if shown else 0  # with its title
    return Layout(
        width=width,
        body=body,
        has_rule=has_rule,
        left=left,
        right=right,
        workspaces=shown,
        tickets=max(1, body - above - 1),
        detail=max(1, body - 1),
    )
