"""Remembers how the list of a workspace is shown, in ticketr's own folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ticketr import TicketrError
from ticketr.app.config import ListMemory, read_list_memory, store_list_memory
from ticketr.app.tickets import SORT_NAMES, InvalidFilter, parse_filter
from ticketr.app.tui import messages
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr.app.sync import Store
    from ticketr.app.tui import effects
    from ticketr.app.tui.services.context import Services


async def remember(services: Services, effect: effects.Remember) -> None:
    """Store how the list of a workspace is shown, and saved filters; give back what failed."""
    folder = services.workspaces[effect.workspace].store.folder
    try:
        saved = await services.in_thread(
            store_list_memory, folder, effect.filter, effect.sort, dict(effect.saved)
        )
    except (OSError, TicketrError) as error:
        cause = getattr(error, "strerror", None) or error
        words = clean(f"cannot remember the filter: {cause}")
        failure = messages.NotWritten(effect.workspace, effect, words)
        services.send(failure if effect.saved else messages.Told(words))
    else:
        if effect.saved:
            all_saved = _cleaned(saved)
            services.send(messages.FiltersSaved(effect.workspace, effect.saved, all_saved))


def recall(name: str, store: Store) -> messages.Recalled | None:
    """Return how the list of a workspace was shown last; None if nothing is known.

    Synchronous, for a worker thread. A file that makes no sense is ignored.

    Args:
        name: The workspace's name.
        store: Its files.
    """
    memory = read_list_memory(store.folder)
    if memory == ListMemory():
        return None
    try:
        wanted = parse_filter(memory.filter)
    except InvalidFilter:  # another version remembered it
        wanted = parse_filter("")
    sort = memory.sort if memory.sort in SORT_NAMES else SORT_NAMES[0]
    return messages.Recalled(name, wanted, sort, _cleaned(memory.saved))


def _cleaned(saved: Mapping[str, str]) -> dict[str, str]:
    return {clean(name): clean(text) for name, text in saved.items()}
