"""A folder that this user may not list, whoever runs the tests: root may list any."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest


def forbid_folder(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the system refuse to list a folder, as with the mode 000."""
    scandir, access = os.scandir, os.access

    def refuse(path: Any = ".") -> Any:
        if os.fspath(path) == str(folder):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        return scandir(path)

    def may(path: Any, mode: int, **options: Any) -> bool:
        return os.fspath(path) != str(folder) and access(path, mode, **options)

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(os, "access", may)
