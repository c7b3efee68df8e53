"""Reads files when the app asks for them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ticketr.app.sync import Store
from ticketr.app.tui import effects, messages
from ticketr.app.tui.panels.detail import detail_lines, is_long
from ticketr.app.tui.services.files import read_sheet
from ticketr.app.tui.sheet import Sheet, WrappedDetail

if TYPE_CHECKING:
    from ticketr.app.tui.services.context import Services


async def read_files(services: Services, effect: effects.ReadFiles) -> None:
    """Read all files of a workspace."""
    await services.readers[effect.workspace].read()


async def read_detail(services: Services, effect: effects.ReadDetail) -> None:
    """Read an issue from its file, and wrap its lines, unless the next request comes before."""
    store = services.workspaces[effect.workspace].store
    services.newest.begin(effect)
    read = await services.in_thread(_read_detail, store, effect)
    if services.newest.is_newest(effect):
        services.send(read)


def _read_detail(store: Store, effect: effects.ReadDetail) -> messages.DetailRead:
    sheet = read_sheet(store, effect.path, effect.order)
    wrapped = None
    if sheet is not None and effect.cells:
        # Drawing finds those of a short issue in the cache.
        detail = _wrap(sheet, effect.cells, effect.as_source)
        wrapped = detail if is_long(sheet) else None
    is_gone = not os.path.lexists(store.root / effect.path)
    return messages.DetailRead(effect.workspace, effect.order, sheet, wrapped, is_gone)


async def wrap_detail(services: Services, effect: effects.WrapDetail) -> None:
    """Wrap the lines of a long issue, unless the next request comes before."""
    services.newest.begin(effect)
    wrapped = await services.in_thread(_wrap, effect.sheet, effect.cells, effect.as_source)
    if services.newest.is_newest(effect):
        services.send(messages.DetailWrapped(effect.workspace, effect.sheet, wrapped))


def _wrap(sheet: Sheet, cells: int, as_source: bool) -> WrappedDetail:  # noqa: FBT001 - in a thread
    return WrappedDetail(cells, as_source, detail_lines(sheet, cells, as_source=as_source))
