"""Make a workspace's files without a site."""

from __future__ import annotations

from pathlib import Path

from ticketr.app.sync import State, Store, find_last_step, undo_step_and_keep_copy
from ticketr.app.sync.state.undo import UndoStep
from ticketr.app.tickets import Ticket

OLD = Ticket(title="Old", key="DEMO-1", description="As it was.")
NEW = Ticket(title="New", key="DEMO-1", description="As it is.")
"""The same ticket, later."""


def make_store(root: Path) -> Store:
    store = Store(root, ".ticketr")
    store.make_state_folder()
    return store


def put(store: Store, name: str, text: str) -> Path:
    path = store.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def files(store: Store) -> list[str]:
    """Return every file that may hold tickets."""
    return [name for names in store.walk() for name in names]


def undo_last(store: Store, state: State, key: str | None = None) -> tuple[UndoStep, str]:
    """Undo the latest replacement of a ticket's text; return it, and where the text of now is."""
    step = find_last_step(state, key)
    return step, undo_step_and_keep_copy(store, state, step)
