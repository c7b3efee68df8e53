"""Test that a file which cannot be written stops only itself, and that nothing of it is lost.

The files are immutable, which hinders root, too.
"""

from __future__ import annotations

import shutil
from functools import partial

import pytest
from fakes.frozen import frozen
from fakes.lossy import Meanwhile
from fakes.pulls import Bench
from fakes.unsettled import new
from trio.testing import MockClock

from jira_sandbox import create_app
from ticketr import JobFailed
from ticketr.app.sync import Code, FileFailed
from ticketr.app.tickets import parse

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
    assert (result.updated, result.unwritten) == (2, 1)
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
            assert [each.code for each in plan.left] == [Code.UNCERTAIN, Code.UNCERTAIN]
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


async def test_a_key_that_was_lost_and_cannot_be_written_again_creates_nothing(
    pulled: Bench,
) -> None:
    path, other = pulled.root / "draft.md", pulled.root / "other.md"
    drafts = {path: "# TICKET: Once\n", other: "# TICKET: Other\n"}
    for file, text in drafts.items():
        file.write_text(text)
    await pulled.push()
    key = parse(path.read_text()).tickets[0].key
    for file, text in drafts.items():  # by an editor that had them open
        file.write_text(text)

    with frozen(path):
        results = [await pulled.push(), await pulled.push()]

    assert [[each.key for each in result.failed] for result in results] == [[key]] * 2
    assert [result.created for result in results] == [(), ()]
    assert parse(other.read_text()).tickets[0].key
    await pulled.push()
    assert path.read_text().startswith(f"# TICKET: [{key}] Once\n")
    assert len(pulled.site) == 14


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


async def test_a_file_that_is_broken_during_the_pull_of_a_sync_is_told_once(pulled: Bench) -> None:
    path = pulled.root / "DEMO-9.md"

    def put_link() -> None:
        path.unlink()
        path.symlink_to("nowhere.md")

    result = await pulled.sync(
        transport=Meanwhile(create_app(pulled.site), "POST", "search/jql", put_link)
    )

    (note,) = (*result.pull.failed, *result.push.failed)
    assert (note.key, note.path) == ("DEMO-9", "DEMO-9.md")
    assert note.reason == f"cannot write {path}: it is a link that leads nowhere; remove it"
    (told,) = (await pulled.pull()).failed
    assert told.reason == f"cannot read {path}: it is a link that leads nowhere; remove it"
    assert not (pulled.root / "nowhere.md").exists()
