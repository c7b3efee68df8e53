"""Reads a workspace for the app, a few files at a time in a thread, and sends the results."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import final

import trio

from ticketr import TicketrError
from ticketr.app import sync
from ticketr.app.tui import messages
from ticketr.app.tui.messages import FilesRead, Message
from ticketr.app.tui.services.files import NO_ROWS, FileCache, ReadAndComparePass, read_view_options
from ticketr.app.tui.tree import presort
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.text import clean

#: Files read in one visit to a thread, which takes some 30 milliseconds: on a busy machine each
#: visit waits for the thread, and each portion of rows is arranged and drawn.
FILES_PER_BATCH = 200


@final
class Reader:
    """Reads the files of a workspace; an error becomes a message and does not end the app.

    Args:
        name: The workspace's name.
        store: The workspace's files.
        in_thread: Runs a function that reads files in a thread.
        send: Takes the results.
        seen: What is known of the files.
        shown: Returns what the app shows of the workspace now. What was computed for its rows, as
            for a filter, is kept for those that are still the same; the rest is computed here.
    """

    def __init__(
        self,
        name: str,
        store: sync.Store,
        in_thread: sync.ThreadRunner,
        send: Callable[[Message], None],
        seen: FileCache | None = None,
        shown: Callable[[], WorkspaceView] = lambda: WorkspaceView(""),
    ) -> None:
        self._name = name
        self._store = store
        self._in_thread = in_thread
        self._send = send
        # Results of a later reading must not be replaced by those of an earlier one.
        self._lock = trio.Lock()
        # The readings that have begun, and the last of them that has ended.
        self._begun = self._ended = 0
        self._is_filled = False
        self._cache = FileCache(store) if seen is None else seen
        self._rows = NO_ROWS
        self._shown = shown

    async def read_and_compare(self) -> None:
        """Read all files that have changed, and compare all with the last sync.

        Cancellation:
            Waits for the thread, which reads a few files at a time.
        """
        begun = self._begun
        async with self._lock:
            if self._ended > begun:  # another task has read the same files meanwhile
                return
            self._begun = number = self._begun + 1
            if not self._is_filled:
                recalled = await self._in_thread(read_view_options, self._name, self._store)
                if recalled is not None:
                    self._send(recalled)
                await self._in_thread(self._cache.load)
            try:
                await self._read_and_compare_with(sync.read_state(self._store))
            except TicketrError as error:
                await self._read_and_compare_with(closing(sync.State(Path(":memory:"))))
                self._send(messages.Notice(clean(str(error))))
            if not self._rows and not await self._in_thread(self._store.root.is_dir):
                words = clean(f"the folder {self._store.root} is gone")
                self._send(messages.WorkspaceNotOpened(self._name, words))
            self._ended = number

    async def _read_and_compare_with(self, last_sync: AbstractContextManager[sync.State]) -> None:
        # Rows that are shown stay until all files are read, so that they do not flicker.
        show = self._send if not self._is_filled else lambda _: None
        stack = ExitStack()
        try:
            state = await self._in_thread(stack.enter_context, last_sync)
            reader = await self._in_thread(
                ReadAndComparePass, self._name, self._store, state, self._cache
            )
            files = sync.find_files(
                self._store,
                skip=reader.reuse_if_unchanged,
                size=reader.file_size,
                most=FILES_PER_BATCH,
            )
            await sync.visit_files(self._in_thread, files, reader.read_batch, show)
            view = self._shown()
            read = await self._in_thread(reader.combine_files_read, view.rows or self._rows)
            await self._in_thread(_precompute_visible_rows, read, view)
        finally:
            with trio.CancelScope(shield=True):  # closing one file is quick
                await self._in_thread(stack.close)
        self._rows = read.rows
        self._send(read)
        self._is_filled = True
        await self._in_thread(presort, read.rows)
        if self._cache.is_worth_saving():
            await self._save_cache()

    async def _save_cache(self) -> None:
        text: list[str] = []
        portions = self._cache.serialized_portions()
        while portion := await self._in_thread(next, portions, ""):
            text.append(portion)
        await self._in_thread(self._cache.save, text)


def _precompute_visible_rows(files: FilesRead, view: WorkspaceView) -> None:
    """Arrange all rows as they are shown, so that it takes no time on Trio's thread."""
    shown = replace(
        view,
        rows=files.rows,
        edited_keys=files.edited_keys,
        conflicts_by_key=files.conflicts_by_key,
    )
    _ = shown.visible
