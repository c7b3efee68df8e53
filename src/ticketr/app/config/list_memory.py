"""What the app remembers of the list of a workspace, in ticketr's own folder.

Synchronous, for a worker thread.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ticketr._errors import TicketrError
from ticketr.app.config.state_folder import StateFolder

#: The file, in ticketr's own folder.
FILE = "app.json"
#: The most bytes of it that are read, and the most filters.
LARGEST = 512 * 1024
MOST_FILTERS = 200
#: Held while the file is read and written again, which threads of one app may do at once.
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class ListMemory:
    """How a list was shown last, and the filters that were saved.

    Attributes:
        filter: The filter, as it was typed.
        sort: The name of the sort; empty if it is not known.
        saved: The saved filters, by their names.
    """

    filter: str = ""
    sort: str = ""
    saved: Mapping[str, str] = field(default_factory=dict[str, str])


def read_list_memory(folder: StateFolder) -> ListMemory:
    """Return what is remembered; a file that makes no sense is ignored."""
    try:
        if not folder.path.is_dir():
            return ListMemory()
        with os.fdopen(folder.open_file(FILE, os.O_RDONLY), "rb") as file:
            memory: Any = json.loads(file.read(LARGEST))
        saved: Any = memory.get("saved", {})
        return ListMemory(
            str(memory.get("filter", "")),
            str(memory.get("sort", "")),
            {name: text for name, text in saved.items() if isinstance(text, str)},
        )
    except (OSError, ValueError, RecursionError, AttributeError, TicketrError):
        return ListMemory()


def store_list_memory(
    folder: StateFolder, wanted: str, sort: str, changed: Mapping[str, str]
) -> dict[str, str]:
    """Store how a list is shown, and add or remove saved filters.

    Args:
        folder: ticketr's own folder of the workspace.
        wanted: The filter, as it was typed.
        sort: The name of the sort.
        changed: The filters to save, by their names; an empty one is removed.

    Returns:
        All filters that are saved now, by their names.

    Raises:
        OSError: The file cannot be written.
        UnsafePath: Something else has its name.
    """
    with _LOCK:
        saved = {**read_list_memory(folder).saved, **changed}
        kept = dict([(name, text) for name, text in saved.items() if text][-MOST_FILTERS:])
        folder.make()
        text = json.dumps({"filter": wanted, "sort": sort, "saved": kept})
        # A disk that is full leaves the saved filters that are there.
        folder.replace(FILE, text)
    return kept
