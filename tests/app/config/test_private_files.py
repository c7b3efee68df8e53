from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ticketr.app.config import BadFile, NotPrivate, SettingsFailed, config_folder
from ticketr.app.config.private_files import exclusive, read_private, write_private


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def store(path: Path, text: str = "a = 1\n") -> None:
    with exclusive(path.parent):
        write_private(path, text)


def test_the_folder_is_the_systems_usual_one_unless_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    assert config_folder({"TICKETR_CONFIG_DIR": "/x/y"}) == Path("/x/y")
    assert config_folder({"TICKETR_CONFIG_DIR": "y"}) == Path.cwd() / "y"
    assert config_folder({}).name == "ticketr"
    if sys.platform == "linux":
        assert config_folder({"TICKETR_CONFIG_DIR": ""}) == tmp_path / "ticketr"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_whatever_the_umask_the_file_is_the_users_alone(umask: int, folder: Path) -> None:
    before = os.umask(umask)
    try:
        store(folder / "x")
    finally:
        os.umask(before)

    assert (mode(folder), mode(folder / "x")) == (0o700, 0o600)
    assert read_private(folder / "x") == "a = 1\n"


@pytest.mark.parametrize("open_to", [0o640, 0o604, 0o660, 0o622])
def test_a_file_that_others_can_open_is_refused_with_what_to_do(open_to: int, folder: Path) -> None:
    path = folder / "x y"
    store(path)
    path.chmod(open_to)

    with pytest.raises(NotPrivate, match=rf"\(mode {open_to:o}\): chmod 600 '.*/x y'"):
        read_private(path)


def test_a_folder_that_others_can_write_into_is_refused(folder: Path) -> None:
    store(folder / "x")
    folder.chmod(0o770)

    with pytest.raises(NotPrivate, match=r"others can put files into it \(mode 770\): chmod 700"):
        read_private(folder / "x")
    with pytest.raises(NotPrivate, match="chmod 700"):
        store(folder / "x")


def test_a_folder_that_others_can_only_look_into_will_do(folder: Path) -> None:
    store(folder / "x")
    folder.chmod(0o755)

    assert read_private(folder / "x") == "a = 1\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_file_of_another_user_is_refused(folder: Path) -> None:
    store(folder / "x")
    os.chown(folder / "x", 12345, -1)

    with pytest.raises(NotPrivate, match=r"another user \(number 12345\)"):
        read_private(folder / "x")


def test_a_missing_file_or_folder_is_none(folder: Path) -> None:
    assert read_private(folder / "x") is None


def test_a_file_is_replaced_in_one_step_and_leaves_nothing_beside_it(folder: Path) -> None:
    path = folder / "x"
    store(path, "old")
    held = path.open()
    (folder / f".x.{os.getpid()}.new").write_text("left by a process that was killed")

    store(path, "new")

    assert (held.read(), path.read_text()) == ("old", "new")
    assert sorted(each.name for each in folder.iterdir()) == [".lock", "x"]
    held.close()


def test_a_link_stays_a_link_and_its_file_is_replaced(folder: Path, tmp_path: Path) -> None:
    store(folder / "x", "old")
    (folder / "x").rename(tmp_path / "dotfile")
    (folder / "x").symlink_to(tmp_path / "dotfile")

    store(folder / "x", "new")

    assert (folder / "x").is_symlink()
    assert (tmp_path / "dotfile").read_text() == "new"


def test_when_it_cannot_be_written_the_old_file_stays(folder: Path) -> None:
    store(folder / "x", "old")

    with pytest.raises(UnicodeEncodeError):
        store(folder / "x", "\ud800")

    assert (folder / "x").read_text() == "old"
    assert sorted(each.name for each in folder.iterdir()) == [".lock", "x"]


def test_a_disk_without_room_is_reported_and_loses_nothing(folder: Path) -> None:
    store(folder / "x", "old")
    program = (
        "import sys, pathlib, resource\n"
        "from ticketr.app.config.private_files import exclusive, write_private\n"
        "from ticketr.app.config import SettingsFailed\n"
        "path = pathlib.Path(sys.argv[1]) / 'x'\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "try:\n    with exclusive(path.parent): write_private(path, 'new')\n"
        "except SettingsFailed as error: print(error)\n"
    )

    told = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
    ).stdout

    assert told == f"cannot write {folder / 'x'}: File too large\n"
    assert (folder / "x").read_text() == "old"
    assert sorted(each.name for each in folder.iterdir()) == [".lock", "x"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsFailed, match=r"cannot make .*file/x"):
        store(tmp_path / "file" / "x" / "config.toml")


def test_a_folder_in_the_files_place_is_refused(folder: Path) -> None:
    (folder / "x").mkdir(parents=True, mode=0o700)

    with pytest.raises(BadFile, match="not an ordinary file"):
        read_private(folder / "x")


def test_two_programs_that_change_it_at_once_take_turns(folder: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from ticketr.app.config.private_files import exclusive, read_private, write_private\n"
        "path = pathlib.Path(sys.argv[1]) / 'x'\n"
        "for _ in range(50):\n"
        "    with exclusive(path.parent):\n"
        "        write_private(path, f'{int(read_private(path) or 0) + 1}')\n"
    )
    command = [sys.executable, "-c", program, str(folder)]

    programs = [subprocess.Popen(command) for _ in range(3)]

    assert [each.wait(30) for each in programs] == [0, 0, 0]
    assert read_private(folder / "x") == "150"
