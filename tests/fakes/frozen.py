"""A file or folder that the system does not let anybody change, whoever runs the tests."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def frozen(*paths: Path) -> Generator[None]:
    """Make files or folders immutable for the block; skip the test where that is not possible."""
    freeze(*paths)
    try:
        yield
    finally:
        thaw(*paths)


def freeze(*paths: Path) -> None:
    """Make files or folders immutable; `thaw` takes it back."""
    _set("+i", *paths)


def thaw(*paths: Path) -> None:
    """Let files or folders be changed again."""
    _set("-i", *paths)


def _set(flag: str, *paths: Path) -> None:
    try:
        ended = subprocess.run(
            ["chattr", flag, *map(str, paths)], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("chattr is not installed")
    if ended.returncode:
        pytest.skip(f"this system or user cannot make files immutable: {ended.stderr.strip()}")
