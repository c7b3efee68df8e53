"""Pictures on disk: which paths are followed, and what is read of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ticketr.app.sync import FileFailed
from ticketr.app.sync.workspace.attachments import check_pictures, open_picture

PNG = b"\x89PNG"
#: The user "nobody", who owns nothing.
NOBODY = 65534


def test_a_path_is_relative_to_the_file_of_its_ticket(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.png", "sub/a.png", "sub/b c.PNG", "sub/b%20c.png"):
        (tmp_path / name).write_bytes(name.encode())

    found = check_pictures(
        tmp_path, "sub/DEMO-1.md", ["a.png", "../a.png", "b%20c.PNG", "b%20c.png", "x\0.png"]
    )

    assert {address: each.path for address, each in found.items() if not each.problem} == {
        "a.png": "sub/a.png",
        "../a.png": "a.png",
        "b%20c.PNG": "sub/b c.PNG",
        "b%20c.png": "sub/b%20c.png",
    }
    assert len({each.fake_media_id for each in found.values()}) == 5
    assert found["x\0.png"].problem.startswith("is not a file")


def test_a_workspace_behind_a_link_holds_its_own_pictures(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.png").write_bytes(PNG)
    (tmp_path / "real" / "link.png").symlink_to(tmp_path / "real" / "a.png")
    (tmp_path / "work").symlink_to("real")

    found = check_pictures(tmp_path / "work", "DEMO-1.md", ["a.png", "link.png"])

    assert [each.path for each in found.values()] == ["a.png", "a.png"]
    opened = open_picture(tmp_path / "work", "a.png", 4)
    with closing(opened.file):
        assert (opened.file.read(), opened.name, opened.size) == (PNG, "a.png", 4)
    assert opened.digest == hashlib.sha256(PNG).hexdigest()


@contextmanager
def without_rights() -> Generator[Path]:
    """Make a folder for an ordinary user, who root becomes during the block: root reads all."""
    with TemporaryDirectory() as name:
        if (user := os.geteuid()) == 0:
            os.chown(name, NOBODY, -1)
            os.seteuid(NOBODY)
        try:
            yield Path(name)
        finally:
            os.seteuid(user)


def test_a_picture_that_cannot_be_read_is_named() -> None:
    with without_rights() as folder:
        (folder / "a.png").write_bytes(PNG)
        (folder / "a.png").chmod(0)

        with pytest.raises(FileFailed, match=r"a\.png: Permission denied; let your account read"):
            open_picture(folder, "a.png", None)


def test_a_picture_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)

    with pytest.raises(FileFailed, match="it has 4 bytes; the site takes 3"):
        open_picture(tmp_path, "a.png", 3)


def by_link(path: Path, secret: Path) -> None:
    path.unlink()
    path.symlink_to(secret)


def by_pipe(path: Path, _: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def by_more(path: Path, _: Path) -> None:
    path.write_bytes(PNG + b"more")


def by_less(path: Path, _: Path) -> None:
    path.write_bytes(PNG[:-1])


@pytest.mark.parametrize("changed", [by_link, by_pipe, by_more, by_less])
def test_what_takes_the_place_of_a_picture_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: Callable[[Path, Path], None]
) -> None:
    """Somebody changes the file between the check of its path and the moment it is opened."""
    secret = tmp_path / "secret"
    secret.write_bytes(PNG)
    root = tmp_path / "work"
    root.mkdir()
    (root / "a.png").write_bytes(PNG)
    open_it = os.open

    def late(path: Path, flags: int) -> int:
        changed(path, secret)
        return open_it(path, flags)

    monkeypatch.setattr(os, "open", late)

    with pytest.raises(FileFailed, match=r"a\.png"):
        open_picture(root, "a.png", None)
