"""A clone of a hostile git repository: nothing outside changes, nothing runs, nothing is sent."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest
from fakes.hostile import OWN_FILES, make_world, put_modules
from fakes.processes import ticketr
from fakes.users import User

from ticketr.sandbox import make_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fakes.hostile import World

#: Every command that is about a workspace, as somebody without a terminal gives it.
COMMANDS = (
    ("pull",),
    ("pull", "--full", "--prune"),
    ("push", "--dry-run"),
    ("push", "--yes"),
    ("sync", "--yes", "--strategy", "remote"),
    ("status",),
    ("diff",),
    ("resolve",),
    ("resolve", "--all", "--take", "local"),
    ("jobs",),
    ("new", "A draft"),
    ("workspace", "check"),
    ("demo", "--tickets", "1", "--folder", "."),
)


@pytest.fixture
def someone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> User:
    """A user with an empty folder and a Jira of twelve issues."""
    return User(tmp_path / "work", make_site(tickets=12, seed=1), monkeypatch, capsys)


def link_to_file(world: World, path: Path) -> None:
    path.symlink_to(world.bashrc)


def link_to_database(world: World, path: Path) -> None:
    path.symlink_to(os.path.relpath(world.outside / "own.db", path.parent))


def link_to_folder(world: World, path: Path) -> None:
    path.symlink_to(world.folder)


def link_to_nothing(world: World, path: Path) -> None:
    path.symlink_to(world.outside / "new")


def link_to_itself(_: World, path: Path) -> None:
    path.symlink_to(path.name)


def link_to_device(_: World, path: Path) -> None:
    path.symlink_to("/dev/zero")


def pipe(_: World, path: Path) -> None:
    os.mkfifo(path)


def door(_: World, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = os.open(".", os.O_RDONLY)  # the whole path may be longer than such an address can be
        try:
            os.chdir(path.parent)
            made.bind(path.name)
        finally:
            os.fchdir(here)
            os.close(here)


def folder(_: World, path: Path) -> None:
    path.mkdir()


KINDS = (
    *(link_to_file, link_to_database, link_to_folder, link_to_nothing, link_to_itself),
    *(link_to_device, pipe, door, folder),
)


#: Each name of ticketr's own, and each kind of thing that it should not be.
ODD = [
    *((name, kind) for name in OWN_FILES for kind in KINDS),
    *((name, kind) for name in ("trash", "") for kind in KINDS if kind is not folder),
]


@pytest.mark.parametrize(
    ("name", "kind"), ODD, ids=[f"{name or 'itself'}-{kind.__name__}" for name, kind in ODD]
)
def test_what_is_no_file_of_ours_is_not_opened(
    name: str, kind: Callable[[World, Path], None], someone: User, tmp_path: Path
) -> None:
    world = make_world(tmp_path / "world")
    own = someone.root / ".ticketr"
    if name:
        own.mkdir()
    kind(world, own / name if name else own)
    before = world.look()

    told = [(command, someone.runs(*command)) for command in COMMANDS]

    assert world.look() == before
    assert someone.asked == []
    for command, ended in told:
        assert ended.code == 2, (command, ended)
        assert f"{own / name if name else own} is a" in ended.err, (command, ended)
        assert "move it away" in ended.err


def test_what_the_demo_starts_imports_nothing_from_the_current_folder(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    put_modules(world)

    ended = ticketr(
        "demo", "--tickets", "1", "--folder", str(tmp_path / "demo"), folder=world.clone
    )

    assert ended.returncode == 0, ended.stderr
    assert not world.ran.exists()
