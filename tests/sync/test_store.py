from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ticketr.sync.errors import FileFailed, WorkspaceBusy
from ticketr.sync.store import Place, Store, Written
from ticketr.tickets import InvalidKey, Ticket, TicketSyntaxError, render_ticket

if TYPE_CHECKING:
    from pathlib import Path

OLD = Ticket(title="Old", key="DEMO-1", description="As it was.")
NEW = Ticket(title="New", key="DEMO-1", description="As it is.")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "tickets", ".ticketr")
    store.prepare()
    return store


def put(store: Store, name: str, text: str) -> Path:
    path = store.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def files(store: Store) -> list[Path]:
    return [path for paths in store.walk() for path in paths]


def write_new(store: Store, *, path: str | None, base: Ticket | None) -> tuple[Written, str]:
    bases = [render_ticket(base)] if base else []
    result = store.write(NEW, render_ticket(NEW), path=path, bases=bases)
    return result.outcome, result.path


def test_the_folder_of_its_own_ignores_itself_in_git(store: Store) -> None:
    assert (store.own / ".gitignore").read_text() == "*\n"


def test_a_new_ticket_gets_a_file_named_after_its_key(store: Store) -> None:
    assert write_new(store, path=None, base=None) == (Written.NEW, "DEMO-1.md")
    assert (store.root / "DEMO-1.md").read_text() == render_ticket(NEW)


def test_a_file_that_went_away_is_written_again_where_it_was(store: Store) -> None:
    assert write_new(store, path="sprint/a.md", base=OLD) == (Written.NEW, "sprint/a.md")
    assert (store.root / "sprint" / "a.md").read_text() == render_ticket(NEW)


def test_an_unedited_ticket_is_rewritten_in_place(store: Store) -> None:
    put(store, "a.md", render_ticket(OLD))

    assert write_new(store, path="a.md", base=OLD) == (Written.UPDATED, "a.md")
    assert (store.root / "a.md").read_text() == render_ticket(NEW)


def test_the_rest_of_its_file_stays_byte_for_byte(store: Store) -> None:
    before = "\ufeffNotes.\r\n\r\n"
    after = "\r\n\r\n# TICKET: A draft\r\nFree text \r\n"
    old = render_ticket(OLD).replace("\n", "\r\n").rstrip("\r\n")
    new = render_ticket(NEW).replace("\n", "\r\n").rstrip("\r\n")
    path = put(store, "a.md", before + old + after)

    assert write_new(store, path="a.md", base=OLD) == (Written.UPDATED, "a.md")
    assert path.read_bytes() == (before + new + after).encode()


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_are_no_edit_and_stay(end: str, store: Store) -> None:
    path = put(store, "a.md", render_ticket(OLD).replace("\n", end))

    assert write_new(store, path="a.md", base=OLD) == (Written.UPDATED, "a.md")
    assert path.read_bytes().decode() == render_ticket(NEW).replace("\n", end)


def test_an_edited_ticket_is_kept(store: Store) -> None:
    text = render_ticket(OLD).replace("As it was.", "As I want it.")
    path = put(store, "a.md", text)

    result = store.write(NEW, render_ticket(NEW), path="a.md", bases=[render_ticket(OLD)])

    assert (result.outcome, result.reason) == (Written.KEPT, "it was edited here")
    assert path.read_text() == text


def test_a_draft_sub_task_added_to_a_ticket_is_an_edit(store: Store) -> None:
    path = put(store, "a.md", render_ticket(OLD) + "\n## Tasks\n- Something to do\n")

    assert write_new(store, path="a.md", base=OLD)[0] is Written.KEPT
    assert "Something to do" in path.read_text()


def test_a_file_that_equals_jiras_version_is_taken_as_it_is(store: Store) -> None:
    path = put(store, "a.md", render_ticket(NEW))
    stamp = path.stat()

    assert write_new(store, path="a.md", base=OLD) == (Written.UNCHANGED, "a.md")
    assert path.stat() == stamp


def test_without_a_base_an_equal_ticket_is_adopted_and_another_one_kept(store: Store) -> None:
    put(store, "same.md", render_ticket(NEW).replace("\n", "\r\n"))
    assert write_new(store, path="same.md", base=None) == (Written.UNCHANGED, "same.md")

    put(store, "other.md", render_ticket(OLD))
    assert write_new(store, path="other.md", base=None) == (Written.KEPT, "other.md")
    assert (store.root / "other.md").read_text() == render_ticket(OLD)


def test_a_file_in_the_way_of_a_new_ticket_is_kept(store: Store) -> None:
    path = put(store, "DEMO-1.md", "My notes.\n")

    result = store.write(NEW, render_ticket(NEW), path=None, bases=[])

    assert (result.outcome, result.reason) == (Written.KEPT, "the file holds something else")
    assert path.read_text() == "My notes.\n"


def test_an_empty_file_in_the_way_is_filled(store: Store) -> None:
    put(store, "DEMO-1.md", "")

    assert write_new(store, path=None, base=None) == (Written.NEW, "DEMO-1.md")


def test_a_link_out_of_the_workspace_is_not_followed(store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text(render_ticket(OLD))
    (store.root / "a.md").symlink_to(outside)

    assert files(store) == []
    assert write_new(store, path="a.md", base=OLD) == (Written.KEPT, "a.md")
    assert outside.read_text() == render_ticket(OLD)


def test_a_link_inside_the_workspace_stays_a_link(store: Store) -> None:
    put(store, "real.md", render_ticket(OLD))
    link = store.root / "a.md"
    link.symlink_to("real.md")

    assert write_new(store, path="a.md", base=OLD) == (Written.UPDATED, "a.md")
    assert link.is_symlink()
    assert (store.root / "real.md").read_text() == render_ticket(NEW)


def test_a_files_mode_is_kept_and_a_new_one_follows_the_umask(store: Store) -> None:
    path = put(store, "a.md", render_ticket(OLD))
    path.chmod(0o640)

    write_new(store, path="a.md", base=OLD)

    assert path.stat().st_mode & 0o777 == 0o640
    store.write(NEW, render_ticket(NEW), path="b.md", bases=[])
    put(store, "plain.md", "x")
    expected = (store.root / "plain.md").stat().st_mode
    assert (store.root / "b.md").stat().st_mode == expected


@pytest.mark.parametrize("key", ["../../x", "DEMO-1/../x", "demo-1", "", None])
def test_a_key_that_is_none_never_becomes_a_path(store: Store, key: str | None) -> None:
    with pytest.raises(InvalidKey):
        store.write(Ticket(title="x", key=key), "# TICKET: x\n", path=None, bases=[])

    assert list(store.root.glob("**/*.md")) == []


def test_tickets_are_found_in_every_folder_but_hidden_ones(store: Store) -> None:
    task = Ticket(title="Part", key="DEMO-2")
    whole = Ticket(title="Whole", key="DEMO-1", tasks=(task, Ticket(title="draft")))
    put(store, "b/deep/a.md", render_ticket(whole) + "\n" + render_ticket(Ticket(title="draft")))
    put(store, "c.md", render_ticket(Ticket(title="Other", key="DEMO-3")))
    put(store, ".git/x.md", render_ticket(whole))
    put(store, "notes.txt", render_ticket(whole))

    assert store.places(files(store)) == [
        ("DEMO-3", Place("c.md", "DEMO-3")),
        ("DEMO-1", Place("b/deep/a.md", "DEMO-1")),
        ("DEMO-2", Place("b/deep/a.md", "DEMO-1")),
    ]


def test_only_regular_files_are_read(store: Store) -> None:
    os.mkfifo(store.root / "pipe.md")
    (store.root / "loop.md").symlink_to("loop.md")
    (store.root / "dangling.md").symlink_to("nowhere.md")
    (store.root / "folder.md").mkdir()

    assert files(store) == []
    with pytest.raises(FileFailed, match=r"pipe\.md: something that is no file"):
        write_new(store, path="pipe.md", base=OLD)


def test_the_walk_goes_folder_by_folder_so_that_a_cancel_need_not_wait_for_all(
    store: Store,
) -> None:
    for name in ("a", "b", "c"):
        (store.root / name).mkdir()
    kept = put(store, "c/x.md", "")

    walk = store.walk()

    assert [next(walk) for _ in range(4)] == [[], [], [], [kept]]


@pytest.mark.parametrize(
    "data", [b"```\nnever closed\n", b"<<<<<<< HEAD\n", b"caf\xe9 and its TICKET\n"]
)
def test_markdown_without_a_ticket_may_hold_what_it_likes(data: bytes, store: Store) -> None:
    (store.root / "README.md").write_bytes(data)

    assert store.places(files(store)) == []


def test_tickets_in_utf_16_are_not_overlooked(store: Store) -> None:
    (store.root / "a.md").write_bytes(render_ticket(OLD).encode("utf-16"))

    with pytest.raises(FileFailed, match="line 1 is not UTF-8"):
        store.places(files(store))


def test_what_a_killed_writer_left_goes(store: Store) -> None:
    left = put(store, ".ticketr-tmp-abc", "half")

    assert files(store) == []
    assert not left.exists()


def test_a_file_that_is_not_utf_8_is_named_with_its_line(store: Store) -> None:
    (store.root / "a.md").write_bytes(b"fine\n# TICKET: \xff\n")

    with pytest.raises(FileFailed, match=r"cannot read .*a\.md: line 2 is not UTF-8"):
        store.places(files(store))


def test_a_broken_file_is_named_by_its_path_in_the_workspace(store: Store) -> None:
    put(store, "sprint/a.md", "#TICKET: x\n")

    with pytest.raises(TicketSyntaxError, match=r"sprint/a\.md:1:1"):
        store.places(files(store))


def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(FileFailed, match=r"cannot write into .*file/x: Not a directory"):
        Store(tmp_path / "file" / "x", ".ticketr").prepare()


def test_a_file_whose_name_is_as_long_as_names_may_be_is_rewritten(store: Store) -> None:
    name = "n" * 252 + ".md"
    put(store, name, render_ticket(OLD))

    assert write_new(store, path=name, base=OLD) == (Written.UPDATED, name)


def test_a_write_that_fails_leaves_the_file_whole_and_nothing_beside_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(store, "a.md", render_ticket(OLD))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FileFailed, match=r"cannot write .*a\.md: No space left on device"):
        write_new(store, path="a.md", base=OLD)

    assert path.read_text() == render_ticket(OLD)
    assert sorted(each.name for each in store.root.iterdir()) == [".ticketr", "a.md"]


def test_only_one_holds_the_workspace_and_the_error_names_it(store: Store) -> None:
    with (
        store.lock(),
        pytest.raises(WorkspaceBusy, match=rf"by process {os.getpid()}; wait"),
        Store(store.root, ".ticketr").lock(),
    ):
        pass

    with store.lock():
        pass


def test_a_killed_process_holds_nothing(store: Store) -> None:
    program = (
        "import sys, time; from pathlib import Path; from ticketr.sync.store import Store\n"
        "with Store(Path(sys.argv[1]), '.ticketr').lock():\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(store.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(WorkspaceBusy, match=str(process.pid)), store.lock():
            pass
        process.send_signal(signal.SIGKILL)
        process.wait(20)

    with store.lock():
        pass
