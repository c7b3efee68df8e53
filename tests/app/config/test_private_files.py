"""Test the files that are for the user alone, and those of the folder ``.ticketr``."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count, repeat
from pathlib import Path

import pytest

from ticketr.app.config import (
    BadFile,
    NotPrivate,
    SavedListView,
    SettingsAccessFailed,
    StateFolder,
    WrongFileKind,
    config_folder,
    read_or_make_owner_mark,
    read_saved_list_view,
    refuse_database_links,
    store_list_view,
)
from ticketr.app.config.files import lock_config_folder, read_private, write_private
from ticketr.app.config.state_folder import LIST_VIEW_FILE


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def store(path: Path, text: str = "a = 1\n") -> None:
    with lock_config_folder(path.parent):
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
        "from ticketr.app.config.files import lock_config_folder, write_private\n"
        "from ticketr.app.config import SettingsAccessFailed\n"
        "path = pathlib.Path(sys.argv[1]) / 'x'\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "try:\n    with lock_config_folder(path.parent): write_private(path, 'new')\n"
        "except SettingsAccessFailed as error: print(error)\n"
    )

    told = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
    ).stdout

    assert told == f"cannot write {folder / 'x'}: File too large\n"
    assert (folder / "x").read_text() == "old"
    assert sorted(each.name for each in folder.iterdir()) == [".lock", "x"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsAccessFailed, match=r"cannot make .*file/x"):
        store(tmp_path / "file" / "x" / "config.toml")


def test_a_folder_in_the_files_place_is_refused(folder: Path) -> None:
    (folder / "x").mkdir(parents=True, mode=0o700)

    with pytest.raises(BadFile, match="not an ordinary file"):
        read_private(folder / "x")


def test_two_programs_that_change_it_at_once_take_turns(folder: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from ticketr.app.config.files import lock_config_folder, read_private, write_private\n"
        "path = pathlib.Path(sys.argv[1]) / 'x'\n"
        "for _ in range(50):\n"
        "    with lock_config_folder(path.parent):\n"
        "        write_private(path, f'{int(read_private(path) or 0) + 1}')\n"
    )
    command = [sys.executable, "-c", program, str(folder)]

    programs = [subprocess.Popen(command) for _ in range(3)]

    assert [program.wait() for program in programs] == [0, 0, 0]
    assert read_private(folder / "x") == "150"


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


def test_a_durable_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, steps: list[str]
) -> None:
    write_private(tmp_path / "a.toml", "text")

    assert steps == ["file", "rename", "folder"]


def test_a_text_that_is_put_aside_is_on_the_disk(tmp_path: Path, steps: list[str]) -> None:
    StateFolder(tmp_path / ".ticketr").put_in_trash(["a.md"], "text")

    assert steps == ["file", "folder"]


@pytest.fixture
def own(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "work" / ".ticketr")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "bashrc"
    path.write_text("mine\n")
    return path


def test_it_is_made_with_its_parents_and_git_ignores_it(own: StateFolder) -> None:
    own.make()

    assert (own.path / ".gitignore").read_text() == "*\n"


def test_a_changed_gitignore_stays(own: StateFolder) -> None:
    own.path.mkdir(parents=True)
    (own.path / ".gitignore").write_text("!logs\n")

    own.make()

    assert (own.path / ".gitignore").read_text() == "!logs\n"


@pytest.mark.parametrize("is_there", [True, False])
def test_no_file_is_made_or_opened_through_a_link(
    is_there: bool, own: StateFolder, outside: Path
) -> None:
    own.path.mkdir(parents=True)
    if not is_there:
        outside.unlink()
    for name in (".gitignore", "lock"):
        (own.path / name).symlink_to(outside)

    with pytest.raises(WrongFileKind, match=r"\.gitignore is a link and not a file"):
        own.make()
    with pytest.raises(WrongFileKind, match=r"lock is a link and not a file"):
        own.open_file("lock", os.O_RDWR | os.O_CREAT)

    assert outside.exists() == is_there


@pytest.mark.parametrize("name", ["", "trash"])
def test_nothing_is_put_into_a_folder_that_is_a_link(name: str, own: StateFolder) -> None:
    elsewhere = own.path.parent.parent / "elsewhere"
    elsewhere.mkdir()
    link = own.path / name if name else own.path
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)

    for use in (
        own.make if not name else own.check_file_kinds,
        lambda: own.put_in_trash(["a.md"], "text"),
        lambda: own.open_file("lock", os.O_CREAT) if not name else own.check_file_kinds(),
    ):
        with pytest.raises(WrongFileKind, match="is a link and not a folder"):
            use()

    assert list(elsewhere.iterdir()) == []


def test_a_text_is_put_aside_under_the_first_name_that_nothing_has(
    own: StateFolder, outside: Path
) -> None:
    (own.path / "trash").mkdir(parents=True)
    (own.path / "trash" / "0.md").symlink_to(outside)
    (own.path / "trash" / "1.md").symlink_to("nowhere")
    (own.path / "trash" / "2.md").write_text("older")

    path = own.put_in_trash((f"{number}.md" for number in count()), "text\n")

    assert path == own.path / "trash" / "3.md"
    assert path.read_text() == "text\n"
    assert outside.read_text() == "mine\n"
    assert not (own.path / "trash" / "nowhere").exists()


def test_a_text_that_cannot_be_put_aside_leaves_nothing(own: StateFolder) -> None:
    with pytest.raises(UnicodeEncodeError):
        own.put_in_trash(["a.md"], "\ud800")

    assert list((own.path / "trash").iterdir()) == []


@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-journal"])
def test_a_database_is_refused_for_a_link_wherever_sqlite_would_follow_it(
    end: str, own: StateFolder, outside: Path
) -> None:
    own.make()
    (own.path / f"state.db{end}").symlink_to(outside)

    with pytest.raises(WrongFileKind, match=rf"state\.db{end} is a link"):
        refuse_database_links(own.path / "state.db")
    with pytest.raises(WrongFileKind, match=rf"state\.db{end} is a link"):
        own.check_file_kinds()


def test_hard_links_as_backups_make_them_are_no_matter(own: StateFolder, tmp_path: Path) -> None:
    own.make()
    (own.path / "state.db").write_bytes(b"")
    (tmp_path / "backup").hardlink_to(own.path / "state.db")

    own.check_file_kinds()


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / ".ticketr")


def test_how_a_list_is_shown_is_remembered(state: StateFolder) -> None:
    assert read_saved_list_view(state) == SavedListView()

    memory = SavedListView("edited", "title", frozenset({"sprint"}))
    store_list_view(state, memory)
    assert read_saved_list_view(state) == memory


def test_threads_that_remember_it_at_once_disturb_one_another_in_nothing(
    state: StateFolder,
) -> None:
    memories = [SavedListView("edited", f"sort {number}") for number in range(300)]

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(store_list_view, repeat(state), memories)) == [None] * 300

    assert read_saved_list_view(state) in memories
    assert sorted(path.name for path in state.path.iterdir()) == [".gitignore", LIST_VIEW_FILE]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"hidden": 3}', "null", "\xff", "[" * 100_000])
def test_a_file_that_makes_no_sense_is_ignored(state: StateFolder, text: str) -> None:
    state.make()
    (state.path / LIST_VIEW_FILE).write_text(text, encoding="latin-1")

    assert read_saved_list_view(state) == SavedListView()


def test_a_mark_is_made_once_for_the_user_alone(folder: Path) -> None:
    mark = read_or_make_owner_mark(folder)

    assert read_or_make_owner_mark(folder) == mark
    assert len(mark) == 64
    assert (folder / "marks.toml").stat().st_mode & 0o777 == 0o600
    assert read_or_make_owner_mark(folder.with_name("another")) != mark


@pytest.mark.parametrize("text", ["", "mark = 1\n", 'mark = "abc"\n', 'marks = "a"\n', "="])
def test_an_invalid_mark_is_refused_and_not_shown(text: str, folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    (folder / "marks.toml").touch(mode=0o600)
    (folder / "marks.toml").write_text(text)

    with pytest.raises(BadFile, match=r"marks\.toml") as caught:
        read_or_make_owner_mark(folder)

    assert "abc" not in str(caught.value)


def test_a_mark_that_others_can_read_is_refused(folder: Path) -> None:
    read_or_make_owner_mark(folder)
    (folder / "marks.toml").chmod(0o644)

    with pytest.raises(NotPrivate):
        read_or_make_owner_mark(folder)
