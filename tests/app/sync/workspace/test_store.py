"""The files of a workspace: which are read, what stops one, and where keys are found."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.frozen import frozen
from fakes.pulls import Bench
from fakes.stores import files, put
from fakes.unlisted import forbid_folder
from rows import for_each

from ticketr.app.jira import Issue
from ticketr.app.sync import (
    DuplicateKey,
    FileFailed,
    FirstConflictMarker,
    State,
    Store,
    WorkspaceBusy,
    find_conflict_marker,
    first_marker_per_file,
    take_survey,
)
from ticketr.app.sync.state.state import IssueRow, MergeBase
from ticketr.app.sync.workspace.files import FileChanged, replace_file, stamp_of
from ticketr.app.sync.workspace.store import (
    TicketLocation,
    broken_file_or_folder_of,
    find_possible_keys,
    notes_on,
)
from ticketr.app.tickets import Ticket, render_ticket


def test_the_folder_of_its_own_ignores_itself_in_git(store: Store) -> None:
    assert (store.own / ".gitignore").read_text() == "*\n"


def locations(store: Store) -> list[tuple[str, TicketLocation]]:
    pairs = [(name, ticket) for name in files(store) for ticket in store.read_tickets(name)]
    return [
        (key, TicketLocation(name, ticket.key or ""))
        for name, ticket in pairs
        for key in ticket.keys()  # noqa: SIM118 - no mapping
    ]


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

    assert store.read_bytes("cmdline") == Path("/proc/self/cmdline").read_bytes()


@pytest.mark.parametrize(
    "data", [b"```\nnever closed\n", b"<<<<<<< HEAD\n", b"caf\xe9 and its TICKET\n"]
)
def test_markdown_without_a_ticket_may_hold_what_it_likes(data: bytes, store: Store) -> None:
    (store.root / "README.md").write_bytes(data)

    assert locations(store) == []


def test_what_a_killed_writer_left_goes(store: Store) -> None:
    left = put(store, ".ticketr-tmp-abc", "half")
    store.make_state_folder()

    with store.lock():
        assert files(store) == []

    assert not left.exists()


def test_what_a_thread_of_this_process_writes_just_now_is_left_to_it(store: Store) -> None:
    half = put(store, f".ticketr-tmp-{os.getpid()}-1", "half")
    store.make_state_folder()

    with store.lock():
        assert files(store) == []

    assert half.exists()


def test_what_another_process_writes_just_now_is_left_to_it(store: Store) -> None:
    half = put(store, ".ticketr-tmp-abc", "half")

    assert files(store) == []

    assert half.exists()


def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(FileFailed, match=r"cannot write into .*file/x: Not a directory"):
        Store(tmp_path / "file" / "x", ".ticketr").make_state_folder()


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
        process.wait()

    with store.lock():
        pass


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

    assert error.concerns_one_file
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

    assert [each.concerns_one_file for each in (below, deeper, above, missing)] == [
        True,
        True,
        False,
        False,
    ]
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

    assert error.concerns_one_file
    assert error.reason == "File too large"
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_too_long_concerns_itself_alone(tmp_path: Path) -> None:
    error = replace(tmp_path, "n" * 300)

    assert error.concerns_one_file
    assert error.reason == "File name too long"
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    root = tmp_path / "gone"

    error = replace(root, "sub/a.md")

    assert not error.concerns_one_file
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


BROKEN = "# TICKET: [DEMO-1] One\n<<<<<<< HEAD\n\n## Tasks\n- [DEMO-2] Two\n"


def record(state: State, key: str, path: str, *, head: str = "") -> None:
    number = key.rpartition("-")[2]
    row = IssueRow(Issue(number, key, {}))
    rows = [*(state.rows_of(head) if head else []), row]
    state.record(head or number, MergeBase(path, f"# TICKET: [{key}] x\n"), rows, seen=0.0)


@pytest.mark.parametrize("good", ["0.md", "z.md"])
def test_a_ticket_in_a_broken_file_alone_is_stopped(store: Store, state: State, good: str) -> None:
    put(store, "a.md", BROKEN)
    put(store, good, "# TICKET: [DEMO-1] One\n\n# TICKET: [DEMO-3] Three\n")

    survey = take_survey(store, state)

    assert not any(each.change_refusal for each in survey.locations.values())
    assert set(survey.locations_of_unread_keys) == {"DEMO-2"}
    assert set(survey.broken) == {"a.md"}


@pytest.mark.parametrize("good", ["0.md", "z.md"])
def test_a_copy_of_a_ticket_whose_own_file_is_broken_is_stopped(
    store: Store, state: State, good: str
) -> None:
    record(state, "DEMO-1", "a.md")
    record(state, "DEMO-3", "a.md")
    put(store, "a.md", BROKEN)
    put(store, good, "# TICKET: [DEMO-1] One\n\n# TICKET: [DEMO-3] Three\n")

    survey = take_survey(store, state)

    assert {key for key, each in survey.locations.items() if each.change_refusal} == {"DEMO-1"}
    assert set(survey.locations_of_unread_keys) == {"DEMO-2"}
    assert str(survey.broken[good]) == f"DEMO-1 is in a.md and in {good}; keep one of them"


def test_a_copied_file_is_one_error_that_counts_its_keys(store: Store, state: State) -> None:
    text = "".join(f"# TICKET: [DEMO-{number}] x\n\n" for number in (1, 2, 3))
    put(store, "a.md", text)
    put(store, "b.md", text)

    survey = take_survey(store, state)

    error = survey.broken["b.md"]
    assert isinstance(error, DuplicateKey)
    assert (error.key, error.more_keys) == ("DEMO-1", ("DEMO-2", "DEMO-3"))
    words = "DEMO-1 and 2 more keys are in a.md and in b.md; keep one of them"
    assert [(note.key, note.reason) for note in notes_on(survey.broken)] == [("DEMO-1", words)]
    assert all(each.change_refusal for each in survey.locations.values())


def test_the_tickets_of_a_folder_that_cannot_be_listed_are_in_it(
    store: Store, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(state, "DEMO-1", "sprint/a.md")
    record(state, "DEMO-3", "gone/b.md")
    put(store, "sprint/a.md", "# TICKET: [DEMO-1] x\n")
    put(store, "other/b.md", "# TICKET: [DEMO-4] x\n")
    forbid_folder(monkeypatch, store.root / "sprint")
    forbid_folder(monkeypatch, store.root / "other")

    survey = take_survey(store, state)

    assert (survey.locations, set(survey.locations_of_unread_keys)) == ({}, {"DEMO-1"})
    folder = store.root / "sprint"
    reason = f"cannot read {folder}: {os.strerror(13)}; let your account read it, or move it away"
    assert {path: str(error) for path, error in survey.broken.items()} == {"sprint": reason}
    assert survey.locations_of_unread_keys["DEMO-1"].change_refusal == reason


HEADING = b"# TICKET: [DEMO-1] A\n"


def test_the_first_marker_of_a_ticket_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(HEADING + b"\r\n<<<<<<< here\r\n=======\r\n>>>>>>> Jira\r\n")
    (tmp_path / "b.md").write_bytes(HEADING + b"\n\\<<<<<<< words\n")
    (tmp_path / "c.md").write_bytes(b"<<<<<<< of something else\n")

    assert [*first_marker_per_file(Store(tmp_path, ".ticketr"))] == [FirstConflictMarker("a.md", 3)]


def test_what_cannot_be_read_holds_none_as_far_as_we_know(tmp_path: Path) -> None:
    (tmp_path / "latin.md").write_bytes(HEADING + b"\n<<<<<<< h\xe9\n")
    (tmp_path / "folder.md").mkdir()
    store = Store(tmp_path, ".ticketr")

    found = [find_conflict_marker(store, name) for name in ("latin.md", "folder.md", "none.md")]

    assert found == [None, None, None]


def test_a_named_pipe_in_a_tickets_place_holds_up_no_search(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ABC-1.md")
    (tmp_path / "b.md").write_bytes(HEADING + b"\n<<<<<<< here\n")

    assert [*first_marker_per_file(Store(tmp_path, ".ticketr"))] == [FirstConflictMarker("b.md", 3)]


TICKET = "# TICKET: [DEMO-1] One\n\n## Tasks\n- [DEMO-2] Two\n"


def possible(text: str | bytes) -> set[str]:
    data = text if isinstance(text, bytes) else text.encode()
    return set(find_possible_keys("a.md", data))


@for_each(
    "data",
    [
        TICKET.encode(),
        TICKET.encode("utf-8-sig"),
        TICKET.encode("utf-16"),
        TICKET.encode("utf-32"),
        f"{TICKET}é".encode("latin-1"),
        TICKET.replace("\n", "\r\n").encode(),
        TICKET.replace("\n", "\r").encode(),
        f"<<<<<<< HEAD\n{TICKET}=======\n{TICKET}>>>>>>> main\n".encode(),
    ],
)
def test_the_keys_of_tickets_and_their_tasks_are_found_in_any_encoding(data: bytes) -> None:
    assert possible(data) == {"DEMO-1", "DEMO-2"}


@for_each(
    "line",
    [
        "# STORY: [DEMO-1] One",
        "#TICKET: [DEMO-1] One",
        "  # TICKET: [DEMO-1] One",
        "## TICKET [DEMO-1] One",
        "# TICKET: [demo-1] One",
        "# TICKET: [[DEMO-1]] One",
        "# TICKET: **[DEMO-1]** One",
        "# TICKET: DEMO-1] One",
        "# TICKET: DEMO-1 One",
        "# TICKET: [DEMO-001] One",
        "# TICKET: [DEMO\u20131] One",
    ],
)
def test_a_mistyped_heading_holds_the_key_that_was_meant(line: str) -> None:
    assert possible(f"{line}\n") == {"DEMO-1"}


@pytest.mark.parametrize(
    "text",
    [
        "- [ ] [demo-1] One",
        "See [DEMO-1].",
        "- as in DEMO-1",
        "- DEMO-1 is first",
        "- _DEMO-1 is first_",
        "- [DEMO-1](https://site.example/browse/DEMO-1) is first",
        "- [**DEMO-1**](https://site.example/browse/DEMO-1)",
        "\\# TICKET: [DEMO-1] x",
    ],
)
def test_a_file_may_hold_what_it_only_names(text: str) -> None:
    assert possible(text) == {"DEMO-1"}


def test_a_file_may_hold_the_ticket_of_its_name() -> None:
    assert find_possible_keys("sprint/DEMO-7.md", b"") == {"DEMO-7"}


def test_a_broken_folder_breaks_the_files_in_it() -> None:
    assert broken_file_or_folder_of("a/b/c.md", {"a/b"}) == "a/b"
    assert broken_file_or_folder_of("a/b/c.md", {"a/b/c.md", "a"}) == "a/b/c.md"
    assert broken_file_or_folder_of("c.md", {"."}) == "."
    assert broken_file_or_folder_of("ab/c.md", {"a"}) is None


async def test_the_keys_of_files_that_nobody_has_edited_are_those_that_parsing_finds(
    bench: Bench,
) -> None:
    await bench.pull()
    bench.path("DEMO-2").write_bytes(bench.text("DEMO-2").replace("\n", "\r\n").encode())
    bench.retitles("DEMO-1", "Mine")
    bench.edits("DEMO-3", "[DEMO-4] ", "")
    bench.path("more").write_text(f"{bench.text('DEMO-9')}\n# TICKET: [DEMO-99] Another\n")
    bench.path("DEMO-9").unlink()

    with bench.state() as state:
        survey = take_survey(bench.store, state)

    assert survey.locations == dict(locations(bench.store))
    assert survey.locations.keys() == {f"DEMO-{number}" for number in (1, 2, 3, *range(5, 13), 99)}
    assert survey.broken.keys() == {"DEMO-3.md"}  # for its draft
