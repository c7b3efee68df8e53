"""Test in which order a file that must outlive a loss of power reaches the disk."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ticketr.app.config import StateFolder, replace_atomically
from ticketr.app.config.atomic import write_atomically


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the name of each step to the disk; the steps are still taken."""
    steps: list[str] = []
    sync, rename = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        is_folder = os.path.isdir(f"/dev/fd/{descriptor}")  # noqa: PTH112 - a descriptor's name
        steps.append("folder" if is_folder else "file")
        sync(descriptor)

    def replace(source: str, target: str, **folders: int) -> None:
        steps.append("rename")
        rename(source, target, **folders)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    return steps


@contextmanager
def opened(folder: Path) -> Generator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def test_a_durable_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, steps: list[str]
) -> None:
    write_atomically(tmp_path / "a.toml", "text")

    assert steps == ["file", "rename", "folder"]


def test_a_file_that_need_not_be_durable_is_not_waited_for(
    tmp_path: Path, steps: list[str]
) -> None:
    with opened(tmp_path) as folder:
        replace_atomically(folder, "a.md", "text", mode=None, durable=False)

    assert steps == ["rename"]


def test_a_text_that_is_put_aside_is_on_the_disk(tmp_path: Path, steps: list[str]) -> None:
    StateFolder(tmp_path / ".ticketr").put_aside(["a.md"], "text")

    assert steps == ["file", "folder"]
