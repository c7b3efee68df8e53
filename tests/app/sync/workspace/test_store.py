from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.stores import files, put

from ticketr.app.sync.concurrency import CHUNK
from ticketr.app.sync.errors import FileFailed, WorkspaceBusy
from ticketr.app.sync.workspace.files import stamp_of
from ticketr.app.sync.workspace.store import Store, TicketLocation
from ticketr.app.tickets import Ticket, render_ticket


def test_the_folder_of_its_own_ignores_itself_in_git(store: Store) -> None:
    assert (store.own / ".gitignore").read_text() == "*\n"


def locations(store: Store) -> list[tuple[str, TicketLocation]]:
    return [each for path in files(store) for each in store.locations(store.name_of(path))]


def test_tickets_are_found_in_every_folder_but_hidden_ones(store: Store) -> None:
    task = Ticket(title="Part", key="DEMO-2")
    whole = Ticket(title="Whole", key="DEMO-1", tasks=(task, Ticket(title="draft")))
    put(store, "b/deep/a.md", render_ticket(whole) + "\n" + render_ticket(Ticket(title="draft")))
    put(store, "c.md", render_ticket(Ticket(title="Other", key="DEMO-3")))
    put(store, ".git/x.md", render_ticket(whole))
    put(store, "notes.txt", render_ticket(whole))

    assert locations(store) == [
        ("DEMO-3", TicketLocation("c.md", "DEMO-3")),
        ("DEMO-1", TicketLocation("b/deep/a.md", "DEMO-1")),
        ("DEMO-2", TicketLocation("b/deep/a.md", "DEMO-1")),
    ]


def test_only_regular_files_are_read(store: Store) -> None:
    os.mkfifo(store.root / "pipe.md")
    (store.root / "loop.md").symlink_to("loop.md")
    (store.root / "dangling.md").symlink_to("nowhere.md")
    (store.root / "folder.md").mkdir()

    assert files(store) == []
    with pytest.raises(FileFailed, match=r"pipe\.md: something that is not a file"):
        stamp_of(str(store.root / "pipe.md"))


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has /proc, whose files have no size"
)
def test_a_file_that_is_longer_than_the_system_says_is_read_to_its_end() -> None:
    store = Store(Path("/proc/self"), ".ticketr")

    assert store.content("cmdline") == Path("/proc/self/cmdline").read_bytes()


@pytest.mark.parametrize(
    "data", [b"```\nnever closed\n", b"<<<<<<< HEAD\n", b"caf\xe9 and its TICKET\n"]
)
def test_markdown_without_a_ticket_may_hold_what_it_likes(data: bytes, store: Store) -> None:
    (store.root / "README.md").write_bytes(data)

    assert locations(store) == []


def test_what_a_killed_writer_left_goes(store: Store) -> None:
    left = put(store, ".ticketr-tmp-abc", "half")
    store.prepare()

    with store.lock():
        assert files(store) == []

    assert not left.exists()


def test_what_another_process_writes_just_now_is_left_to_it(store: Store) -> None:
    half = put(store, ".ticketr-tmp-abc", "half")

    assert files(store) == []

    assert half.exists()


def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(FileFailed, match=r"cannot write into .*file/x: Not a directory"):
        Store(tmp_path / "file" / "x", ".ticketr").prepare()


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
        "import sys, time; from pathlib import Path; from ticketr.app.sync.workspace.store import Store\n"
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
