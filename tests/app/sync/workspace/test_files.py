"""What one file that cannot be read or written stops."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.frozen import frozen

from ticketr.app.sync.errors import FileFailed
from ticketr.app.sync.workspace.files import FileChanged, replace_file, stamp_of


def replace(root: Path, name: str, text: str = "new") -> FileFailed:
    """Replace a file, which must fail; return the error."""
    target = str(root / name)
    was = stamp_of(target) if len(name) < 256 else None
    with pytest.raises(FileFailed) as failed:
        replace_file(str(root), name, text, was)
    return failed.value


def test_a_file_that_the_system_does_not_replace_concerns_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("old")

    with frozen(path):
        error = replace(tmp_path, "a.md")

    assert error.alone
    assert str(error) == (
        f"cannot write {path}: Operation not permitted; let your account write it, or move it away"
    )
    assert [each.name for each in tmp_path.iterdir()] == ["a.md"]
    assert path.read_text() == "old"


def test_a_folder_that_refuses_files_concerns_them_alone_but_the_root_concerns_all(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "sub"
    folder.mkdir()

    with frozen(folder):
        below = replace(tmp_path, "sub/a.md")
        deeper = replace(tmp_path, "sub/new/a.md")
    with frozen(tmp_path):
        above = replace(tmp_path, "a.md")
        missing = replace(tmp_path, "gone/a.md")

    assert [each.alone for each in (below, deeper, above, missing)] == [True, True, False, False]
    assert [each.path for each in (below, deeper, above, missing)] == [
        folder,
        folder,
        tmp_path,
        tmp_path,
    ]
    assert str(below).startswith(f"cannot write into {folder}: ")
    assert str(below).endswith("; let your account write there")


def test_a_file_that_is_too_large_for_a_limit_concerns_itself_alone(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        error = replace(tmp_path, "a.md", "more than ten bytes")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert error.alone
    assert error.reason == "File too large"
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_too_long_concerns_itself_alone(tmp_path: Path) -> None:
    error = replace(tmp_path, "n" * 300)

    assert error.alone
    assert error.reason == "File name too long"
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    root = tmp_path / "gone"

    error = replace(root, "sub/a.md")

    assert not error.alone
    assert error.reason == os.strerror(2)
    assert not root.exists()


def save(path: Path, text: str) -> None:
    path.write_text(text)
    os.utime(path, ns=(1, 1))  # the system's clock may not have moved since the file was read


def save_with_the_old_time(path: Path, text: str) -> None:
    """Save a file as programs do that copy its times, such as rsync."""
    old = path.stat()
    while path.stat().st_ctime_ns == old.st_ctime_ns:  # until the system's clock has moved
        path.write_text(text)
        os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))


@pytest.mark.parametrize("change", [save, save_with_the_old_time])
def test_a_file_that_was_saved_in_place_with_its_old_size_is_not_replaced(
    tmp_path: Path, change: Callable[[Path, str], None]
) -> None:
    path = tmp_path / "a.md"
    path.write_text("old")
    was = stamp_of(str(path))

    change(path, "own")

    with pytest.raises(FileChanged):
        replace_file(str(tmp_path), "a.md", "new", was)
    assert path.read_text() == "own"
    assert [each.name for each in tmp_path.iterdir()] == ["a.md"]
