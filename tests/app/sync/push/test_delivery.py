"""What happens between Jira's answer and the file: saves, breaks, failures and cancels."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from fakes.lossy import Lossy, Meanwhile
from fakes.pulls import URL, Bench, Recorder
from fakes.unsettled import BEFORE, DRAFT, new, site_in_virtual_time
from trio.testing import MockClock

from jira_sandbox import create_app
from ticketr import JobFailed
from ticketr.app.jira import AuthenticationFailed
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import Code, FileFailed
from ticketr.app.sync.concurrency import CONCURRENT_REQUESTS
from ticketr.app.sync.workspace.files import TEMPORARY_PREFIX
from ticketr.app.tickets import parse

WITH_STATUS = f"{DRAFT}\n## Fields\nStatus: In Progress\n\n## Tasks\n- Part\n"


@pytest.fixture
def drafts(bench: Bench) -> Path:
    bench.root.mkdir()
    return bench.root / "drafts.md"


def when_created(bench: Bench, happens: Callable[[], object]) -> Meanwhile:
    """Let something happen between Jira's answer to the first create and the key in the file."""
    return Meanwhile(create_app(bench.site), "POST", "issue", happens)


async def check_clean(bench: Bench) -> None:
    synced = await bench.sync()
    assert (synced.pull.failed, synced.pull.kept, synced.pull.conflicts) == ((), (), ())
    assert (synced.push.failed, synced.push.conflicts, synced.push.warnings) == ((), (), ())
    before = bench.files()
    assert (await bench.sync()).push.total == 0
    assert bench.files() == before


async def test_the_key_is_in_the_file_before_anything_else_is_asked(
    bench: Bench, drafts: Path
) -> None:
    drafts.write_text(WITH_STATUS)
    seen: list[str] = []

    class Watching(Recorder):
        async def send(self, request: Request) -> Response:
            if len(bench.site) > BEFORE:
                seen.append(drafts.read_text())
            return await super().send(request)

    await bench.push(transport=Watching(create_app(bench.site)))

    assert "[DEMO-13] Once" in seen[0]


async def test_a_status_that_cannot_be_read_leaves_the_rest_to_the_next_run(
    bench: Bench, drafts: Path
) -> None:
    drafts.write_text(WITH_STATUS)

    class Lost(Lossy):
        async def send(self, request: Request) -> Response:
            body = (request.body or b"").decode()
            self.is_status = '"status"]' in body
            return await super().send(request)

    transport = Lost(create_app(bench.site), lambda *_: "request" if transport.is_status else None)
    result = await bench.push(transport=transport)

    assert result.created == ("DEMO-13",)
    (note,) = result.failed
    assert (note.key, note.code) == ("DEMO-13", Code.REQUEST_FAILED)
    assert note.reason.startswith("it was created, but: 127.0.0.1 broke off")
    assert new(bench) == ["Once"]
    await check_clean(bench)
    assert new(bench) == ["Once", "Part"]
    assert bench.finds("DEMO-13").status.name == "In Progress"


async def test_a_save_between_the_answer_and_the_key_is_kept(bench: Bench, drafts: Path) -> None:
    drafts.write_text(DRAFT)

    def save() -> None:
        drafts.write_text(f"{DRAFT.replace('For all.', 'For most.')}\n# TICKET: Another\n")

    result = await bench.push(transport=when_created(bench, save))

    assert (result.created, result.warnings) == (("DEMO-13",), ())
    assert drafts.read_text().startswith("# TICKET: [DEMO-13] Once\n\n## Description\nFor most.")
    await check_clean(bench)
    assert new(bench) == ["Another", "Once"]
    assert "For most." in str(bench.finds("DEMO-13").description)


async def test_a_save_while_the_key_is_written_is_kept(
    bench: Bench, drafts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts.write_text(DRAFT)
    sync = os.fsync
    saves = [f"{DRAFT}\n# TICKET: Another\n"]

    def save_then_sync(descriptor: int) -> None:
        if saves:
            drafts.write_text(saves.pop())
        sync(descriptor)

    monkeypatch.setattr("ticketr.app.sync.workspace.files.os.fsync", save_then_sync)
    result = await bench.push()

    assert (result.created, result.warnings) == (("DEMO-13",), ())
    assert saves == []
    assert [each.key for each in parse(drafts.read_text()).tickets] == ["DEMO-13", None]
    await check_clean(bench)
    assert new(bench) == ["Another", "Once"]


async def test_a_save_while_a_pull_writes_the_same_file_is_merged(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.pull()
    path = bench.root / "DEMO-1.md"
    bench.site.edit("DEMO-1", labels=("theirs",))
    edited = path.read_text().replace("Search that forgives typing errors", "Mine")
    chmod = os.fchmod
    saves = [edited]

    def save_then_chmod(descriptor: int, mode: int) -> None:
        if saves:
            path.write_text(saves.pop())
        chmod(descriptor, mode)

    monkeypatch.setattr("ticketr.app.sync.workspace.files.os.fchmod", save_then_chmod)
    result = await bench.pull()

    assert (result.merged, result.updated) == (1, 0)
    (ticket,) = parse(path.read_text()).tickets
    assert (ticket.title, ticket.fields["Labels"]) == ("Mine", "theirs")


async def test_a_new_file_that_somebody_makes_first_is_left_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = os.open
    theirs = "Notes about DEMO-1.\n"

    def make_theirs_first(
        path: str | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None
    ) -> int:
        mine = bench.root / "DEMO-1.md"
        if str(path).startswith(TEMPORARY_PREFIX) and flags & os.O_EXCL and not mine.exists():
            mine.write_text(theirs)
        return make(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr("ticketr.app.sync.workspace.files.os.open", make_theirs_first)
    result = await bench.pull()

    assert (bench.root / "DEMO-1.md").read_text() == theirs
    assert [(note.key, note.code) for note in result.kept] == [("DEMO-1", Code.FILE_IN_THE_WAY)]


async def test_a_file_that_never_keeps_still_is_named_and_loses_nothing(
    bench: Bench, drafts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts.write_text(DRAFT)
    sync = os.fsync
    saves: list[str] = []

    def save_then_sync(descriptor: int) -> None:
        saves.append(f"{DRAFT}\n{'x' * len(saves)}\n")
        drafts.write_text(saves[-1])
        sync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr("ticketr.app.sync.workspace.files.os.fsync", save_then_sync)
        result = await bench.push()

    (note,) = result.failed
    assert (note.key, note.path, note.code) == ("DEMO-13", "drafts.md", Code.BROKEN)
    assert "something else saves it all the time" in note.reason
    assert drafts.read_text() == saves[-1]
    await check_clean(bench)
    assert new(bench) == ["Once"]


async def test_a_file_that_is_broken_just_then_stops_no_other_ticket(
    bench: Bench, drafts: Path
) -> None:
    drafts.write_text(f"{DRAFT}\n## Tasks\n- Part\n")
    (bench.root / "other.md").write_text("# TICKET: Other\n")
    broken = f"<<<<<<< HEAD\n{drafts.read_text()}"

    result = await bench.push(
        transport=Meanwhile(
            create_app(bench.site), "POST", "issue", lambda: drafts.write_text(broken)
        )
    )

    assert result.warnings == ()
    (note,) = result.failed
    assert (note.path, note.code) == ("drafts.md", Code.BROKEN)
    assert drafts.read_text() == broken
    assert new(bench) == ["Once", "Other"]  # no task under a head whose key is not in its file
    drafts.write_text(broken.removeprefix("<<<<<<< HEAD\n"))
    await check_clean(bench)
    assert new(bench) == ["Once", "Other", "Part"]


async def test_a_full_disk_ends_the_push_as_itself(
    bench: Bench, drafts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts.write_text(DRAFT)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fill_the_disk() -> None:
        monkeypatch.setattr("ticketr.app.sync.workspace.files.replace_atomically", refuse)

    with pytest.raises(JobFailed) as failed:
        await bench.push(transport=when_created(bench, fill_the_disk))

    assert isinstance(failed.value.__cause__, FileFailed)
    monkeypatch.undo()
    await check_clean(bench)
    assert new(bench) == ["Once"]


async def test_a_draft_that_is_deleted_just_then_comes_with_the_next_run(
    bench: Bench, drafts: Path
) -> None:
    drafts.write_text(DRAFT)

    result = await bench.push(transport=when_created(bench, drafts.unlink))

    assert [note.code for note in result.warnings] == [Code.KEY_NOT_WRITTEN]
    assert result.created == ("DEMO-13",)
    await check_clean(bench)
    assert "# TICKET: [DEMO-13] Once\n" in bench.files()["DEMO-13.md"]


async def test_an_issue_that_is_deleted_before_its_key_is_written_leaves_a_draft(
    bench: Bench, drafts: Path
) -> None:
    drafts.write_text(DRAFT)
    aside = drafts.with_suffix(".txt")
    await bench.push(transport=when_created(bench, lambda: drafts.rename(aside)))
    aside.rename(drafts)
    bench.site.delete("DEMO-13")

    await check_clean(bench)

    assert drafts.read_text().startswith("# TICKET: [DEMO-14] Once\n")
    assert new(bench) == ["Once"]


async def test_many_keys_go_into_one_file_between_the_saves_of_somebody_at_work(
    bench: Bench, drafts: Path
) -> None:
    titles = [f"Number {number}" for number in range(8)]  # so few are sent one by one
    drafts.write_text(
        "\n".join(f"# TICKET: {title}\n\n## Tasks\n- Of {title}\n" for title in titles)
    )
    extra: list[str] = []

    class Busy(Recorder):
        async def send(self, request: Request) -> Response:
            response = await super().send(request)
            if request.url == f"{URL}/rest/api/3/issue":
                extra.append(f"Extra {len(extra)}")
                with drafts.open("a") as file:
                    file.write(f"\n# TICKET: {extra[-1]}\n")
            return response

    result = await bench.push(transport=Busy(create_app(bench.site, latency=0.1)))

    assert (len(result.created), result.failed, result.warnings) == (16, (), ())
    assert len(extra) == 16
    found = parse(drafts.read_text()).tickets
    assert [each.title for each in found] == [*titles, *extra]
    assert [[task.title for task in each.tasks] for each in found[:8]] == [
        [f"Of {title}"] for title in titles
    ]
    await check_clean(bench)
    assert new(bench) == sorted([*titles, *(f"Of {title}" for title in titles), *extra])


@pytest.mark.parametrize("what", ["drafts", "many drafts", "edits"])
async def test_a_login_that_is_refused_in_the_middle_ends_the_push(
    bench: Bench, drafts: Path, what: str
) -> None:
    await bench.pull()
    count = {"drafts": 9, "many drafts": 20, "edits": 0}[what]
    if count:
        drafts.write_text("".join(f"# TICKET: Number {number}\n\n" for number in range(count)))
    for path in bench.root.glob("DEMO-*.md") if what == "edits" else ():
        path.write_text(path.read_text().replace("] ", "] Mine: ", 1))
    answers: list[int] = []

    class Expiring(Recorder):
        async def send(self, request: Request) -> Response:
            if len([each for each in answers if each in {201, 204}]) >= (2 if count < 20 else 1):
                answers.append(401)
                return Response(401, {}, b"", request.url)
            response = await super().send(request)
            answers.append(response.status)
            return response

    with pytest.raises(JobFailed) as failed:
        await bench.push(transport=Expiring(create_app(bench.site, latency=0.1)))

    assert isinstance(failed.value.__cause__, AuthenticationFailed)
    assert 0 < answers.count(401) <= CONCURRENT_REQUESTS
    await check_clean(bench)
    assert len(new(bench)) == count
    heads = [each for each in bench.site if each.parent is None or not each.type.subtask]
    assert count or all(each.summary.startswith("Mine: ") for each in heads)


async def test_a_new_issue_that_the_index_does_not_have_yet_is_not_said_to_be_gone(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(site_in_virtual_time(search_lag=240.0), tmp_path / "work")
    await bench.pull()
    (bench.root / "drafts.md").write_text(DRAFT)
    await bench.push()
    await trio.sleep(60)

    assert (await bench.sync()).pull.gone == ()

    await trio.sleep(600)
    assert (await bench.sync()).pull.total == BEFORE + 1
