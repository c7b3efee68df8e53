"""Make a clone of a hostile git repository, and a user's files around it."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

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
