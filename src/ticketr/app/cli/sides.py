"""The words of a command line for the sides of a conflict."""

from __future__ import annotations

from typing import Any

import click

from ticketr.app.config import OLDER_STRATEGIES, STRATEGIES

#: How a hint names the sides.
SIDES = "mine, jira or both"


class SideChoice(click.Choice[str]):
    """A side of a conflict; the older words for the sides are taken too, but not shown."""

    def __init__(self) -> None:
        super().__init__(STRATEGIES)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the current word for a side."""
        return super().convert(OLDER_STRATEGIES.get(value, value), param, ctx)
