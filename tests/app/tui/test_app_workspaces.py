"""Test several workspaces in one app: opened when needed, pulled side by side, told of errors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
from fakes.apps import running_app, workspace
from trio.testing import MockClock

from ticketr import JobStatus
from ticketr._errors import TicketrError
from ticketr.app.tui.messages import Message, WorkspaceOpened
from ticketr.app.tui.services.workspaces import ClosedWorkspace, OpenWorkspace, Workspaces

TICKET = "# TICKET: [DEMO-1] Search\n"


class Gone(TicketrError):
    def __str__(self) -> str:
        return "the folder is gone; bring\x1b[2J it back"


@dataclass
class Opener:
    """Opens a workspace after a second, and counts how often it was asked."""

    opened: OpenWorkspace
    error: Exception | None = None
    count: int = 0

    async def open(self) -> OpenWorkspace:
        self.count += 1
        await trio.sleep(1)
        if self.error is not None:
            raise self.error
        return self.opened


def closed(root: Path, error: Exception | None = None) -> tuple[ClosedWorkspace, Opener]:
    opener = Opener(workspace(root), error)
    return ClosedWorkspace(root.name, opener.open, "jira.example"), opener


async def test_another_workspace_is_opened_when_it_is_selected(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, opener = closed(tmp_path / "shop")
    (tmp_path / "shop" / "DEMO-1.md").write_text(TICKET)
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await trio.sleep(60)
        assert opener.count == 0
        assert run.screen.rows[3].split() == ["shop", "│"]

        await run.press("1", "j")
        await trio.sleep(2)

        assert opener.count == 1
        assert run.screen.rows[3].split()[:4] == ["▸", "shop", "DEMO", "1"]
        assert "DEMO-1" in run.screen.rows[5]


async def test_a_workspace_that_cannot_be_opened_says_why_and_is_tried_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, opener = closed(tmp_path / "shop", Gone())
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await run.press("1", "j")
        await trio.sleep(2)
        words = "the folder is gone; bring it back"
        assert run.screen.rows[5].startswith(f" {words}")
        assert f"shop: {words}" in run.screen.text
        assert "cannot be opened" in run.screen.rows[3]

        opener.error = None
        await run.press("r")
        await trio.sleep(2)

        assert opener.count == 2
        assert "No tickets here yet" in run.screen.rows[5]
        assert "cannot be opened" not in run.screen.text


async def test_a_title_for_a_workspace_that_cannot_be_opened_is_not_lost(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, _ = closed(tmp_path / "shop", Gone())
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await run.press("1", "j")
        await trio.sleep(2)
        await run.press("2", "a", *"Pay", "KEY_ENTER", "KEY_ENTER")
        await trio.sleep(2)

        assert run.screen.rows[-2].startswith(" title: Pay")
        assert "shop cannot be opened" in run.screen.text


async def test_a_plan_of_a_workspace_that_cannot_be_opened_is_closed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, _ = closed(tmp_path / "shop", Gone())
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await run.press("1", "j", "p")
        assert "Looking for edits" in run.screen.text
        await trio.sleep(3)

        assert run.app.state.overlays == ()
        assert "shop: the folder is gone" in run.screen.text


async def test_it_is_opened_once_however_much_is_asked_of_it_meanwhile(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, opener = closed(tmp_path / "shop")
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await run.press("1", "j", "P", "r")
        await trio.sleep(2)

        assert opener.count == 1
        assert [each.name for each in run.queue.jobs()] == ["Pull shop"]


@pytest.mark.parametrize(
    ("key", "what"), [("P", "Pull"), ("u", "Taking back")], ids=["pull", "undo"]
)
async def test_esc_drops_what_waits_until_the_workspace_is_open(
    tmp_path: Path, autojump_clock: MockClock, key: str, what: str
) -> None:
    other, opener = closed(tmp_path / "shop")
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await run.press("1", "j", key)
        assert f"{what} waits until shop is open; Esc drops it" in run.screen.text

        await run.press("KEY_ESCAPE")
        assert "Dropped what was asked of shop: nothing was started" in run.screen.text
        await trio.sleep(5)

        assert (opener.count, run.queue.jobs(), run.app.state.overlays) == (1, [], ())
        assert run.screen.rows[3].split()[:3] == ["▸", "shop", "DEMO"]
        assert "Dropped" in run.screen.text

        await run.press(key)  # it is open now
        assert len(run.queue.jobs()) == (key == "P")


async def test_esc_closes_the_plan_of_a_workspace_that_is_opened_and_nothing_comes_of_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, opener = closed(tmp_path / "shop")
    (tmp_path / "shop" / "new.md").write_text("# TICKET: New\n")
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await run.press("1", "j", "p", "KEY_ENTER", "KEY_ESCAPE")
        assert run.app.state.overlays == ()
        await trio.sleep(5)
        await run.press("KEY_ENTER")

        assert (opener.count, run.queue.jobs(), run.app.state.overlays) == (1, [], ())


async def test_what_waits_for_a_workspace_that_cannot_be_opened_is_forgotten(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, opener = closed(tmp_path / "shop", Gone())
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await run.press("1", "j", "P")
        await trio.sleep(3)
        assert run.app.state.workspace.waiting == ""

        opener.error = None
        await run.press("r")
        await trio.sleep(3)
        assert run.queue.jobs() == []


async def test_two_workspaces_are_pulled_side_by_side_and_one_never_twice(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    both = workspace(tmp_path / "work"), workspace(tmp_path / "shop")
    async with running_app(both) as run:
        await run.press("P", "1", "j", "P")
        running = run.queue.jobs(status=JobStatus.RUNNING)
        assert [each.name for each in running] == ["Pull work", "Pull shop"]

        await run.press("P")
        assert run.queue.statistics().pending == 1
        await trio.sleep(12)

        assert [each.name for each in run.queue.jobs(status=JobStatus.RUNNING)] == ["Pull shop"]
        assert run.queue.statistics().completed == 2


async def test_leaving_while_a_workspace_is_opened_ends_the_app(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, _ = closed(tmp_path / "shop")
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await run.press("1", "j", "q")

        with trio.fail_after(0.5):
            await run.left.wait()


@pytest.fixture
def sent() -> list[Message]:
    return []


def opened(sent: list[Message], *each: OpenWorkspace | ClosedWorkspace) -> Workspaces:
    class NoReader:
        async def read(self) -> None:
            await trio.lowlevel.checkpoint()

    return Workspaces(each, lambda _: NoReader(), sent.append)


def test_a_new_workspace_gets_a_name_that_no_other_one_has(
    tmp_path: Path, sent: list[Message]
) -> None:
    other, _ = closed(tmp_path / "demo-2")
    both = opened(sent, workspace(tmp_path / "demo"), other)

    assert both.add(workspace(tmp_path / "new", "demo")) == "demo-3"
    assert both.by_name["demo-3"].store.root == tmp_path / "new"
    assert set(both.readers) == {"demo", "demo-3"}


def test_a_workspace_in_the_same_folder_takes_the_place_of_the_one_before(
    tmp_path: Path, sent: list[Message]
) -> None:
    both = opened(sent, workspace(tmp_path / "work"))
    again = workspace(tmp_path / "work", "other")

    assert both.add(again) == "work"
    assert both.by_name["work"].make_job is again.make_job


async def test_a_cancelled_opening_leaves_it_closed(
    tmp_path: Path, sent: list[Message], autojump_clock: MockClock
) -> None:
    other, opener = closed(tmp_path / "shop")
    both = opened(sent, other)

    with trio.move_on_after(0.5) as scope:
        await both.open("shop")
    assert (scope.cancelled_caught, both.is_closed("shop"), sent) == (True, True, [])

    assert await both.open("shop")
    assert await both.open("shop")
    assert (opener.count, both.is_closed("shop")) == (2, False)
    assert sent == [WorkspaceOpened("shop", "jira.example", "DEMO")]
