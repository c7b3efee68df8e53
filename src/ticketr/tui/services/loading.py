"""Reads files when the app asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.tui import messages
from ticketr.tui.panels.detail import detail_lines
from ticketr.tui.services.files import read_sheet

if TYPE_CHECKING:
    from ticketr.sync import Store
    from ticketr.tui import effects
    from ticketr.tui.services.context import Services
    from ticketr.tui.sheet import Sheet


async def read_files(services: Services, effect: effects.ReadFiles) -> None:
    """Read all files of a workspace."""
    await services.readers[effect.workspace].read()


async def read_detail(services: Services, effect: effects.ReadDetail) -> None:
    """Read an issue from its file, and wrap its lines, unless the next request comes before."""
    store = services.workspaces[effect.workspace].store
    services.newest.begin(effect)
    sheet = await services.in_thread(_read_sheet, store, effect)
    if services.newest.is_newest(effect):
        services.send(messages.DetailRead(effect.workspace, effect.order, sheet))


def _read_sheet(store: Store, effect: effects.ReadDetail) -> Sheet | None:
    sheet = read_sheet(store, effect.path, effect.order)
    if sheet is not None and effect.cells:
        # Drawing finds them in the cache: a long text must not hold up Trio's thread.
        detail_lines(sheet, effect.cells, as_source=False)
    return sheet
