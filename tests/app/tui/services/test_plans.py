"""The service that makes the plan of a push or sync."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from fakes.pulls import Bench, inline
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr.app.jira import Credentials
from ticketr.app.sync import Code, Side, Store
from ticketr.app.tui import effects, messages
from ticketr.app.tui.job_request import JobKind
from ticketr.app.tui.messages import Message
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.opening import open_workspace
from ticketr.app.tui.services.plans import read_plan
from ticketr.app.tui.services.workspaces import OpenWorkspace, Workspaces


def services(root: Path, told: list[Message], prefer: Side | None) -> Services:
    nothing = cast("Any", None)
    workspace = OpenWorkspace("work", Store(root, ".ticketr"), nothing, prefer=prefer)
    opened = Workspaces((workspace,), lambda _: nothing, told.append)
    return Services(nothing, nothing, opened, told.append, in_thread=inline)


@pytest.mark.parametrize("prefer", [None, Side.LOCAL])
async def test_a_conflict_is_left_alone_unless_a_sync_settles_it(
    tmp_path: Path, autojump_clock: MockClock, prefer: Side | None
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path / "work")
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    bench.site.edit("DEMO-1", summary="Theirs")
    await bench.pull()
    told: list[Message] = []

    for kind in (JobKind.PUSH, JobKind.SYNC):
        await read_plan(services(bench.root, told, prefer), effects.ReadPlan("work", kind))

    push, sync = told
    assert isinstance(push, messages.PlanRead)
    assert isinstance(sync, messages.PlanRead)
    assert [each.code for each in push.plan.left] == [Code.CONFLICT]
    assert [each.key for each in sync.plan.entries] == ([] if prefer is None else ["DEMO-1"])


@pytest.mark.parametrize(("inherit", "parts"), [(True, ["Title", "Priority"]), (False, ["Title"])])
async def test_a_new_sub_task_takes_over_fields_unless_the_workspace_says_no(
    tmp_path: Path, *, inherit: bool, parts: list[str]
) -> None:
    (tmp_path / "new.md").write_text("# TICKET: A\n\n## Fields\nPriority: High\n\n## Tasks\n- B\n")
    told: list[Message] = []
    login = Credentials("https://h.example", "p@h.example", "token")
    opened = open_workspace("work", {"root": tmp_path, "credentials": login, "inherit": inherit})
    nothing = cast("Any", None)
    workspaces = Workspaces((opened,), lambda _: nothing, told.append)
    used = Services(nothing, nothing, workspaces, told.append, in_thread=inline)

    await read_plan(used, effects.ReadPlan("work", JobKind.PUSH))

    (read,) = told
    assert isinstance(read, messages.PlanRead)
    assert [each.name for each in read.plan.entries[1].parts] == parts


async def test_a_state_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / ".ticketr").mkdir()
    (tmp_path / ".ticketr" / "state.db").write_bytes(b"no database at all" * 100)
    told: list[Message] = []

    await read_plan(services(tmp_path, told, None), effects.ReadPlan("work", JobKind.PUSH))

    (failed,) = told
    assert isinstance(failed, messages.PlanFailed)
    assert "state.db cannot be used" in failed.words
