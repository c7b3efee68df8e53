"""Edits made outside the app are shown without a key, and nothing is polled for them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import trio
from fakes.apps import Run, running_app, workspace
from trio.testing import MockClock

from ticketr.app.tui.services import watching
from ticketr.app.tui.services.watching import READ_DELAY_SECONDS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux reports changes of files")

TEXT = "# TICKET: [DEMO-1] One\n"


async def settled(run: Run) -> None:
    await trio.sleep(READ_DELAY_SECONDS)
    await run.settle()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "DEMO-1.md").write_text(TEXT)
    return folder


async def test_an_edit_made_outside_is_shown_within_a_second(
    root: Path, autojump_clock: MockClock
) -> None:
    async with running_app((workspace(root),)) as run:
        (root / "DEMO-1.md").write_text("# TICKET: [DEMO-1] Renamed\n")
        (root / "DEMO-2.md").write_text("# TICKET: [DEMO-2] Two\n")
        before = trio.current_time()
        await settled(run)

        assert trio.current_time() - before < 1
        assert "Renamed" in run.screen.text
        assert "DEMO-2" in run.screen.text
        (root / "DEMO-2.md").unlink()
        await settled(run)
        assert "DEMO-2" not in run.screen.text


async def test_a_file_that_an_editor_puts_in_its_place_is_shown(
    root: Path, autojump_clock: MockClock
) -> None:
    async with running_app((workspace(root),)) as run:
        (root / ".swap").write_text("# TICKET: [DEMO-1] By an editor\n")
        (root / ".swap").rename(root / "DEMO-1.md")
        await settled(run)
        assert "By an editor" in run.screen.text


async def test_files_in_a_new_folder_are_shown_and_watched(
    root: Path, autojump_clock: MockClock
) -> None:
    async with running_app((workspace(root),)) as run:
        (root / "later").mkdir()
        (root / "later" / "DEMO-3.md").write_text("# TICKET: [DEMO-3] Three\n")
        await settled(run)
        assert "Three" in run.screen.text
        (root / "later" / "DEMO-3.md").write_text("# TICKET: [DEMO-3] Edited\n")
        await settled(run)
        assert "Edited" in run.screen.text


async def test_other_files_are_not_read_and_nothing_is_drawn(
    root: Path, autojump_clock: MockClock
) -> None:
    (root / ".git").mkdir()
    async with running_app((workspace(root),)) as run:
        await trio.sleep(60)
        frames = len(run.screen.frames)
        (root / ".git" / "x.md").write_text("x")
        (root / "notes.txt").write_text("x")
        (root / ".DEMO-1.md.swp").write_text("x")
        await trio.sleep(3_600)
        assert len(run.screen.frames) == frames


async def test_what_is_written_during_a_job_is_read_at_its_end(
    root: Path, autojump_clock: MockClock
) -> None:
    async with running_app((workspace(root),)) as run:
        await run.press("P")
        (root / "DEMO-1.md").write_text("# TICKET: [DEMO-1] Renamed\n")
        await settled(run)
        assert "Renamed" not in run.screen.text
        await trio.sleep(10)
        await run.settle()
        assert "Renamed" in run.screen.text


async def test_a_folder_that_goes_is_named_and_watched_again_once_it_is_back(
    root: Path, autojump_clock: MockClock
) -> None:
    async with running_app((workspace(root),)) as run:
        root.rename(root.with_name("away"))
        await settled(run)
        assert "is gone" in run.screen.text
        root.with_name("away").rename(root)
        await run.press("r")
        (root / "DEMO-1.md").write_text("# TICKET: [DEMO-1] Back\n")
        await settled(run)
        assert "Back" in run.screen.text


async def test_no_descriptor_is_left_when_the_app_ends(
    root: Path, autojump_clock: MockClock
) -> None:
    def watches() -> int:
        links = (link for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
        return sum("inotify" in str(link.readlink()) for link in links)

    async with running_app((workspace(root),)):
        assert watches() == 1
    assert watches() == 0


async def test_without_watches_the_app_works_as_before(
    root: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(watching, "InotifyFolderWatches", fail)
    async with running_app((workspace(root),)) as run:
        (root / "DEMO-1.md").write_text("# TICKET: [DEMO-1] Renamed\n")
        await settled(run)
        assert "Renamed" not in run.screen.text
        await run.press("r")
        assert "Renamed" in run.screen.text
