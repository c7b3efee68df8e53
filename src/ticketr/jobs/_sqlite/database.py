"""SQLite files of queues: how they are opened, checked, refused and locked, and who writes them.

What concerns a file blocks. The task that writes a buffer behind a queue calls it in a thread, so
that no step of the queue waits for a file.

A lock on the file itself keeps other queues out of a store, so that no file can be deleted to get
two. It is an ``flock``, which SQLite does not use: closing another descriptor of the file does not
free it, and readers are not kept out. The kernel frees it with the process; a forked child does not
keep it. While a process has the lock, it closes no other descriptor of the file, which would free
the locks that SQLite has on it. Beyond Linux ``flock`` and SQLite disturb each other, so there a
file beside it is locked.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias, TypeVar, final

import trio

from ticketr._errors import HistoryFailed, StoreFailed, StoreInUse
from ticketr.jobs._values import safe_repr, safe_str

if TYPE_CHECKING:
    import sqlite3

logger = logging.getLogger("ticketr.jobs")

T = TypeVar("T")

BUSY_TIMEOUT_SECONDS: Final = 5.0
"""How long to wait for another process that writes, in seconds."""
SCHEMA_VERSION: Final = 1
"""The version of the tables."""


class Schema(NamedTuple):
    """The tables of a kind of file.

    Attributes:
        description: What the file is, for errors.
        application_id: The number by which SQLite tells whose file it is.
        tables: The names of its tables.
        statements: They create the tables.
    """

    description: str
    application_id: int
    tables: frozenset[str]
    statements: tuple[str, ...]


class RunSync(Protocol):
    """Calls a blocking function outside Trio's thread."""

    def __call__(self, function: Callable[[], T], /) -> Awaitable[T]:
        """Call it and return its result."""
        ...


async def run_abandonably(function: Callable[[], T], /) -> T:
    """Call a function in a thread, which is abandoned on cancellation.

    It has its own limiter, so that other threads of the program do not delay it.
    """
    return await trio.to_thread.run_sync(
        function, abandon_on_cancel=True, limiter=trio.CapacityLimiter(1)
    )


async def run_to_end(function: Callable[[], T], /) -> T:
    """Call a function in a thread, with a limiter of its own, too; Ctrl+C waits for it."""
    return await trio.to_thread.run_sync(function, limiter=trio.CapacityLimiter(1))


def checked_run_sync(run_sync: RunSync) -> RunSync:
    """Return the argument of that name, or raise TypeError."""
    if not callable(run_sync):
        raise TypeError(f"run_sync must be an async function, not {safe_repr(run_sync)}")
    return run_sync


def absolute_path(path: object) -> Path:
    """Return a path as an absolute ``Path``, since the program may change its folder later.

    Raises:
        TypeError: The value is not a path.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path must be text or a pathlib.Path, not {safe_repr(path)}")
    return Path(path).absolute()


@contextmanager
def errors_as(path: Path, kind: type[HistoryFailed | StoreFailed]) -> Generator[None, None, None]:
    """Raise the errors of SQLite and of the system as this one."""
    import sqlite3  # noqa: PLC0415 - slow to import, and needed only with a file

    try:
        yield
    except (sqlite3.Error, OSError, ValueError) as error:
        raise kind(str(path), str(error)) from error


def create_private_file(path: Path) -> None:
    """Create a file that only its owner can read; SQLite gives its log files the same permissions."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def connect(path: Path, schema: Schema) -> sqlite3.Connection:
    """Open a file that exists, and create the tables of a new one.

    Raises:
        sqlite3.Error, OSError: It cannot be opened, or is not a file of this schema.
    """
    import sqlite3  # noqa: PLC0415 - slow to import, and needed only with a file

    db = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_TIMEOUT_SECONDS,
        isolation_level=None,
        check_same_thread=False,  # threads use it one after the other
    )
    try:
        # A text that is no UTF-8 is damaged; it does not hide the other rows.
        db.text_factory = partial(str, encoding="utf-8", errors="replace")
        # In WAL mode a power failure may lose the last commits, but nothing else.
        db.execute("PRAGMA synchronous = NORMAL")
        if not _has_tables_refusing_foreign(db, schema):
            db.execute("BEGIN IMMEDIATE")
            # Another process may have created them by now.
            if not _has_tables_refusing_foreign(db, schema):
                for statement in schema.statements:
                    db.execute(statement)
                db.execute(f"PRAGMA application_id = {schema.application_id}")
                db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            db.execute("COMMIT")
        # Last: a refused file stays as it is. SQLite does not wait for the lock that this takes:
        # another opening holds it, and switches the file too.
        with suppress(sqlite3.OperationalError):
            db.execute("PRAGMA journal_mode = WAL")
    except BaseException:
        db.close()
        raise
    return db


def _has_tables_refusing_foreign(db: sqlite3.Connection, schema: Schema) -> bool:
    """Refuse a file that is not of this schema; return False if it has no tables yet.

    SQLite would run the code in the triggers and views of a foreign file.
    """
    entries = db.execute("SELECT type, name FROM sqlite_master").fetchall()
    if any(kind in ("trigger", "view") for kind, _ in entries):
        raise OSError(f"it has triggers or views, which {schema.description} never has")
    tables = {name for kind, name in entries if kind == "table" and name[:7] != "sqlite_"}
    if not tables:
        return False
    numbers = "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version"
    application_id, version = db.execute(numbers).fetchone()
    if application_id != schema.application_id or not tables >= schema.tables:
        raise OSError(f"it is another database, not {schema.description}: choose a file of its own")
    if version != SCHEMA_VERSION:
        raise OSError(
            f"another version of ticketr wrote it (tables of version {version}, not {SCHEMA_VERSION})."
            " Open it with that version, or move it away"
        )
    return True


def check_value_types(kinds: Mapping[str, Any], row: Iterable[object]) -> None:
    """Check that the values of a row are of their types: SQLite keeps any in any column.

    Raises:
        ValueError: One is not.
    """
    for (name, kind), value in zip(kinds.items(), row, strict=True):
        if not isinstance(value, kind):
            raise ValueError(f"{name} is {value!r:.50}")  # noqa: TRY004 - it is the file's fault


def refuse_writable_by_others(path: Path) -> None:
    """Refuse a file, or a log of it, that others can write; Windows is not asked.

    Raises:
        OSError: Others can.
    """
    for suffix in ("", "-wal", "-shm", "-journal") if os.name == "posix" else ():
        file = path.with_name(path.name + suffix)
        with suppress(FileNotFoundError):
            status = file.stat()
            if status.st_uid != os.geteuid() or status.st_mode & 0o022:
                raise OSError(
                    f"others can write {file.name if suffix else 'it'}, and a row says what to"
                    " call. Give the file to this user, and take write permission from group and"
                    " others; or name the functions that may be called, as"
                    " SqliteStore(functions=[...]), with codec='json'"
                )


# Locks

FileIdentity: TypeAlias = tuple[int, int]
LOCK_DESCRIPTORS: Final[dict[FileIdentity, int]] = {}
"""The descriptors of the locks that this process has, by the device and number of the file."""
_locks_guard = threading.Lock()


def take_lock(path: Path) -> FileIdentity:
    """Lock a file, created if there is none, until it is unlocked or the process ends.

    Raises:
        StoreInUse: This process has it locked, or another one.
        OSError: It cannot be opened.
    """
    with _locks_guard:
        create_private_file(path)
        status = path.stat()
        identity = status.st_dev, status.st_ino
        if identity in LOCK_DESCRIPTORS:
            raise StoreInUse(str(path), os.getpid())
        if sys.platform != "linux":  # pragma: no cover - Linux runs the tests
            path = path.with_name(path.name + ".lock")
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            _lock(descriptor)
        except OSError:
            os.close(descriptor)
            raise StoreInUse(str(path), _locking_process_id(status)) from None
        LOCK_DESCRIPTORS[identity] = descriptor
        return identity


def check_lock(path: Path, identity: FileIdentity) -> None:
    """Check that a file is the one that this process has locked.

    Raises:
        OSError: It is not.
    """
    status = os.stat(path)  # noqa: PTH116 - it is quicker
    if (status.st_dev, status.st_ino) != identity:
        raise OSError("the file was replaced since it was opened")
    if identity not in LOCK_DESCRIPTORS:
        raise OSError("this process was forked from the one that has it open")


def unlock_file(identity: FileIdentity) -> None:
    """Unlock a file, unless this process was forked from the one that has locked it."""
    descriptor = LOCK_DESCRIPTORS.pop(identity, None)
    if descriptor is not None:
        with suppress(OSError):
            _unlock(descriptor)
        with suppress(OSError):
            os.close(descriptor)


def _close_locks_in_child() -> None:
    """Leave the locks to the process that was forked."""
    for descriptor in LOCK_DESCRIPTORS.values():
        os.close(descriptor)
    LOCK_DESCRIPTORS.clear()
    _locks_guard.release()


def _locking_process_id(status: os.stat_result) -> int | None:
    """Return the process that has a file locked; None if the system does not tell."""
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with suppress(OSError):
        for line in Path("/proc/locks").read_text("ascii").splitlines():
            words = line.split()
            if words[1] == "FLOCK" and words[5] == device:
                return int(words[4])
    return None


if sys.platform == "win32":  # pragma: no cover - POSIX runs the tests
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        """Closing the file unlocks it."""

else:
    import fcntl

    os.register_at_fork(
        before=_locks_guard.acquire,
        after_in_parent=_locks_guard.release,
        after_in_child=_close_locks_in_child,
    )

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        """Unlock a file also for processes that were forked meanwhile, which have it open, too."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)


# The task that writes

FIRST_WRITE_RETRY_PAUSE_SECONDS: Final = 1.0
MAX_WRITE_RETRY_PAUSE_SECONDS: Final = 60.0
"""The pauses in seconds before a failed write is retried, unless it is called for."""


@final
class DelayedWriteTask:
    """Calls a function that writes what has gathered, soon after something has.

    Args:
        write: Writes all of it. If that fails, it puts back what is to be written again, and raises.
        gather_seconds: How long more may gather, unless :meth:`skip_gathering_wait` is called.
        complaint: What the log says of such a write, before the reason.

    Attributes:
        has_stopped: Whether the task writes nothing more.
    """

    def __init__(
        self, write: Callable[[], Awaitable[None]], *, gather_seconds: float, complaint: str
    ) -> None:
        self._write = write
        self._gather_seconds = gather_seconds
        self._complaint = complaint
        self._dirty = trio.Event()
        self._urgent = trio.Event()
        self._has_warned = False
        self.has_stopped = False

    def mark_dirty(self) -> None:
        """Note that there is something to write."""
        self._dirty.set()

    def skip_gathering_wait(self) -> None:
        """Write it without waiting for more."""
        self._urgent.set()

    def stop_background_writes(self) -> None:
        """Begin no other write in the task."""
        self.has_stopped = True
        self.mark_dirty()
        self.skip_gathering_wait()

    async def run(self) -> None:  # noqa: ASYNC910 - each turn has a checkpoint
        """Write what gathers, until cancelled or stopped."""
        pause = 0.0
        while True:
            await self._dirty.wait()
            with trio.move_on_after(pause or self._gather_seconds):
                await self._urgent.wait()
            if self.has_stopped:
                return
            # A worker may start a new job in the next step: its start is written with the job.
            await trio.lowlevel.checkpoint()
            is_written = await self.write_now()
            longer = max(pause * 2, FIRST_WRITE_RETRY_PAUSE_SECONDS)
            pause = 0.0 if is_written else min(longer, MAX_WRITE_RETRY_PAUSE_SECONDS)

    async def write_now(self) -> bool:
        """Write what has gathered; return whether that succeeded."""
        self._dirty, self._urgent = trio.Event(), trio.Event()
        try:
            await self._write()
        except Exception as error:  # noqa: BLE001 - what calls the file is user code
            self.warn(safe_str(error) or safe_repr(error))
            await trio.lowlevel.cancel_shielded_checkpoint()
            return False
        self._has_warned = False
        return True

    def warn(self, reason: str) -> None:
        """Log, once until a write succeeds, that the file is behind the queue."""
        if not self._has_warned:
            self._has_warned = True
            logger.error("%s: %s", self._complaint, reason)
