"""Watches the files of workspaces, so that edits made outside the app are shown; on Linux."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import final

import trio

from ticketr import JobStatus
from ticketr.app.tui.services.context import Services

#: Seconds between the first change and the reading: git and editors write several files in a row.
READ_DELAY_SECONDS = 0.1
#: The most folders that are watched; a workspace may be somebody's home folder.
MAX_WATCHED_FOLDERS = 1_000


async def watch_files(services: Services, name: str) -> None:
    """Read a workspace again whenever one of its files has changed, until its folder is gone.

    Nothing is polled: Linux reports the changes. While a job of the workspace runs, which writes
    files itself, they are read at its end.

    Args:
        services: What the services have in common.
        name: The name of the workspace.

    Cancellation:
        Takes effect at once.
    """
    if sys.platform != "linux":
        return
    begun = services.latest_calls.get((watch_files, name))
    root = services.workspaces[name].store.root
    try:
        folders = await services.in_thread(InotifyFolderWatches, root)
    # The folder is gone, no watches are left, or the package is not there: a key reads the files.
    except (OSError, ImportError):
        return
    with closing(folders):
        while not folders.is_gone and services.latest_calls.get((watch_files, name)) is begun:
            await trio.lowlevel.wait_readable(folders.fd)
            if not folders.take_changes():
                continue
            await trio.sleep(READ_DELAY_SECONDS)
            folders.take_changes()
            if folders.has_new:
                await services.in_thread(folders.watch_new_folders)
            if not services.queue.jobs(key=str(root), status=JobStatus.RUNNING):
                await services.readers[name].read_and_compare()


@final
class InotifyFolderWatches:
    """The folders of a workspace whose changes Linux reports; hidden ones are left out.

    Attributes:
        fd: The file descriptor that can be read once something has changed.
        is_gone: Whether the workspace's own folder was moved or removed.
        has_new: Whether there may be folders that are not watched yet.

    Args:
        root: The workspace's folder.

    Raises:
        OSError: The system has no watches left, or the folder is gone.
    """

    def __init__(self, root: Path) -> None:
        from inotify_simple import INotify, flags  # noqa: PLC0415 - only on Linux

        self._flags = flags
        self._inotify = INotify(nonblocking=True)
        self.fd: int = self._inotify.fileno()
        self.is_gone = False
        self._root = root
        self._mask = flags.CLOSE_WRITE | flags.CREATE | flags.DELETE | flags.MOVED_FROM
        self._mask |= flags.MOVED_TO | flags.DELETE_SELF | flags.MOVE_SELF | flags.ONLYDIR
        try:
            self._watch_root = self._inotify.add_watch(root, self._mask)
        except OSError:
            self._inotify.close()
            raise
        self.watch_new_folders()

    def watch_new_folders(self) -> None:
        """Watch the folders that are not watched yet."""
        self.has_new = False
        for folder, names, _ in islice(os.walk(self._root), MAX_WATCHED_FOLDERS):
            names[:] = [name for name in names if not name.startswith(".")]
            try:
                self._inotify.add_watch(folder, self._mask)
            except OSError:  # it went meanwhile, or there are no watches left
                continue

    def take_changes(self) -> bool:
        """Take what was reported; return whether a file of tickets or a folder may have changed."""
        flags, is_changed = self._flags, False
        for watch, mask, _, name in self._inotify.read(timeout=0):
            if watch == self._watch_root and mask & (flags.DELETE_SELF | flags.MOVE_SELF):
                self.is_gone = is_changed = True
            if mask & (flags.ISDIR | flags.Q_OVERFLOW):
                self.has_new = True
            is_named = name.endswith(".md") or mask & flags.ISDIR
            if mask & flags.Q_OVERFLOW or (is_named and not name.startswith(".")):
                is_changed = True
        return is_changed

    def close(self) -> None:
        """Watch nothing any more."""
        self._inotify.close()
