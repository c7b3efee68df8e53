"""Bad input, failing disks and servers: a clear message, the right exit code, no loss."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from fakes.pulls import Bench, Recorder
from fakes.users import User
from trio.testing import MockClock

from jira_sandbox import Site, create_app, make_site
from ticketr import JobFailed
from ticketr.app.jira.transport import Request, Response
from ticketr.app.tickets import parse


@pytest.fixture
def someone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> User:
    return User(tmp_path / "work", make_site(tickets=12, seed=1), monkeypatch, capsys)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Priority: Hihg", 'Priority: "Hihg" is not possible: did you mean High?'),
        ("Priority: 3", 'Priority: "3" is not possible: there is High, Highest, Low, Lowest'),
        ("Assigned: Zoë Åkesson", "Assigned: there is no such field here; did you mean Assignee?"),
        ("Assignee: Zoe", 'Assignee: nobody called "Zoe" can be chosen'),
        ("Type: Storry", 'Type: "Storry" is not possible: did you mean Story?'),
        ("Components: Shop fronts", '"Shop fronts" is not possible: did you mean Shop front?'),
        ("Sprint: Nowhere", 'Sprint: "Nowhere" is the sprint of no ticket here'),
        ("Story Points: many", 'Story Points: "many" is not a number'),
        ("Labels: two words", '"two words" has a space in it, which Jira allows in no label'),
        ("Parent: the epic", 'Parent: "the epic" is not a key like PROJ-123'),
        ("Status:", "Status: every ticket has one; write it, or remove the line"),
    ],
)
def test_a_wrong_value_is_named_with_similar_ones_and_the_rest_is_pushed(
    someone: User, line: str, words: str
) -> None:
    someone.runs("pull")
    name = line.partition(":")[0]
    text = "".join(
        each
        for each in someone.files()["DEMO-9.md"].splitlines(keepends=True)
        if not each.startswith(f"{name}:")
    )
    someone.writes("DEMO-9.md", text.replace("## Fields\n", f"## Fields\n{line}\n"))
    someone.writes("good.md", "# TICKET: Right\n")
    before = someone.files()["DEMO-9.md"]

    told = someone.runs("push")

    assert told.code == 3
    assert f"failed: DEMO-9 (DEMO-9.md): {name}: " in told.err
    assert words in told.err
    assert "1 created (DEMO-13), 0 updated" in told.err
    assert someone.files()["DEMO-9.md"] == before


class Expiring(Recorder):
    """A transport whose token is accepted for some requests and then refused."""

    def __init__(self, site: Site, left: int) -> None:
        super().__init__(create_app(site))
        self.left = left

    async def send(self, request: Request) -> Response:
        self.left -= 1
        if self.left < 0:
            return Response(401, {}, b"", request.url)
        return await super().send(request)


@pytest.mark.unmeasured
@pytest.mark.parametrize("left", range(16))
async def test_a_token_that_expires_on_the_way_loses_nothing_and_doubles_nothing(
    tmp_path: Path, autojump_clock: MockClock, left: int
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path / "work")
    await bench.pull()
    for key in ("DEMO-1", "DEMO-2", "DEMO-3"):
        path = bench.root / f"{key}.md"
        path.write_text(path.read_text().replace(f"[{key}] ", f"[{key}] Mine: ", 1))
    (bench.root / "new.md").write_text("# TICKET: New\n\n## Tasks\n- One\n- Two\n")
    transport = Expiring(bench.site, left)

    with suppress(JobFailed):
        await bench.sync(transport=transport)

    await bench.sync()
    assert len(bench.site) == len(bench.keys()) == 15
    mine = {issue.key for issue in bench.site if issue.summary.startswith("Mine: ")}
    assert mine == {"DEMO-1", "DEMO-2", "DEMO-3"}
    assert (await bench.sync()).push.total == 0


def mount(*arguments: str) -> None:
    ended = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if ended.returncode:
        pytest.skip(f"this user cannot mount: {ended.stderr.strip()}")


@contextmanager
def mounted(folder: Path, *arguments: str) -> Generator[None]:
    """Mount something on a folder; no process may be in it at the end."""
    folder.mkdir(exist_ok=True)
    mount(*arguments, str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_folder_that_cannot_be_written_can_still_be_looked_at(
    someone: User, tmp_path: Path
) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    before, folder = someone.files(), tmp_path / "read-only"

    with mounted(folder, "--bind", str(someone.root)):
        mount("-o", "remount,ro,bind", str(folder))
        at = ("-C", str(folder))
        looks = [someone.runs(each, *at) for each in ("status", "diff", "jobs", "resolve")]
        works = [someone.runs(each, *at) for each in ("pull", "push", "sync")]
        drafted = someone.runs("new", *at, "A")

    assert [told.code for told in looks] == [0, 0, 0, 0]
    assert looks[0].out == "edited    DEMO-9 (DEMO-9.md): Title\n"
    assert "+# TICKET: [DEMO-9] Mine\n" in looks[1].out
    assert "Pull DEMO: Pull complete: 12 tickets\n" in looks[2].out
    assert [told.code for told in (*works, drafted)] == [1, 1, 1, 1]
    for told in (*works, drafted):
        assert f" {folder}" in told.err
        assert "Read-only file system; let your account write there" in told.err
    assert someone.files() == before
    assert someone.runs("push").code == 0


@pytest.mark.unmeasured
def test_a_full_disk_is_reported_and_the_next_run_goes_on_when_there_is_room(
    someone: User, tmp_path: Path
) -> None:
    someone.site = make_site(tickets=300, seed=1)
    folder = tmp_path / "small"

    with mounted(folder, "-t", "tmpfs", "-o", "size=600k", "tmpfs"):
        draft = folder / "mine.md"
        draft.write_text("# TICKET: My own\n")
        full = someone.runs("pull", "-C", str(folder))
        some = [parse(path.read_text()) for path in folder.glob("*.md")]
        mount("-o", "remount,size=30m", str(folder))
        done = someone.runs("pull", "-C", str(folder))
        sent = someone.runs("push", "-C", str(folder))
        keys = [
            key
            for path in folder.glob("*.md")
            for ticket in parse(path.read_text()).tickets
            for key in ticket.keys()  # noqa: SIM118 - a ticket is not a mapping
        ]

    assert full.code == 1
    last = next(line for line in full.err.splitlines() if line.startswith("Pull failed: "))
    assert str(folder) in last
    assert "no space left" in last.lower()
    assert "move it away" not in last
    assert 1 < len(some) < 100
    assert (done.code, sent.code) == (0, 0)
    assert len(keys) == len({*keys}) == len(someone.site) == 301


def test_a_disk_without_room_for_the_state_file_is_called_full(
    someone: User, tmp_path: Path
) -> None:
    folder = tmp_path / "small"

    for size in range(24, 300, 24):
        with mounted(folder, "-t", "tmpfs", "-o", f"size={size}k", "tmpfs"):
            told = someone.runs("pull", "-C", str(folder))
        if told.code == 0:
            break
        problem = next(line for line in told.err.splitlines() if line.startswith("Pull failed: "))
        assert "no space left" in problem.lower(), (size, problem)


def test_a_draft_for_which_there_is_no_room_leaves_no_empty_file(
    someone: User, tmp_path: Path
) -> None:
    folder = tmp_path / "small"

    with mounted(folder, "-t", "tmpfs", "-o", "size=64k", "tmpfs"):
        (folder / "filling").write_bytes(bytes(64 * 1024))
        told = someone.runs("new", "-C", str(folder), "A")
        left = [path.name for path in folder.iterdir()]

    assert told.code == 1
    assert f"cannot write {folder / 'a.md'}: No space left on device" in told.err
    assert left == ["filling"]
