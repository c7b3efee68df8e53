"""Files that cannot be read or written stop only themselves; a folder is bound to one site."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.frozen import frozen
from fakes.lossy import Meanwhile
from fakes.pulls import CREDENTIALS, Bench
from fakes.unsettled import new
from trio.testing import MockClock

from jira_sandbox import create_app, make_site
from jira_sandbox.data.issue import Issue
from ticketr import JobFailed
from ticketr.app.sync import Code, FileFailed, OtherSite, State
from ticketr.app.tickets import parse

TICKETS = 12


def break_heading(path: Path) -> None:
    path.write_text(f"{path.read_text()}\n# STORY: old\n")


def put_markers(path: Path) -> None:
    first, _, rest = path.read_text().partition("\n")
    path.write_text(f"<<<<<<< HEAD\n{first}\n=======\n{first} too\n>>>>>>> main\n{rest}")


def encode(path: Path) -> None:
    path.write_bytes(path.read_text().encode("utf-16"))


def put_bytes(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\xff\n")


def put_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def open_fence(path: Path) -> None:
    path.write_text(path.read_text().replace("\n", "\n```\n", 1))


TEXT = (break_heading, put_markers, encode, put_bytes, open_fence)
ANY = (*TEXT, put_pipe, put_folder)
CASES = [(name, each) for name in ("all.md", "DEMO-3.md", "DEMO-9.md") for each in ANY]
CASES += [("drafts.md", each) for each in TEXT]


async def fill(root: Path) -> Bench:
    """Make a workspace with tickets in one file and in many, edits, drafts, and changes in Jira."""
    bench = Bench(make_site(tickets=TICKETS, seed=1), root)
    await bench.pull()
    names = ("DEMO-1.md", "DEMO-2.md", "DEMO-6.md")
    texts = [bench.root.joinpath(name).read_text() for name in names]
    for name in names:
        (bench.root / name).unlink()
    (bench.root / "all.md").write_text("\n".join(texts))
    await bench.pull(full=True)
    for key in ("DEMO-3", "DEMO-9"):
        bench.retitles(key, f"Mine {key}")
    all_ = bench.root / "all.md"
    all_.write_text(all_.read_text().replace("# TICKET: [DEMO-1] ", "# TICKET: [DEMO-1] Mine "))
    (bench.root / "drafts.md").write_text("# TICKET: A draft\n\n# TICKET: Another\n")
    for key in ("DEMO-2", "DEMO-6", "DEMO-8"):
        bench.site.edit(key, summary=f"Theirs {key}")
    bench.site.edit("DEMO-9", labels=("theirs",))
    return bench


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Sync a workspace without a broken file."""

    async def synced() -> Bench:
        bench = await fill(tmp_path_factory.mktemp("whole") / "whole")
        await bench.sync(prune=True)
        return bench

    return trio.run(synced, clock=MockClock(autojump_threshold=0))


def texts(bench: Bench, without: str) -> dict[str, str]:
    """Return the files but one, in which new tickets are named by their titles."""
    found: dict[str, str] = {}
    for path in sorted(bench.root.glob("*.md")):
        if path.name != without and path.is_file():
            text = path.read_text()
            for ticket in parse(text).tickets:
                if ticket.key and int(ticket.key.rpartition("-")[2]) > TICKETS:
                    text = text.replace(ticket.key, ticket.title)
            found[path.name] = text
    return found


def issues(bench: Bench, without: set[str]) -> dict[str, tuple[Any, ...]]:
    """Return what Jira has of all tickets but some; new tickets by their titles."""

    def content(issue: Issue) -> tuple[Any, ...]:
        return issue.summary, issue.labels, issue.status.name, json.dumps(issue.description)

    keys = [f"DEMO-{number}" for number in range(1, TICKETS + 3)]
    found = {key: issue for key in keys if (issue := bench.site.find(key))}
    return {
        issue.summary if int(key.rpartition("-")[2]) > TICKETS else key: content(issue)
        for key, issue in found.items()
        if key not in without and issue.summary not in without
    }


def names_in(path: Path) -> set[str]:
    """Return the keys in a file, and the titles of its drafts."""
    found: set[str] = set()
    for ticket in parse(path.read_text()).tickets:
        found |= {ticket.title} if ticket.key is None else set(ticket.keys())
    return found


def written(asked: list[str]) -> list[str]:
    """Return the requests that change something: those with a path of one issue, or a create."""
    return [each for each in asked if each.startswith(("issue/DEMO-", "issue {"))]


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("name", "breaks"), CASES, ids=[f"{name} {each.__name__}" for name, each in CASES]
)
async def test_a_sync_does_the_same_for_all_other_tickets(
    tmp_path: Path,
    autojump_clock: MockClock,
    whole: Bench,
    name: str,
    breaks: Callable[[Path], None],
) -> None:
    bench = await fill(tmp_path / "broken")
    path = bench.root / name
    own = names_in(path)
    in_jira = {key: bench.site.find(key) for key in own}
    breaks(path)
    bytes_ = path.read_bytes() if path.is_file() else b""

    result = await bench.sync(prune=True)

    assert texts(bench, name) == texts(whole, name)
    assert issues(bench, own) == issues(whole, own)
    assert {key: bench.site.find(key) for key in own} == in_jira
    assert not any(key in each for each in written(bench.asked) for key in own)
    assert (path.read_bytes() if path.is_file() else b"") == bytes_
    failed = [*result.pull.failed, *result.push.failed]
    assert [(each.path, each.code) for each in failed] == [(name, Code.BROKEN)]
    assert (result.pull.gone, result.pull.pruned) == ((), ())


@pytest.mark.parametrize("breaks", TEXT, ids=lambda each: each.__name__)
async def test_tickets_in_a_file_that_was_renamed_and_broken_are_nowhere_else(
    tmp_path: Path, autojump_clock: MockClock, breaks: Callable[[Path], None]
) -> None:
    bench = await fill(tmp_path / "work")
    path = (bench.root / "all.md").rename(bench.root / "sprint.md")
    breaks(path)
    for key in ("DEMO-1", "DEMO-2"):
        bench.site.delete(key)
    before = set(bench.files() if breaks not in {encode, put_bytes} else ())

    result = await bench.sync(full=True, prune=True)

    assert (result.pull.gone, result.pull.pruned) == ((), ())
    assert not (bench.root / "all.md").exists()
    assert not any((bench.root / f"DEMO-{number}.md").exists() for number in (1, 2, 6))
    assert before <= {each.name for each in bench.root.glob("*.md")}
    assert bench.finds("DEMO-6").summary == "Theirs DEMO-6"


OTHER = replace(CREDENTIALS, site="http://localhost")
MINE = "# TICKET: [DEMO-1] Mine\n"


@pytest.fixture
def wrong(tmp_path: Path) -> Bench:
    """The site that is asked first, by mistake."""
    return Bench(make_site(tickets=TICKETS, seed=1), tmp_path / "work")


@pytest.fixture
def right(wrong: Bench) -> Bench:
    """Another site, with other tickets of the same keys, and the same folder."""
    return Bench(make_site(tickets=TICKETS, seed=2), wrong.root)


async def comes_from(right: Bench) -> None:
    """Pull from the right site, and see its tickets come."""
    assert (await right.pull(credentials=OTHER)).new == TICKETS
    for key in right.keys():  # noqa: SIM118 - a bench is not a mapping
        assert f"[{key}] {right.finds(key).summary}" in "".join(right.files().values())


async def is_refused(bench: Bench) -> None:
    files = bench.files()
    with pytest.raises(JobFailed) as caught:
        await bench.pull(credentials=OTHER)
    assert isinstance(caught.value.__cause__, OtherSite)
    assert str(caught.value.__cause__) == (
        f"{bench.root} holds tickets of http://127.0.0.1, not of http://localhost: correct the "
        "address, or use another folder for that site; to use this one, first move its tickets "
        "and its .ticketr elsewhere"
    )
    assert (bench.files(), bench.asked) == (files, [])


@pytest.mark.parametrize(
    "mistake",
    [
        {"credentials": replace(CREDENTIALS, token="no")},
        {"credentials": replace(CREDENTIALS, site=f"{CREDENTIALS.site}/nothing/here")},
        {"project": "NOPE"},
        {"jql": "this is not a query"},
        {"fields": ("Nobody's field",)},
    ],
    ids=["401", "404", "no such project", "bad JQL", "no such field"],
)
async def test_a_first_pull_that_failed_leaves_the_folder_free(
    mistake: dict[str, object], wrong: Bench, right: Bench, autojump_clock: MockClock
) -> None:
    with pytest.raises(JobFailed):
        await wrong.pull(**mistake)

    await comes_from(right)


async def test_a_pull_that_found_nothing_leaves_the_folder_free(
    wrong: Bench, right: Bench, autojump_clock: MockClock
) -> None:
    assert (await wrong.pull(jql="summary ~ zzzzzz")).total == 0

    await comes_from(right)


async def test_a_pull_cancelled_before_the_first_ticket_leaves_the_folder_free(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    wrong, right = make_site(tickets=TICKETS, seed=1), make_site(tickets=TICKETS, seed=2)
    for answers in range(20):
        bench = Bench(wrong, tmp_path / str(answers), latency=1.0)
        with trio.move_on_after(answers + 0.5):
            await bench.pull()
        if bench.files():
            break
        await comes_from(Bench(right, bench.root))
    assert answers >= 3  # the login, the list of fields and the search, at least


async def test_a_folder_with_tickets_of_a_site_stays_bound_to_it(
    wrong: Bench, right: Bench, autojump_clock: MockClock
) -> None:
    await wrong.pull(jql="key = DEMO-1")

    await is_refused(right)
    assert (await wrong.pull()).new == TICKETS - 1


async def test_so_does_one_whose_files_are_gone(
    wrong: Bench, right: Bench, autojump_clock: MockClock
) -> None:
    await wrong.pull()
    for path in wrong.root.glob("*.md"):
        path.unlink()

    await is_refused(right)


async def test_so_does_one_with_nothing_but_a_conflict(
    wrong: Bench, right: Bench, autojump_clock: MockClock
) -> None:
    wrong.root.mkdir()
    (wrong.root / "DEMO-1.md").write_text(MINE)
    assert len((await wrong.pull(jql="key = DEMO-1")).conflicts) == 1

    await is_refused(right)


async def test_what_is_moved_away_binds_no_more(
    wrong: Bench, right: Bench, tmp_path: Path, autojump_clock: MockClock
) -> None:
    await wrong.pull()
    wrong.root.rename(tmp_path / "elsewhere")

    await comes_from(right)


async def test_a_file_that_a_killed_pull_left_is_not_taken_for_the_other_sites(
    wrong: Bench, right: Bench, autojump_clock: MockClock
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(State, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            await wrong.pull(jql="key = DEMO-1")
    (left,) = wrong.files().values()

    result = await right.pull(credentials=OTHER)

    assert [each.key for each in result.conflicts] == ["DEMO-1"]
    assert wrong.files()["DEMO-1.md"] == left
    assert parse(left).tickets[0].title == wrong.finds("DEMO-1").summary


def killed(*_: object, **__: object) -> None:
    """End as a kill would, with a file written and nothing of it remembered."""
    raise KeyboardInterrupt


DENIED = "Operation not permitted; let your account write it, or move it away"


@pytest.fixture
async def pulled(bench: Bench, autojump_clock: MockClock) -> Bench:
    """A pulled workspace; since then Jira has changed three tickets."""
    await bench.pull()
    for key in ("DEMO-1", "DEMO-9", "DEMO-6"):
        bench.site.edit(key, summary=f"Theirs {key}")
    return bench


def title(bench: Bench, name: str) -> str:
    return parse((bench.root / name).read_text()).tickets[0].title


@pytest.mark.parametrize("command", ["pull", "sync"])
async def test_a_file_that_cannot_be_written_is_left_out_and_comes_with_the_next_pull(
    command: str, pulled: Bench
) -> None:
    path = pulled.root / "DEMO-9.md"
    pulled.retitles("DEMO-3", "Mine")

    with frozen(path):
        if command == "pull":
            result = await pulled.pull()
        else:
            synced = await pulled.sync()
            result = synced.pull
            assert (synced.push.updated, synced.push.failed) == (("DEMO-3",), ())

    (note,) = result.failed
    assert (note.key, note.path, note.code) == ("DEMO-9", "DEMO-9.md", Code.BROKEN)
    assert note.reason == f"cannot write {path}: {DENIED}"
    assert (result.updated, result.failed_issue_count) == (2, 1)
    assert title(pulled, "DEMO-1.md") == "Theirs DEMO-1"
    assert title(pulled, "DEMO-6.md") == "Theirs DEMO-6"
    again = await pulled.pull()
    assert (again.updated, again.failed) == (1, ())
    assert title(pulled, "DEMO-9.md") == "Theirs DEMO-9"


async def test_an_edit_in_a_file_that_cannot_be_written_is_kept_and_told_once(
    pulled: Bench,
) -> None:
    path = pulled.root / "DEMO-9.md"
    path.write_text(f"{path.read_text()}\n## Description\nMine.\n")

    with frozen(path):
        result = await pulled.sync()

    assert [each.key for each in result.pull.failed] == ["DEMO-9"]
    assert (result.push.failed, result.push.conflicts) == ((), ())
    assert "Mine." in path.read_text()
    await pulled.sync()
    assert title(pulled, "DEMO-9.md") == "Theirs DEMO-9"
    assert "Mine." in path.read_text()


async def test_what_jira_made_of_a_pushed_edit_is_told_if_its_file_cannot_be_written(
    pulled: Bench,
) -> None:
    path = pulled.root / "DEMO-3.md"
    pulled.retitles("DEMO-3", "Mine")
    text = path.read_text()
    rename = partial(pulled.site.edit, "DEMO-5", summary="Theirs")  # of a task in the same file

    with frozen(path):
        result = await pulled.push(
            transport=Meanwhile(create_app(pulled.site), "PUT", "issue/DEMO-3", rename)
        )

    assert result.updated == ("DEMO-3",)
    (note,) = result.failed
    assert (note.key, note.code) == ("DEMO-3", Code.BROKEN)
    assert note.reason == f"cannot write {path}: {DENIED}"
    assert path.read_text() == text
    await pulled.pull()
    assert "- [DEMO-5] Theirs" in path.read_text()


async def test_a_folder_that_refuses_files_is_left_out(pulled: Bench) -> None:
    folder = pulled.root / "sub"
    folder.mkdir()
    for key in ("DEMO-1", "DEMO-9"):
        (pulled.root / f"{key}.md").rename(folder / f"{key}.md")

    with frozen(folder):
        result = await pulled.pull()

    assert {each.path for each in result.failed} == {"sub/DEMO-1.md", "sub/DEMO-9.md"}
    assert title(pulled, "DEMO-6.md") == "Theirs DEMO-6"
    assert (await pulled.pull()).updated == 2


async def test_a_workspace_that_refuses_files_ends_the_pull_with_one_error(pulled: Bench) -> None:
    with frozen(pulled.root), pytest.raises(JobFailed) as failed:
        await pulled.pull()

    error = failed.value.__cause__
    assert isinstance(error, FileFailed)
    assert str(error) == (
        f"cannot write into {pulled.root}: Operation not permitted; let your account write there"
    )
    assert (await pulled.pull()).updated == 3


@pytest.mark.parametrize("job", ["push", "sync", "pull"])
async def test_a_draft_whose_key_cannot_be_written_is_created_once(job: str, pulled: Bench) -> None:
    path = pulled.root / "draft.md"
    text = "# TICKET: Once\n\n## Tasks\n- Part\n"
    path.write_text(text)
    (pulled.root / "other.md").write_text("# TICKET: Other\n")

    with frozen(path):
        first = await pulled.push()
        if job == "push":
            second = (await pulled.push()).failed
            plan = await pulled.push(dry_run=True)
            assert [each.code for each in plan.left_alone] == [
                Code.MAYBE_CREATED,
                Code.MAYBE_CREATED,
            ]
        elif job == "sync":
            second = (await pulled.sync()).push.failed
        else:
            second = (await pulled.pull()).failed

    (key,) = {"DEMO-13", "DEMO-14"} & {each.key for each in first.failed}
    assert len(first.failed) == 1
    assert len(first.created) == 2
    (note,) = second
    assert (note.key, note.path, note.code) == (key, "draft.md", Code.BROKEN)
    assert note.reason == (
        "it was created, but its key is not in its file: "
        f"cannot write {path}: {DENIED}; the next run tries again"
    )
    assert path.read_text() == text
    assert new(pulled) == ["Once", "Other"]
    done = await pulled.push()
    assert done.recovered == (key,)
    assert path.read_text().startswith(f"# TICKET: [{key}] Once\n")
    assert new(pulled) == ["Once", "Other", "Part"]


async def test_a_file_that_cannot_be_pruned_is_named(pulled: Bench) -> None:
    path = pulled.root / "DEMO-9.md"
    pulled.site.delete("DEMO-9")

    with frozen(path):
        result = await pulled.pull(prune=True)

    (note,) = result.failed
    assert (note.key, note.path, note.code) == ("DEMO-9", "DEMO-9.md", Code.BROKEN)
    assert f"cannot remove {path}: Operation not permitted" in note.reason
    assert (result.gone, result.pruned) == ((), ())
    assert path.exists()
    assert list((pulled.root / ".ticketr" / "trash").iterdir()) == []
    assert (await pulled.pull(prune=True)).pruned == ("DEMO-9",)


@pytest.mark.parametrize("command", ["pull", "push"])
async def test_a_folder_that_was_renamed_meanwhile_ends_the_job_and_gets_no_twin(
    command: str, pulled: Bench
) -> None:
    moved = pulled.root.with_name("moved")
    pulled.retitles("DEMO-3", "Mine")
    before = pulled.files()
    at = ("POST", "search/jql") if command == "pull" else ("PUT", "issue/DEMO-3")
    site = Meanwhile(create_app(pulled.site), *at, lambda: pulled.root.rename(moved))

    with pytest.raises(JobFailed) as failed:
        await (pulled.pull if command == "pull" else pulled.push)(transport=site)

    error = failed.value.__cause__
    assert isinstance(error, FileFailed)
    assert str(error).startswith(
        f"cannot write into {pulled.root}: it, or .ticketr in it, was moved"
    )
    assert not pulled.root.exists()
    moved.rename(pulled.root)
    assert pulled.files() == before
    result = await pulled.sync()
    assert result.pull.failed == result.push.failed == ()
    assert title(pulled, "DEMO-9.md") == "Theirs DEMO-9"
    assert pulled.finds("DEMO-3").summary == "Mine"


async def test_a_state_that_is_removed_meanwhile_ends_the_job(pulled: Bench) -> None:
    own = pulled.root / ".ticketr"
    app = create_app(pulled.site)
    site = Meanwhile(app, "POST", "search/jql", lambda: shutil.rmtree(own))
    before = pulled.files()

    with pytest.raises(JobFailed, match="was moved, removed or replaced meanwhile"):
        await pulled.pull(transport=site)

    assert pulled.files() == before
    assert not own.exists()
