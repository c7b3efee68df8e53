"""Reads the files and the state of a workspace without its lock.

Synchronous, for a worker thread, except `visit_files`. Only `sign_state` creates or changes
anything: a status command must not turn a folder into a workspace.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ticketr.app.config import ForeignState, require_database
from ticketr.app.sync.errors import FileFailed
from ticketr.app.sync.state.database import IN_MEMORY
from ticketr.app.sync.state.state import State
from ticketr.app.sync.threads import CHUNK, ThreadRunner, portions

if TYPE_CHECKING:
    from ticketr.app.sync.workspace.store import Store

T = TypeVar("T")


def size_of(path: Path) -> int:
    """Return the size of a file in bytes; 0 if it cannot be found out."""
    try:
        return os.stat(path).st_size  # noqa: PTH116 - thousands of files
    except OSError:  # reading the file reports it
        return 0


async def visit_files(
    store: Store,
    in_thread: ThreadRunner,
    visit: Callable[[Sequence[Path]], T],
    then: Callable[[T], object] = lambda _: None,
    *,
    skip: Callable[[Path], bool] = lambda _: False,
    size: Callable[[Path], int] = size_of,
    most: int = CHUNK,
) -> None:
    """Visit the files that may hold tickets, in portions, on worker threads.

    A folder may hold far more files than tickets, for example a home folder.

    Args:
        store: The workspace.
        in_thread: Runs a function on a worker thread.
        visit: Called with a portion of the files, on a worker thread.
        then: Called with what ``visit`` returned, on Trio's thread.
        skip: Called with each file, on a worker thread; returns whether not to visit it.
        size: Called with each file that is visited, on a worker thread; returns its size in bytes.
        most: The most files in a portion.

    Cancellation:
        Takes effect after the portion that a thread is working on.
    """
    walk = store.walk()

    def look() -> list[list[Path]] | None:
        pathses = list(islice(walk, CHUNK))
        wanted = (path for path in chain.from_iterable(pathses) if not skip(path))
        return list(portions(wanted, size, most)) if pathses else None

    while (some := await in_thread(look)) is not None:
        for portion in some:
            then(await in_thread(visit, portion))


@contextmanager
def readable(path: Path) -> Generator[Path | None]:
    """Yield the path of a database to read, also if its folder is read-only; None without one.

    SQLite creates files beside its database. So in a read-only folder, a copy is read.

    Raises:
        UnsafePath: It, or a file that SQLite opens beside it, is a link or no plain file.
        FileFailed: The file cannot be copied.
    """
    require_database(path)
    if not path.exists():
        yield None
    elif os.access(path.parent, os.W_OK):
        yield path
    else:
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ticketr-"))
                for file in (path, Path(f"{path}-wal")):
                    if file.exists():
                        shutil.copyfile(file, Path(folder, file.name))
            except OSError as error:
                reason = (
                    f"{error.strerror or error}; its folder cannot be written, so a copy of it is "
                    "made in TMPDIR to be read"
                )
                raise FileFailed(path, "read", reason) from error
            yield Path(folder, path.name)


def bears_mark(store: Store) -> bool:
    """Tell whether the state file of a workspace has the user's mark; True without a file.

    Raises:
        StateFailed: The file cannot be used.
        FileFailed: The file cannot be read.
    """
    try:
        with read_state(store):
            return True
    except ForeignState:
        return False


def sign_state(store: Store) -> None:
    """Write the user's mark into the state file of a workspace; everything else in it stays.

    Raises:
        StateFailed: The file cannot be used or changed.
    """
    assert store.mark is not None
    with closing(State(store.state_path)) as state:
        state.sign(store.mark)


@contextmanager
def read_state(store: Store) -> Generator[State]:
    """Open the state of a workspace to read it; empty for a folder without a state file.

    Raises:
        StateFailed: The file cannot be used.
        ForeignState: The file does not have the user's mark.
        FileFailed: The file cannot be read.
    """
    with readable(store.state_path) as path:
        state = State(IN_MEMORY) if path is None else State(path, store.mark)
        with closing(state):
            yield state
