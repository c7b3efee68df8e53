"""Follows files that another program renames between the planning of a write and the write.

A write that did not look again would make a second file for the same key.

Synchronous, for a worker thread.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.app.sync.writing.versions import renamed_keys

if TYPE_CHECKING:
    from ticketr.app.sync.state.state import State
    from ticketr.app.sync.workspace.store import Store
    from ticketr.app.sync.writing.rendering import RenderedFamily


def home_of(state: State, family: RenderedFamily) -> str:
    """Return the file that held a family, relative to the workspace; empty for a new one."""
    if family.path is not None:
        return family.path
    base = state.base(family.head.id)
    return base.path if base is not None else ""


def follow_renames(
    store: Store, state: State, families: Sequence[RenderedFamily]
) -> Sequence[RenderedFamily]:
    """Return families with the files that hold them now.

    The workspace is looked through only if one of their files is gone or empty, and only files in
    which the state knows no ticket are read.
    """
    homes = {family.head.id: home_of(state, family) for family in families}
    gone = [
        family for family in families if (home := homes[family.head.id]) and _is_gone(store, home)
    ]
    if not gone:
        return families
    keys = {family.head.id: _keys_of(state, family) for family in gone}
    known = set(state.paths_by_key().values()).difference(homes.values())
    texts = _find(store, frozenset(chain.from_iterable(keys.values())), known)
    places = {head: name for head, some in keys.items() for key in some if (name := texts.get(key))}
    return [replace(family, path=places.get(family.head.id, family.path)) for family in families]


def _is_gone(store: Store, name: str) -> bool:
    try:
        return not (store.root / name).stat().st_size
    except OSError:
        return True


def _keys_of(state: State, family: RenderedFamily) -> tuple[str, ...]:
    """Return the former key of a family, if it was moved, and the present one."""
    now = family.head.key
    return (*(old for old, new in renamed_keys(state, family).items() if new == now), now)


def _find(store: Store, keys: Collection[str], known: Collection[str]) -> dict[str, str]:
    """Return the file of each key that is in a file whose name is not known."""
    texts: dict[str, str] = {}
    for path in chain.from_iterable(store.walk()):
        name = store.name_of(path)
        if name not in known:
            texts.update((key, name) for key in _keys_in(store, name) if key in keys)
    return texts


def _keys_in(store: Store, name: str) -> Iterable[str]:
    try:
        return [key for key, _ in store.locations(name)]
    except TicketrError:  # the write reports it
        return store.raw_keys(name).held
