"""Test the histories of several workspaces: each gets its own jobs, and one bad file harms none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticketr import HistoryFailed, JobContext, open_job_queue
from ticketr.app.cli.workspace_history import HISTORY, WorkspaceHistories
from ticketr.app.config import STATE_FOLDER


@pytest.fixture(autouse=True)
def config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the user a folder of settings, which holds the mark of the histories."""
    monkeypatch.setenv("TICKETR_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))


async def nothing(context: JobContext) -> None:
    context.report(message="done")


def workspace(root: Path, name: str) -> Path:
    folder = root / name / STATE_FOLDER
    folder.mkdir(parents=True)
    return root / name


async def run_in(histories: WorkspaceHistories, *roots: Path) -> None:
    async with open_job_queue(history=histories) as queue:
        for root in roots:
            await queue.run(nothing, name=f"Pull {root.name}", key=str(root))


async def names(histories: WorkspaceHistories) -> list[str]:
    return [job.name for job in await histories.read(limit=10, status=None)]


async def test_a_workspace_that_was_added_later_has_a_history_too(tmp_path: Path) -> None:
    one, two = workspace(tmp_path, "one"), workspace(tmp_path, "two")
    histories = WorkspaceHistories([one])

    await run_in(histories, one, two)

    assert await names(histories) == ["Pull two", "Pull one"]
    assert await names(WorkspaceHistories([two])) == ["Pull two"]


async def test_a_history_that_cannot_be_used_hides_no_other(tmp_path: Path) -> None:
    one, two = workspace(tmp_path, "one"), workspace(tmp_path, "two")
    (one / STATE_FOLDER / HISTORY).write_text("this is not a database" * 100)
    histories = WorkspaceHistories([one, two])

    await run_in(histories, one, two)

    assert await names(histories) == ["Pull two"]
    with pytest.raises(HistoryFailed):
        await names(WorkspaceHistories([one]))


async def test_reading_the_history_of_a_folder_that_is_gone_makes_none(tmp_path: Path) -> None:
    assert await names(WorkspaceHistories([tmp_path / "gone"])) == []
    assert list(tmp_path.iterdir()) == []
