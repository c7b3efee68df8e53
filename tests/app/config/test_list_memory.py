"""Test what the app remembers of a list."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from ticketr.app.config import ListMemory, StateFolder, read_list_memory, store_list_memory
from ticketr.app.config.list_memory import FILE, MOST_FILTERS


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / ".ticketr")


def test_filters_are_added_replaced_and_removed(folder: StateFolder) -> None:
    assert read_list_memory(folder) == ListMemory()

    store_list_memory(folder, "edited", "key", {"late": "status=Done", "mine": "@me"})
    store_list_memory(folder, "", "title", {"late": "status=Open"})
    assert read_list_memory(folder) == ListMemory(
        "", "title", {"late": "status=Open", "mine": "@me"}
    )

    store_list_memory(folder, "", "title", {"late": "", "never": ""})
    assert read_list_memory(folder).saved == {"mine": "@me"}


def test_the_oldest_filters_go_where_there_are_too_many(folder: StateFolder) -> None:
    many = {f"n{at}": "x" for at in range(MOST_FILTERS + 2)}
    store_list_memory(folder, "", "key", many)

    assert list(read_list_memory(folder).saved) == list(many)[2:]


def test_what_cannot_be_written_leaves_the_filters_that_are_saved(
    folder: StateFolder,
) -> None:
    saved = {"late": "status=Done"}
    assert store_list_memory(folder, "", "key", saved) == saved
    before = sorted(folder.path.iterdir())

    resource.setrlimit(resource.RLIMIT_FSIZE, (64, resource.RLIM_INFINITY))
    try:
        with pytest.raises(OSError, match="File too large"):
            store_list_memory(folder, "", "key", {"long": "x" * 1000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, resource.RLIM_INFINITY))

    assert read_list_memory(folder).saved == saved
    assert sorted(folder.path.iterdir()) == before


@pytest.mark.parametrize("text", ["", "[]", "{", '{"saved": 3}', "null", "\xff", "[" * 100_000])
def test_a_file_that_makes_no_sense_is_ignored(folder: StateFolder, text: str) -> None:
    folder.make()
    (folder.path / FILE).write_text(text, encoding="latin-1")

    assert read_list_memory(folder) == ListMemory()


def test_a_file_of_an_earlier_version_has_no_saved_filters(folder: StateFolder) -> None:
    folder.make()
    (folder.path / FILE).write_text('{"filter": "a", "sort": "key", "saved": {"b": 3}}')

    assert read_list_memory(folder) == ListMemory("a", "key", {})
