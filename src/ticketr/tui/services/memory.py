"""Remembers how the list of a workspace is shown, in ticketr's own folder."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ticketr import TicketrError
from ticketr.text import clean
from ticketr.tickets import SORT_NAMES, InvalidFilter, parse_filter
from ticketr.tui import messages

if TYPE_CHECKING:
    from ticketr.sync import Store
    from ticketr.tui import effects
    from ticketr.tui.services.context import Services

#: The file, in ticketr's own folder.
FILE = "app.json"
#: The most bytes of it that are read.
LARGEST = 64 * 1024


async def remember(services: Services, effect: effects.Remember) -> None:
    """Store how the list of a workspace is shown; report an error."""
    store = services.workspaces[effect.workspace].store
    try:
        await services.in_thread(_write, store, {"filter": effect.filter, "sort": effect.sort})
    except (OSError, TicketrError) as error:
        services.send(messages.Told(clean(f"cannot remember the filter: {error}")))


def recall(name: str, store: Store) -> messages.Recalled | None:
    """Return how the list of a workspace was shown last; None if nothing is known.

    Synchronous, for a worker thread. A file that makes no sense is ignored.

    Args:
        name: The workspace's name.
        store: Its files.
    """
    try:
        found = _read(store)
        wanted = parse_filter(str(found.get("filter", "")))
    except (OSError, ValueError, RecursionError, TicketrError, InvalidFilter):
        return None
    sort = found.get("sort")
    return messages.Recalled(name, wanted, sort if sort in SORT_NAMES else SORT_NAMES[0])


def _read(store: Store) -> dict[str, Any]:
    if not store.own.is_dir():
        return {}
    with os.fdopen(store.folder.open_file(FILE, os.O_RDONLY), "rb") as file:
        found = json.loads(file.read(LARGEST))
    return found if isinstance(found, dict) else {}


def _write(store: Store, values: dict[str, str]) -> None:
    store.folder.make()
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(store.folder.open_file(FILE, flags), "w", encoding="utf-8") as file:
        json.dump(values, file)
