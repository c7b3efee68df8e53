"""What the app does outside of itself: the editor, the browser, the clipboard."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import trio

from ticketr import TicketrError
from ticketr.app import sync
from ticketr.app.editor import describe_failure, editor_words
from ticketr.app.jira.site import browse_url
from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.services.context import CallFailed, Services
from ticketr.app.tui.services.edits import add_comment_to_file
from ticketr.app.tui.services.workspaces import error_with_relative_paths
from ticketr.app.tui.text_input import clean_lines
from ticketr.terminal import Resize
from ticketr.text import clean

#: The most characters that are copied; some terminals take no more.
MAX_COPIED_CHARACTERS = 74_000
#: Seconds after which a program that still runs counts as the open browser.
BROWSER_OPENED_AFTER_SECONDS = 5.0
#: The program that opens an address by default.
DEFAULT_BROWSER_COMMAND = "open" if sys.platform == "darwin" else "xdg-open"


def request_leave(services: Services) -> None:
    """Ask the app to end."""
    services.leave_requested.set()


def redraw(services: Services) -> None:
    """Draw every row again."""
    services.terminal.draw_next_frame_whole()


async def open_editor(services: Services, name: str, path: str, line: int) -> None:
    """Hand the terminal to the user's editor, and read the workspace again when it ends.

    Nothing happens while another program has the terminal, as after two quick presses of the key.

    Args:
        services: What the services have in common.
        name: The name of the workspace.
        path: The file, relative to the workspace.
        line: The line to go to, from 1.
    """
    file = str(services.workspaces[name].store.root / path)
    if not await services.in_thread(os.path.lexists, file):  # an editor would make a new file
        services.send_message(
            messages.Notice(clean(f"{path} is gone, so there is nothing to edit"))
        )
        await services.readers[name].read_and_compare()
        return
    store = services.workspaces[name].store
    before = await services.in_thread(_read_tickets_if_possible, store, path)
    if services.terminal.is_handed_over:
        return
    problem = await _run_editor_get_problem(services, file, line)
    await services.in_thread(sync.mark_editor_changes_as_edits, store, path, before)
    if problem:
        services.send_message(messages.Notice(clean(problem)))
    await services.readers[name].read_and_compare()


async def add_comment_from_editor(
    services: Services, name: str, place: sync.IssuePlace, text: str
) -> messages.Notice | None:
    """Let the user write a comment in their editor, and put it into the file of an issue.

    An empty text adds nothing. If the editor or the file fails, the error has the text.

    Args:
        services: What the services have in common.
        name: The name of the workspace.
        place: The place of the issue.
        text: What was typed already.
    """
    if services.terminal.is_handed_over:
        return None
    file = await services.in_thread(_write_comment_draft, text)
    problem = await _run_editor_get_problem(services, file, 1)
    written = clean_lines(await services.in_thread(_read_and_delete_draft, file)).strip()
    if problem:
        raise CallFailed(problem, written)
    if not written:
        return messages.Notice("The comment is empty; nothing was added", is_error=False)
    try:
        await add_comment_to_file(services, name, place, written)
    except TicketrError as error:
        words = error_with_relative_paths(services.workspaces[name].store, error)
        raise CallFailed(words, written) from error
    return None


def _write_comment_draft(text: str) -> str:
    """Write a text into a new file outside of the workspace; return the file."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="ticketr-comment-", suffix=".md", encoding="utf-8", delete=False
    ) as file:
        file.write(text)
    return file.name


def _read_and_delete_draft(file: str) -> str:
    """Return the text of a file, and delete the file; empty if the user has deleted it."""
    path = Path(file)
    with suppress(FileNotFoundError):
        text = path.read_text(encoding="utf-8", errors="replace")
        path.unlink()
        return text
    return ""


async def _run_editor_get_problem(services: Services, file: str, line: int) -> str:
    """Hand the terminal to the user's editor; return why it failed, or an empty text."""
    words = editor_words(os.environ, file, line)
    problem = ""
    async with services.terminal.handed_over():
        try:
            ended = await trio.run_process(words, stdin=None, check=False)
        except OSError as error:
            problem = f"cannot start {words[0]}: {error.strerror}; set EDITOR to your editor"
        else:
            if ended.returncode:
                problem = f"the editor {words[0]} {describe_failure(ended.returncode)}"
    services.send_message(Resize(*services.terminal.size))
    return problem


def _read_tickets_if_possible(store: sync.Store, path: str) -> tuple[Ticket, ...]:
    """Return the tickets of a file; none if it cannot be read."""
    with suppress(TicketrError):
        return store.read_tickets(path)
    return ()


async def open_browser(services: Services, name: str, keys: tuple[str, ...]) -> None:
    """Open issues in the browser, without a word on the terminal."""
    site = services.workspaces[name].site_url
    await open_pages(services, *(browse_url(site, key) for key in keys))


async def open_pages(services: Services, *addresses: str) -> None:
    """Open pages in the browser, side by side, without a word on the terminal."""
    failed: list[str] = []

    async def open_one(address: str) -> None:
        for words in browser_commands(os.environ, address):
            if await _try_to_open_browser(words):
                return
        failed.append(address)

    async with trio.open_nursery() as nursery:
        for address in addresses:
            nursery.start_soon(open_one, address)
    if failed:
        words = f"no browser could be opened; the address is {min(failed)}"
    else:
        count = len(addresses)
        words = f"opened {addresses[0] if count == 1 else f'{count} tickets in the browser'}"
    services.send_message(messages.Notice(clean(words), is_error=bool(failed)))


def browser_commands(environ: Mapping[str, str], url: str) -> Iterator[list[str]]:
    """Yield the commands that may open an address, to be tried one after the other.

    Args:
        environ: The environment. `BROWSER` holds commands with a colon between them; the address
            takes the place of a ``%s`` in a command, or follows it.
        url: The address.
    """
    for command in (environ.get("BROWSER") or DEFAULT_BROWSER_COMMAND).split(os.pathsep):
        try:
            words = shlex.split(command.strip().removesuffix("&"))
        except ValueError:  # a quote in it is not closed
            continue
        if words:
            filled = [word.replace("%s", url) for word in words]
            yield filled if filled != words else [*words, url]


async def _try_to_open_browser(words: list[str]) -> bool:
    """Start the program that opens a browser; do not end one that keeps running: it is the browser."""
    quiet = subprocess.DEVNULL
    try:
        # Not `run_process`, which ends the program when the wait is over; in a session of its own,
        # so that neither Ctrl+C nor the end of the terminal ends the browser.
        program = await trio.lowlevel.open_process(
            words, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )
    except (OSError, ValueError):  # not there, or a word with a null character
        return False
    with trio.move_on_after(BROWSER_OPENED_AFTER_SECONDS):
        return await program.wait() == 0
    return True


async def copy_addresses(services: Services, name: str, keys: tuple[str, ...]) -> None:
    """Copy the addresses of issues to the clipboard of the terminal, one a line."""
    urls = [browse_url(services.workspaces[name].site_url, key) for key in keys]
    what = urls[0] if len(urls) == 1 else f"the addresses of {len(urls)} tickets"
    await copy_text(services, "\n".join(urls), what)


async def copy_text(services: Services, text: str, what: str) -> None:
    """Copy a text to the clipboard of the terminal; the notice says what it is."""
    await services.terminal.copy(text[:MAX_COPIED_CHARACTERS])
    services.send_message(messages.Notice(clean(f"copied {what}"), is_error=False))
