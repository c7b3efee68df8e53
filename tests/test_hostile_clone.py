"""Use a clone of a hostile git repository: nothing outside changes, runs or is sent."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import pytest
from fakes.attachments import attach
from fakes.processes import LONG, environment, ticketr
from fakes.pulls import URL
from fakes.users import User

from jira_sandbox import make_site
from ticketr.app.config import state_folder
from ticketr.app.config.state_folder import refuse_wrong_file_kind
from ticketr.app.sync import FileFailed, Store
from ticketr.app.sync.workspace.editor import FileEditor
from ticketr.app.tickets import parse

CANARY = "canary of the user's own file\n"
#: Names beside an SQLite file that SQLite itself opens.
BESIDE = ("", "-wal", "-shm", "-journal")
#: Every file in ticketr's own folder that some command opens.
OWN_FILES = (
    "lock",
    ".gitignore",
    *(f"{base}{end}" for base in ("state.db", "history.db", "demo.db") for end in BESIDE),
)
#: Modules that the program or a process that it starts would import from the current folder.
MODULES = (
    *("random", "json", "sqlite3", "secrets", "hmac", "ssl", "logging", "sitecustomize"),
    *("trio", "click", "httpx", "starlette", "hypercorn", "lark", "yaml", "tomlkit"),
    *("keyring", "platformdirs", "blessed", "wcwidth", "marklas", "markdown_it", "ticketr"),
)


@dataclass(frozen=True)
class World:
    """A clone and everything around it that must not change.

    Attributes:
        clone: The clone.
        outside: A folder of the user's own files.
        ran: The file that hostile code would write.
    """

    clone: Path
    outside: Path
    ran: Path

    @property
    def bashrc(self) -> Path:
        """Return a file of the user's own that links in the clone point to."""
        return self.outside / "bashrc"

    @property
    def folder(self) -> Path:
        """Return a folder of the user's own that links in the clone point to."""
        return self.outside / "folder"

    def look(self) -> dict[str, tuple[int, str]]:
        """Return every file outside of the clone, with its kind and content."""
        return look(self.outside)


def look(folder: Path) -> dict[str, tuple[int, str]]:
    """Return every file below a folder, with its kind and content."""
    return dict(sorted(_looked(folder)))


def make_world(root: Path) -> World:
    """Make a user's own files, and an empty clone beside them."""
    world = World(root / "clone", root / "outside", root / "outside" / "ran")
    for folder in (world.clone, world.outside, world.folder):
        folder.mkdir(parents=True)
    world.bashrc.write_text(CANARY)
    (world.folder / "own.md").write_text(CANARY)
    with closing(sqlite3.connect(world.outside / "own.db")) as database:
        database.execute("CREATE TABLE own (value)")
        database.commit()
    return world


def put_modules(world: World) -> None:
    """Put modules into the clone that write a file when imported."""
    code = f"import os\nos.close(os.open({str(world.ran)!r}, os.O_CREAT | os.O_WRONLY))\n"
    for name in MODULES:
        (world.clone / f"{name}.py").write_text(code)


def put_tickets(world: World) -> None:
    """Put every kind of file into the clone, under names of ticket files."""
    clone = world.clone
    (clone / "DEMO-1.md").symlink_to(world.folder / "own.md")
    (clone / "DEMO-2.md").symlink_to("../outside/new.md")
    (clone / "DEMO-3.md").mkdir()
    (clone / "DEMO-3.md" / "DEMO-4.md").symlink_to("../../outside/bashrc")
    (clone / "DEMO-5.md").symlink_to("DEMO-5.md")
    (clone / "DEMO-6.md").write_text("# TICKET: [DEMO-6] Written by somebody else\n")
    (clone / "DEMO-7.md").symlink_to("/dev/zero")
    (clone / "sub").symlink_to(world.folder)
    (clone / "up").symlink_to("..")
    (clone / ".ticketr-tmp-1").symlink_to(world.bashrc)
    for name in (b"-rf.md", b"a\nb.md", b"\x1b]0;x\x07.md", b"caf\xe9.md", b"a\\b.md", b"%2e.md"):
        path = os.path.join(os.fsencode(clone), name)  # noqa: PTH118 - bytes
        with open(path, "w") as file:  # noqa: PTH123 - likewise
            file.write("Notes.\n")


def put_links_into_git(world: World) -> None:
    """Put links into the clone that lead into ``.git``, and a configuration that runs a program.

    With a file ``.git/commondir`` that names ``evil``, git would take its configuration from there.
    """
    clone = world.clone
    (clone / "attachments").mkdir()
    for name in ("attachments/DEMO-1", "attachments/DEMO-2", "sub", "deep"):
        where = clone / name
        where.symlink_to(os.path.relpath(clone / ".git", where.parent))
    (clone / "ticketr.toml").symlink_to(".git/config")
    (clone / "DEMO-3.md").symlink_to(".git/description")
    for name in ("objects", "refs"):
        (clone / "evil" / name).mkdir(parents=True)
        (clone / "evil" / name / "keep").touch()
    (clone / "evil" / "config").write_text(
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n"
        f'\tfsmonitor = "touch {world.ran}; false"\n'
    )


def put_state(world: World, state: str) -> None:
    """Put the state folder of another user's workspace into the clone.

    Args:
        world: The clone and all around it.
        state: The SQL of a state file.
    """
    own = world.clone / ".ticketr"
    (own / "trash").mkdir(parents=True)
    (own / "logs").symlink_to(world.folder)
    (own / "trash" / "DEMO-6.md").symlink_to(world.outside / "new")
    (own / ".gitignore").write_text("")
    (own / "lock").write_text("1\n")
    with closing(sqlite3.connect(own / "state.db")) as database:
        database.executescript(state)
        edited = "# TICKET: [DEMO-6] As it is in Jira\n"
        database.execute("INSERT INTO ticket VALUES ('10006', 'DEMO-6.md', ?)", (edited,))
        database.commit()
    with closing(sqlite3.connect(own / "history.db")) as database:
        database.executescript(
            "CREATE VIEW jobs AS"
            " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
        )


def carried_by_git(clone: Path, tmp: Path) -> Path:
    """Commit a folder by force and clone it, as a user would."""
    inside = ["-C", str(clone), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for words in (
        ["init", "-q", str(clone)],
        [*inside, "add", "-f", "."],
        [*inside, "commit", "-qm", "x"],
        ["clone", "-q", str(clone), str(tmp)],
    ):
        subprocess.run(["git", *words], capture_output=True, check=True)
    return tmp


def _looked(folder: Path) -> Iterator[tuple[str, tuple[int, str]]]:
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        held = ""
        if stat.S_ISREG(mode):
            held = hashlib.sha256(path.read_bytes()).hexdigest()
        elif stat.S_ISLNK(mode):
            held = os.readlink(path)  # noqa: PTH115 - text
        yield str(path.relative_to(folder)), (mode, held)


#: A state file that another user made.
OLD_STATE = Path(__file__).parent / "app" / "cli" / "old_workspace" / "state.sql"
#: Every command on a workspace, as given without a terminal.
COMMANDS = (
    ("pull",),
    ("pull", "--full", "--prune"),
    ("push", "--dry-run"),
    ("push", "--yes"),
    ("sync", "--yes", "--strategy", "jira"),
    ("status",),
    ("diff",),
    ("resolve",),
    ("resolve", "--all", "--take", "mine"),
    ("jobs",),
    ("new", "A draft"),
    ("workspace", "check"),
    ("demo", "--tickets", "1", "--folder", "."),
)


@pytest.fixture
def someone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> User:
    """Return a user with an empty folder and a site of twelve issues."""
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
        # Bind a relative path, since the length of a socket's address is limited.
        here = os.open(".", os.O_RDONLY)
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


OTHERS = cycle(KINDS[1:])
#: Each name that ticketr uses, with a link and three of the other kinds in turn; a folder's with all.
ODD = [
    *((name, kind) for name in OWN_FILES for kind in (link_to_file, *islice(OTHERS, 3))),
    *((name, kind) for name in ("trash", "") for kind in KINDS if kind is not folder),
]


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("name", "kind"), ODD, ids=[f"{name or 'itself'}-{kind.__name__}" for name, kind in ODD]
)
def test_a_wrong_kind_of_file_is_not_opened(
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


SETTINGS = [kind for kind in KINDS if kind is not link_to_nothing]  # treated as a missing file


@pytest.mark.parametrize("kind", SETTINGS, ids=[kind.__name__ for kind in SETTINGS])
def test_a_file_of_settings_that_is_none_is_refused_and_nothing_is_asked(
    kind: Callable[[World, Path], None], someone: User, tmp_path: Path
) -> None:
    world = make_world(tmp_path / "world")
    (someone.root / "ticketr.toml").unlink()
    kind(world, someone.root / "ticketr.toml")
    before = world.look()

    told = [(command, someone.runs(*command)) for command in COMMANDS if command[0] != "demo"]

    assert world.look() == before
    assert someone.asked == []
    for command, ended in told:
        assert ended.code in {1, 2}, (command, ended)
        assert "ticketr.toml" in ended.err, (command, ended)
        assert "this should not happen" not in ended.err


#: Runs commands one after another in a process with the imports of the installed program.
DRIVER = """
import contextlib, io, json, sys
from ticketr.app.cli import app
told = []
for words in json.load(sys.stdin):
    sys.argv = ["ticketr", *words]
    said = io.TextIOWrapper(io.BytesIO(), errors="backslashreplace")
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        code = app._run()
        said.flush()
    told.append([words, code, said.buffer.getvalue().decode(errors="replace")])
print(json.dumps(told))
"""
#: Commands that a user may try in a clone, besides `COMMANDS`.
MORE = (
    *(("workspace", word) for word in ("list", "trust")),
    ("workspace", "add", "--email", "mia@example.com"),
    ("push", "--yes", "--folder", "sub"),
    ("completion", "bash"),
    ("--help",),
)


@pytest.mark.unmeasured
@pytest.mark.parametrize("has_state", [False, True])
def test_in_a_clone_nothing_outside_changes_nothing_runs_and_nothing_is_sent(
    has_state: bool, tmp_path: Path
) -> None:
    world = make_world(tmp_path / "made")
    put_modules(world)
    put_tickets(world)
    if has_state:
        put_state(world, OLD_STATE.read_text())
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        site = f"http://127.0.0.1:{canary.getsockname()[1]}"
        (world.clone / "ticketr.toml").write_text(
            f'site = "{site}"\nproject = "DEMO"\n[sync]\nstrategy = "local"\n'
        )
        clone = carried_by_git(world.clone, world.clone.with_name("cloned"))
        before = world.look()

        ended = subprocess.run(
            [sys.executable, "-P", "-c", DRIVER],
            cwd=clone,
            env=environment(TICKETR_CONFIG_DIR=str(tmp_path / "config")),
            input=json.dumps([*COMMANDS, *MORE]),
            capture_output=True,
            text=True,
            timeout=LONG,
            check=False,
        )

        with pytest.raises(BlockingIOError):
            canary.accept()
    assert ended.returncode == 0, ended.stderr
    for words, code, said in json.loads(ended.stdout):
        assert "this should not happen" not in said, (words, said)
        assert "canary of" not in said, (words, said)
        assert code in {0, 1, 2, 3}, (words, said)
    assert world.look() == before
    assert not world.ran.exists()


@pytest.mark.parametrize("has_state", [False, True])
def test_in_a_clone_of_the_users_own_site_jira_stays_as_it_is(
    has_state: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = make_world(tmp_path / "made")
    put_tickets(world)
    if has_state:
        put_state(world, OLD_STATE.read_text())
    (world.clone / "ticketr.toml").write_text(
        f'site = "{URL}"\nproject = "DEMO"\n[sync]\nstrategy = "local"\n'
    )
    clone = carried_by_git(world.clone, world.clone.with_name("cloned"))
    mia = User(clone, make_site(tickets=12, seed=1), monkeypatch, capsys)
    before, issues = world.look(), [repr(each) for each in mia.site]

    told = [mia.runs(*command) for command in COMMANDS if command[0] not in {"demo", "new"}]

    assert [repr(each) for each in mia.site] == issues
    assert world.look() == before
    assert not any("this should not happen" in each.err for each in told)
    if has_state:
        assert mia.asked == []


#: Commands that write into folders, each through a link of the clone into its ``.git``.
THROUGH_LINKS = (
    ("pull",),
    ("attachments", "get", "DEMO-1", "DEMO-2"),
    ("pull", "--full", "--prune"),
    ("new", "A draft"),
    ("undo",),
    ("workspace", "add", "--email", "demo@example.com", "--site", URL),
    ("sync", "--yes", "--strategy", "jira"),
)


@pytest.mark.parametrize("own_settings", [True, False])
def test_nothing_is_written_into_the_git_of_a_clone_so_git_runs_nothing(
    own_settings: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = make_world(tmp_path / "made")
    put_links_into_git(world)
    if own_settings:
        (world.clone / "ticketr.toml").unlink()
        (world.clone / "ticketr.toml").write_text(
            f'site = "{URL}"\nproject = "DEMO"\nattachments = "download"\n'
        )
    clone = carried_by_git(world.clone, world.clone.with_name("cloned"))
    mia = User(clone, make_site(tickets=12, seed=1), monkeypatch, capsys)
    for name in ("commondir", "config", "hooks", "x.md"):
        attach(mia.site, "DEMO-1", name, b"../evil\n")
    before = look(clone / ".git")

    told = [mia.runs(*command) for command in THROUGH_LINKS]
    monkeypatch.chdir(clone / "sub")
    told.append(mia.runs("new", "Another draft"))

    assert look(clone / ".git") == before
    assert not any("this should not happen" in each.err for each in told)
    status = subprocess.run(["git", "status"], cwd=clone, capture_output=True, check=False)
    assert status.returncode == 0, status.stderr
    assert not world.ran.exists()


def test_a_link_that_is_put_there_meanwhile_is_not_followed_either(tmp_path: Path) -> None:
    (tmp_path / "work" / "sub").mkdir(parents=True)
    (tmp_path / "git").mkdir()
    store = Store(tmp_path / "work", ".ticketr")
    editor = FileEditor(store)
    snapshot = editor.snapshot_if_writable("sub/a.md")
    assert snapshot is not None
    (tmp_path / "work" / "sub").rmdir()
    (tmp_path / "work" / "sub").symlink_to("../git")

    with pytest.raises(FileFailed, match="sub is a link, and nothing is written through a link"):
        editor.replace_if_unchanged(snapshot, parse("text"))

    assert list((tmp_path / "git").iterdir()) == []


def test_a_lock_that_becomes_a_link_after_it_was_checked_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, mine = Store(tmp_path / "work", ".ticketr"), tmp_path / "mine"
    store.make_state_folder()
    mine.write_text("mine\n")

    def check_and_replace(path: Path, expected: str) -> None:
        refuse_wrong_file_kind(path, expected)
        if path.name == "lock":
            path.symlink_to(mine)

    monkeypatch.setattr(state_folder, "refuse_wrong_file_kind", check_and_replace)

    with pytest.raises(FileFailed, match="lock"), store.lock():
        raise AssertionError("it is locked")

    assert mine.read_text() == "mine\n"


def test_an_attachment_never_becomes_a_ticket(
    someone: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone.writes("ticketr.toml", 'attachments = "download"\n')
    draft = b"# TICKET: Give mallory admin rights\n"
    for name in (f"{'a' * 197}.md.pdf-of-the-minutes", f"{'b' * 197}.md. x", "c.md", "d.MD"):
        attach(someone.site, "DEMO-1", name, draft)
    assert someone.runs("pull").code == 0
    folder = someone.root / "attachments" / "DEMO-1"
    downloaded = sorted(folder.iterdir())
    assert len(downloaded) == 4
    assert [path.suffix for path in downloaded] == [".txt"] * 4
    issues = len([*someone.site])

    # A file of tickets that came there by another way is none, either.
    (folder / "e.md").write_bytes(draft)
    (folder / "DEMO-99.md").write_bytes(b"# TICKET: [DEMO-99] One\n")
    told = [someone.runs(*words) for words in (("status",), ("list",), ("sync", "--yes"))]

    assert [each.code for each in told] == [0, 0, 0], told
    assert not any("mallory" in each.out or "DEMO-99" in each.out for each in told)
    assert len([*someone.site]) == issues
    monkeypatch.chdir(folder)
    assert someone.runs("new", "A draft").code == 0
    assert (someone.root / "a-draft.md").is_file()


def test_the_process_of_the_demo_imports_nothing_from_the_current_folder(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    put_modules(world)

    ended = ticketr(
        "demo", "--tickets", "1", "--folder", str(tmp_path / "demo"), folder=world.clone
    )

    assert ended.returncode == 0, ended.stderr
    assert not world.ran.exists()
