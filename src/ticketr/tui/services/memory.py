"""Remembers how the list of a workspace is shown, in ticketr's own folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr import TicketrError
from ticketr.config import ListMemory, read_list_memory, store_list_memory
from ticketr.text import clean
from ticketr.tickets import SORT_NAMES, InvalidFilter, parse_filter
from ticketr.tui import messages

if TYPE_CHECKING:
    from ticketr.sync import Store
    from ticketr.tui import effects
    from ticketr.tui.services.context import Services


async def remember(services: Services, effect: effects.Remember) -> None:
    """Store how the list of a workspace is shown, and saved filters; report an error."""
    folder = services.workspaces[effect.workspace].store.folder
    try:
        await services.in_thread(
            store_list_memory, folder, effect.filter, effect.sort, dict(effect.saved)
        )
    except (OSError, TicketrError) as error:
        cause = getattr(error, "strerror", None) or error
        services.send(messages.Told(clean(f"cannot remember the filter: {cause}")))


def recall(name: str, store: Store) -> messages.Recalled | None:
    """Return how the list of a workspace was shown last; None if nothing is known.

    Synchronous, for a worker thread. A file that makes no sense is ignored.

    Args:
        name: The workspace's name.
        store: Its files.
    """
    found = read_list_memory(store.folder)
    if found == ListMemory():
        return None
    try:
        wanted = parse_filter(found.filter)
    except InvalidFilter:  # another version remembered it
        wanted = parse_filter("")
    sort = found.sort if found.sort in SORT_NAMES else SORT_NAMES[0]
    saved = {clean(each): clean(text) for each, text in found.saved.items()}
    return messages.Recalled(name, wanted, sort, saved)
