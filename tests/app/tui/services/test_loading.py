"""Reading an issue for the open ticket, while files change and the user moves on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple, cast

import trio
import trio.testing
from fakes.pulls import inline
from trio.testing import MockClock

from ticketr.app.sync import Store
from ticketr.app.tui import effects, messages
from ticketr.app.tui.messages import Message
from ticketr.app.tui.panels.detail import SHORT, detail_lines
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.loading import read_detail, wrap_detail
from ticketr.app.tui.services.workspaces import OpenWorkspace, Workspaces
from ticketr.app.tui.sheet import WrappedDetail

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
ORDER = ("DEMO", 1, "DEMO-1.md", 0)


async def test_an_older_answer_does_not_replace_a_newer_one(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    file = tmp_path / "DEMO-1.md"
    file.write_text("# TICKET: [DEMO-1] Old\n")
    delays = iter((5.0, 1.0))

    async def read_then_wait(
        sync_fn: Callable[[*Ts], T], /, *args: *Ts, abandon_on_cancel: bool = False
    ) -> T:
        found = sync_fn(*args)
        await trio.sleep(next(delays))
        return found

    told: list[Message] = []
    nothing = cast("Any", None)
    workspace = OpenWorkspace("work", Store(tmp_path, ".ticketr"), nothing)
    opened = Workspaces((workspace,), lambda _: nothing, told.append)
    services = Services(nothing, nothing, opened, told.append, in_thread=read_then_wait)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read_detail, services, effects.ReadDetail("work", "DEMO-1.md", ORDER))
        await trio.testing.wait_all_tasks_blocked()
        file.write_text("# TICKET: [DEMO-1] New\n")
        detail_lines.cache_clear()
        again = effects.ReadDetail("work", "DEMO-1.md", ORDER, cells=40)
        nursery.start_soon(read_detail, services, again)

    (read,) = told
    assert isinstance(read, messages.DetailRead)
    assert read.sheet is not None
    assert read.sheet.title == "New"
    # Its lines were wrapped in the thread.
    detail_lines(read.sheet, 40, as_source=False)
    assert detail_lines.cache_info().hits == 1


async def test_the_lines_of_a_long_issue_come_with_it_and_for_another_width(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    (tmp_path / "DEMO-1.md").write_text(
        f"# TICKET: [DEMO-1] A\n\n## Description\n{'word ' * SHORT}\n"
    )
    told: list[Message] = []
    nothing = cast("Any", None)
    workspace = OpenWorkspace("work", Store(tmp_path, ".ticketr"), nothing)
    opened = Workspaces((workspace,), lambda _: nothing, told.append)
    services = Services(nothing, nothing, opened, told.append, in_thread=inline)

    await read_detail(services, effects.ReadDetail("work", "DEMO-1.md", ORDER, 40, as_source=True))
    (read,) = told
    assert isinstance(read, messages.DetailRead)
    assert read.sheet is not None
    lines = detail_lines(read.sheet, 40, as_source=True)
    assert read.wrapped == WrappedDetail(40, as_source=True, lines=lines)

    told.clear()
    await wrap_detail(services, effects.WrapDetail("work", read.sheet, 60, as_source=False))
    (wrapped,) = told
    assert isinstance(wrapped, messages.DetailWrapped)
    assert wrapped.sheet is read.sheet
    lines = detail_lines(read.sheet, 60)
    assert wrapped.wrapped == WrappedDetail(60, as_source=False, lines=lines)


async def test_a_file_that_is_gone_is_said_to_be_but_a_link_to_nothing_is_not(
    tmp_path: Path,
) -> None:
    told: list[Message] = []
    nothing = cast("Any", None)
    workspace = OpenWorkspace("work", Store(tmp_path, ".ticketr"), nothing)
    opened = Workspaces((workspace,), lambda _: nothing, told.append)
    services = Services(nothing, nothing, opened, told.append, in_thread=inline)
    read = effects.ReadDetail("work", "DEMO-1.md", ORDER)

    await read_detail(services, read)
    (tmp_path / "DEMO-1.md").symlink_to("nowhere.md")  # the list has it as a broken file
    await read_detail(services, read)

    assert [isinstance(each, messages.DetailRead) and each.is_gone for each in told] == [
        True,
        False,
    ]
