"""``ticketr edit``: open a ticket in the user's editor; no request to Jira."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from ticketr._errors import TicketrError
from ticketr.app.cli.completion import complete_key
from ticketr.app.cli.help import Command
from ticketr.app.cli.settings import resolve, workspace_options


@dataclass(eq=False, repr=False)
class EditorFailed(TicketrError):
    """Raised when the user's editor cannot be started, or fails.

    Attributes:
        command: The program and its arguments.
        problem: What is wrong, and what to do about it.
    """

    command: str
    problem: str

    def __str__(self) -> str:
        return f"the editor ({self.command}) {self.problem}"


@click.command(cls=Command)
@click.argument("key", shell_complete=complete_key)
@workspace_options
def edit(*, key: str, workspace: str | None, folder: Path | None) -> None:
    """Open the file of a ticket in your editor, at the line of the ticket. Sends no request.

    The editor is what VISUAL or EDITOR names, with its arguments, else vi. When it ends, the file
    is read, so that you hear at once of a mistake in it.
    """
    from ticketr.app.cli.listing import require_issue
    from ticketr.app.cli.ownership import open_store
    from ticketr.app.editor import editor_words

    store = open_store(resolve(workspace=workspace, folder=folder).root)
    issue = require_issue(store, key)
    path = (store.root / issue.path).absolute()
    _run(editor_words(os.environ, str(path), issue.issue.line))
    store.read(issue.path)


def _run(words: Sequence[str]) -> None:
    """Run the editor until it ends.

    Raises:
        EditorFailed: It cannot be started, or fails.
    """
    from ticketr.app.editor import how_it_failed

    command = shlex.join(words)
    try:
        with _interrupts_ignored():
            ended = subprocess.run(words, check=False)  # noqa: S603 - what the user has set
    except OSError as error:
        problem = f"cannot be started: {error.strerror}; set VISUAL or EDITOR, as in EDITOR=nano"
        raise EditorFailed(command, problem) from error
    if ended.returncode:
        raise EditorFailed(command, how_it_failed(ended.returncode))


@contextmanager
def _interrupts_ignored() -> Generator[None]:
    """Leave Ctrl+C to the editor, which the terminal sends it as well.

    A handler that does nothing is reset in the editor; a signal that is ignored would stay ignored.
    """
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
