"""Looks at a workspace without its lock: the last sync, and the files against it.

Synchronous, for a worker thread, but for `visit_files`, which gives the threads their portions.
Nothing is made or changed: to ask how things stand must not make a folder a workspace.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ticketr._errors import TicketrError
from ticketr.config import ForeignState, require_database
from ticketr.sync.errors import DuplicateKey, FileFailed
from ticketr.sync.state.database import IN_MEMORY
from ticketr.sync.state.state import State
from ticketr.sync.threads import CHUNK, portions

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from ticketr.sync.edits.survey import LocalSurvey
    from ticketr.sync.threads import ThreadRunner
    from ticketr.sync.workspace.store import Store
    from ticketr.tickets import Ticket

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A file that was looked at.

    Attributes:
        path: The file, relative to the workspace.
        tickets: What stands in it; none if it cannot be read.
        error: What is wrong with it, if anything is.
    """

    path: str
    tickets: tuple[Ticket, ...]
    error: TicketrError | None


def scan_file(store: Store, state: State, survey: LocalSurvey, path: Path) -> ScannedFile:
    """Read one file, and compare its tickets with the last sync.

    Args:
        store: The workspace.
        state: The last sync.
        survey: Takes in what there is to push.
        path: A file that may hold tickets.

    Returns:
        What stands in it. What is wrong with it is told there: it says nothing about the others.

    Raises:
        StateFailed: The state cannot be read.
    """
    name = store.name_of(path)
    try:
        found = store.local(name)
    except TicketrError as error:
        return ScannedFile(name, (), error)
    duplicate = None
    for local in found:
        try:
            survey.take(state, local)
        except DuplicateKey as error:
            duplicate = error
    return ScannedFile(name, tuple(local.ticket for local in found), duplicate)


async def visit_files(
    store: Store,
    in_thread: ThreadRunner,
    visit: Callable[[Sequence[Path]], T],
    then: Callable[[T], object] = lambda _: None,
) -> None:
    """Go through the files that may hold tickets, some at a time, on worker threads.

    A folder may hold far more than tickets, a whole home for one.

    Args:
        store: The workspace.
        in_thread: How blocking work is run.
        visit: Given some files, on a thread.
        then: Given what that returned, on Trio's thread.

    Cancellation:
        Waits for the portion that a thread is at.
    """
    walk = store.walk()

    def look() -> list[list[Path]] | None:
        found = list(islice(walk, CHUNK))
        return list(portions(chain.from_iterable(found), _size)) if found else None

    while (some := await in_thread(look)) is not None:
        for portion in some:
            then(await in_thread(visit, portion))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # whoever reads it says so
        return 0


@contextmanager
def readable(path: Path) -> Generator[Path | None]:
    """Give a database to read, even where its folder cannot be written; None if there is none.

    SQLite writes beside a file that it reads. So where it must not, a copy is read.

    Raises:
        UnsafePath: It, or a file that SQLite opens beside it, is a link or the like.
        FileFailed: It cannot be copied.
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
                for each in (path, Path(f"{path}-wal")):
                    if each.exists():
                        shutil.copyfile(each, Path(folder, each.name))
            except OSError as error:
                raise FileFailed(path, "read", _why_not_copied(error)) from error
            yield Path(folder, path.name)


def _why_not_copied(error: OSError) -> str:
    why = error.strerror or str(error)
    return f"{why}; its folder cannot be written, so a copy of it is made in TMPDIR to be read"


def bears_mark(store: Store) -> bool:
    """Tell whether the state file of a workspace bears the user's mark; True where there is none.

    Raises:
        StateFailed: It cannot be used.
        FileFailed: It cannot be read.
    """
    try:
        with read_state(store):
            return True
    except ForeignState:
        return False


def sign_state(store: Store) -> None:
    """Let the state file of a workspace bear the user's mark; all else in it stays.

    Raises:
        StateFailed: It cannot be used or changed.
    """
    assert store.mark is not None
    with closing(State(store.state_path)) as state:
        state.sign(store.mark)


@contextmanager
def read_state(store: Store) -> Generator[State]:
    """Open the state of a workspace to read it; a folder without one has an empty one.

    Raises:
        StateFailed: It cannot be used.
        ForeignState: It does not bear the user's mark.
        FileFailed: It cannot be read.
    """
    with readable(store.state_path) as path:
        state = State(IN_MEMORY) if path is None else State(path, store.mark)
        with closing(state):
            yield state
