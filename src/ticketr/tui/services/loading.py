"""Reads files when the app asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.tui import messages
from ticketr.tui.services.files import read_sheet

if TYPE_CHECKING:
    from ticketr.tui import effects
    from ticketr.tui.services.context import Services


async def read_files(services: Services, effect: effects.ReadFiles) -> None:
    """Read all files of a workspace."""
    await services.readers[effect.workspace].read()


async def read_detail(services: Services, effect: effects.ReadDetail) -> None:
    """Read an issue from its file."""
    store = services.workspaces[effect.workspace].store
    sheet = await services.in_thread(read_sheet, store, effect.path, effect.order)
    services.send(messages.DetailRead(effect.workspace, effect.order, sheet))
