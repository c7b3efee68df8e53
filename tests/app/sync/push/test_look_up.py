"""The look for an issue whose answer was lost: when it begins, and how far it goes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
from fakes.lossy import Late, Lossy, once
from fakes.processes import ticketr
from fakes.pulls import Bench, Recorder
from fakes.unsettled import (
    BEFORE,
    DRAFT,
    SETTLE,
    check_settled,
    lose_answers,
    new,
    site_in_virtual_time,
    unsettled,
    write,
)
from trio.testing import MockClock

from jira_sandbox import Site, create_app
from ticketr import JobFailed, open_job_queue
from ticketr.app.jira import ConnectFailed
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import Code, PushJob
from ticketr.app.tickets import parse


async def test_it_stays_unsettled_where_the_site_cannot_be_asked(bench: Bench) -> None:
    path = await lose_answers(bench, DRAFT)

    class Unreachable(Recorder):
        async def send(self, request: Request) -> Response:
            if "bulkfetch" in request.url:
                raise ConnectFailed(request.url, "no route")
            return await super().send(request)

    with pytest.raises(JobFailed) as failed:
        await bench.sync(transport=Unreachable(create_app(bench.site)))

    assert isinstance(failed.value.__cause__, ConnectFailed)
    assert [each.title for each in unsettled(bench)] == ["Once"]
    ticketr("workspace", "trust", folder=bench.root)
    assert "unsettled Once (drafts.md)" in ticketr("status", folder=bench.root).stdout
    assert new(bench) == ["Once"]
    await check_settled(bench, path)


async def test_what_cannot_be_found_out_is_told_as_that(bench: Bench) -> None:
    path = write(bench, DRAFT)

    def lose(method: str, at: str) -> str | None:
        return "answer" if at in {"issue", "issue/bulkfetch"} else None

    result = await bench.push(transport=Lossy(create_app(bench.site), lose))

    (note,) = result.failed
    assert (note.name, note.code) == ('draft "Once"', Code.UNREACHED)
    assert (note.key, note.line) == ("", 1)
    assert note.reason.startswith(
        "it is not known yet whether it was created, the next run finds out: 127.0.0.1 broke off"
    )
    assert len(unsettled(bench)) == 1
    await check_settled(bench, path)


async def test_after_three_lost_requests_a_draft_is_given_up_for_now(bench: Bench) -> None:
    path = write(bench, DRAFT)

    def lose(method: str, at: str) -> str | None:
        return "request" if at == "issue" else None

    result = await bench.push(transport=Lossy(create_app(bench.site), lose))

    assert [note.reason for note in result.failed] == [
        "Jira took it several times, and never had it"
    ]
    assert trio.current_time() == 3 * SETTLE
    assert unsettled(bench) == []
    await check_settled(bench, path)


async def test_the_wait_is_told_and_can_be_cancelled(bench: Bench) -> None:
    await lose_answers(bench, DRAFT)
    began = trio.current_time()

    async with open_job_queue(workers=1) as queue:
        handle = await queue.submit(PushJob(**bench.settings()))
        await trio.sleep(10)
        progress = handle.snapshot().progress
        assert progress is not None
        assert progress.message == 'Waiting 30s: finding out whether "Once" was created'
        handle.cancel()
        snapshot = await handle.wait()

    assert trio.current_time() == began + 10
    assert snapshot.progress is not None
    assert snapshot.progress.message == "Cancelled: no ticket pushed yet"
    assert len(unsettled(bench)) == 1


async def test_many_that_are_unsettled_are_waited_for_once(bench: Bench) -> None:
    texts = [f"# TICKET: Number {number}\n" for number in range(4)]
    path = await lose_answers(bench, "\n".join(texts))
    assert len(unsettled(bench)) == 4
    began = trio.current_time()

    await bench.push()

    assert trio.current_time() == began + SETTLE
    assert sorted(new(bench)) == [f"Number {number}" for number in range(4)]
    assert len([each for each in parse(path.read_text()).tickets if each.key]) == 4


async def test_what_was_asked_for_long_ago_is_not_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await lose_answers(bench, DRAFT)
    later = datetime.now(UTC).timestamp() + 7200
    monkeypatch.setattr("ticketr.app.sync.push.recovery.time.time", lambda: later)
    began = trio.current_time()

    await check_settled(bench, path)

    assert trio.current_time() == began


async def test_a_request_that_is_carried_out_late_is_found(bench: Bench) -> None:
    path = write(bench, DRAFT)
    transport = Late(create_app(bench.site), delay=SETTLE - 5)

    await bench.push(transport=transport)

    assert new(bench) == ["Once"]
    await check_settled(bench, path)


@pytest.fixture
def one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this computer's clock be Trio's."""
    start = datetime.now(UTC).timestamp()
    for module in ("creating", "recovery"):
        monkeypatch.setattr(
            f"ticketr.app.sync.push.{module}.time.time", lambda: start + trio.current_time()
        )


async def test_the_seconds_count_from_the_last_request_and_not_from_those_that_were_refused(
    bench: Bench, one_clock: None
) -> None:
    path = write(bench, DRAFT)
    transport = Late(create_app(bench.site), delay=SETTLE - 5, refused=2 * SETTLE)

    await bench.push(transport=transport)

    assert trio.current_time() > 3 * SETTLE
    assert new(bench) == ["Once"]
    await check_settled(bench, path)


async def test_after_a_kill_they_count_from_the_next_run(bench: Bench, one_clock: None) -> None:
    path = write(bench, DRAFT)
    transport = Late(create_app(bench.site), delay=SETTLE - 5, refused=2 * SETTLE)
    with trio.move_on_after(2 * SETTLE + 2):
        await bench.push(transport=transport)
    assert transport.held is not None

    await bench.push(transport=transport)

    assert new(bench) == ["Once"]
    await check_settled(bench, path)


async def test_a_search_index_that_lags_by_minutes_hides_nothing(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(site_in_virtual_time(search_lag=300.0), tmp_path / "work")
    await bench.pull()
    path = await lose_answers(bench, DRAFT)

    await bench.push()

    assert new(bench) == ["Once"]
    assert path.read_text().startswith("# TICKET: [DEMO-13] Once\n")
    await trio.sleep(600)
    await check_settled(bench, path)


def fill(site: Site, count: int) -> list[str]:
    """Let others create issues; gives their keys."""
    demo = site.project("DEMO")
    task = next(each.type for each in site if each.type.name == "Task")
    assert demo is not None
    return [
        site.create(project=demo, type=task, summary=f"Theirs {number}").key
        for number in range(count)
    ]


@pytest.mark.parametrize("count", [99, 100, 250])
async def test_it_is_found_behind_many_issues_of_others(bench: Bench, count: int) -> None:
    path = write(bench, DRAFT)
    transport = Lossy(
        create_app(bench.site),
        once("POST", "issue", "answer"),
        before=lambda method, at: (
            (method, at) == ("POST", "issue")
            and len(bench.site) == BEFORE
            and fill(bench.site, count)
        ),
    )

    await bench.push(transport=transport)

    assert new(bench).count("Once") == 1
    assert path.read_text().startswith(f"# TICKET: [DEMO-{BEFORE + count + 1}] Once\n")


@pytest.mark.parametrize(("gap", "lag"), [(150, 3600.0), (1500, 0.0)])
async def test_it_is_found_behind_keys_of_issues_that_were_deleted(
    tmp_path: Path, autojump_clock: MockClock, gap: int, lag: float
) -> None:
    bench = Bench(site_in_virtual_time(search_lag=lag), tmp_path / "work")
    path = write(bench, DRAFT)
    for key in fill(bench.site, gap):
        bench.site.delete(key)
    transport = Lossy(create_app(bench.site), once("POST", "issue", "answer"))

    await bench.push(transport=transport)

    assert new(bench) == ["Once"]
    assert path.read_text().startswith(f"# TICKET: [DEMO-{BEFORE + gap + 1}] Once\n")
