"""Looks at a folder that is to become a workspace, or to be opened as one; synchronous."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path

from ticketr._errors import TicketrError
from ticketr.app import config
from ticketr.app.cli.settings import resolve
from ticketr.app.sync import Store
from ticketr.app.tui.services.opening import shown_site
from ticketr.app.tui.setup import FolderAnswer, FolderKind

#: The most files that are looked at for tickets.
MOST_FILES = 200


def check_folder(folder: Path) -> FolderAnswer:
    """Return what a folder is; no login is looked up, and nothing is written.

    Args:
        folder: The folder; ``~`` is the user's own.

    Raises:
        BadSetting: It is a file, not a folder.
        ConfigError: A file of settings in it cannot be used.
        OSError: It cannot be read.
    """
    root = Path(os.path.expanduser(folder)).absolute()  # noqa: PTH111 - never an error
    if not root.exists():
        return FolderAnswer(FolderKind.NEW)
    if not root.is_dir():
        raise config.BadSetting("the folder", str(root), "it is a file")
    known = config.read_user_config(config.config_folder(os.environ)).at(root)
    if known is not None or (root / config.WORKSPACE_FILE).is_file():
        return FolderAnswer(FolderKind.WORKSPACE, shown_site(resolve(folder=root).site or ""))
    if not any(root.iterdir()):
        return FolderAnswer(FolderKind.EMPTY)
    return FolderAnswer(FolderKind.TICKETS if _has_tickets(root) else FolderKind.OTHER)


def _has_tickets(root: Path) -> bool:
    store = Store(root, config.STATE_FOLDER)
    for path in islice(chain.from_iterable(store.walk()), MOST_FILES):
        with suppress(TicketrError):  # opening the folder tells of a broken file
            if store.tickets(store.name_of(path)):
                return True
    return False
