"""What commands need that look at a workspace without asking Jira."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.config import STATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager

    from ticketr.sync import LocalSurvey, State, Store


def open_store(root: Path) -> Store:
    """Give the files of a workspace."""
    from ticketr.sync import Store

    return Store(root, STATE_FOLDER)


@contextmanager
def readable(path: Path) -> Generator[Path | None]:
    """Give a database to read, even where its folder cannot be written; None if there is none.

    SQLite writes beside a file that it reads. So where it must not, a copy is read.

    Raises:
        FileFailed: it cannot be copied.
    """
    from ticketr.sync import FileFailed

    if not path.exists():
        yield None
    elif os.access(path.parent, os.W_OK):
        yield path
    else:
        with tempfile.TemporaryDirectory(prefix="ticketr-") as folder:
            try:
                for each in (path, Path(f"{path}-wal")):
                    if each.exists():
                        shutil.copyfile(each, Path(folder, each.name))
            except OSError as error:
                raise FileFailed(path, "read", error.strerror or str(error)) from error
            yield Path(folder, path.name)


@contextmanager
def read_state(store: Store) -> Generator[State]:
    """Open the state of a workspace to read it; a folder without one has an empty one.

    Nothing is made or changed: to ask how things stand must not make a folder a workspace.

    Raises:
        StateFailed: it cannot be used.
        FileFailed: it cannot be read.
    """
    from ticketr.sync import State

    with readable(store.state_path) as path, closing(State(path or Path(":memory:"))) as state:
        yield state


def open_state(store: Store) -> AbstractContextManager[State]:
    """Open the state of a workspace to change it.

    Raises:
        StateFailed: it cannot be used.
        FileFailed: the folder cannot be written.
    """
    from ticketr.sync import State

    store.prepare()
    return closing(State(store.state_path))


def survey(store: Store, state: State) -> tuple[LocalSurvey, dict[str, TicketrError]]:
    """Compare every ticket in the workspace with the last sync.

    Returns:
        What there is, and what is wrong with files that cannot be read as tickets, by their path
        relative to the workspace.
    """
    from ticketr.sync import LocalSurvey

    found, broken = LocalSurvey(), dict[str, TicketrError]()
    for path in (each for paths in store.walk() for each in paths):
        try:
            found.add(store, state, [path])
        except TicketrError as error:
            broken[store.name_of(path)] = error
    return found, broken


def count_writes(root: Path) -> int:
    """Count the issues that a push would create or change, as far as that shows here.

    What is wrong here is not told, and counts as nothing: the push stops at it before it sends
    anything, and tells it as the outcome of a job.
    """
    store = open_store(root)
    try:
        with read_state(store) as state:
            found, broken = survey(store, state)
    except TicketrError:
        return 0
    return 0 if broken else found.writes
