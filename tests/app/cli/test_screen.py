from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from fakes.states import snapshot

from ticketr import JobProgress, JobStatus
from ticketr.app.cli.screen import last_words, line_style, read_keymap
from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.terminal import Terminal


class Plain:
    """A terminal with the two attributes that the tests need."""

    colors = False
    unicode = True


@pytest.mark.parametrize("name", ["TICKETR_NO_MOTION", "REDUCED_MOTION"])
def test_without_motion_the_app_shows_no_spinner(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = cast("Terminal", Plain())
    monkeypatch.delenv("TICKETR_NO_MOTION", raising=False)
    monkeypatch.delenv("REDUCED_MOTION", raising=False)
    assert line_style(terminal).motion

    monkeypatch.setenv(name, "1")

    assert not line_style(terminal).motion


def test_the_terminal_decides_what_it_supports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TICKETR_ASCII", "1")

    style = line_style(cast("Terminal", Plain()))

    assert (style.color, style.unicode) == (False, True)


def test_the_keys_of_the_user_are_those_of_the_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKETR_CONFIG_DIR", str(tmp_path))
    assert read_keymap() == KeyMap()
    config = tmp_path / "config.toml"
    config.touch(mode=0o600)
    config.write_text('[keys]\npull = "F8"\n')

    assert read_keymap().key(KeyAction.PULL, Context.MAIN) == "F8"


def test_every_job_that_was_cancelled_is_told() -> None:
    one, two = (
        replace(
            snapshot(JobStatus.CANCELLED, job=job),
            cancel_requested=True,
            progress=JobProgress(job, 1, 2, message=f"Cancelled: {job}/9 pulled", revision=1),
        )
        for job in ("1", "2")
    )
    waited = replace(one, progress=None)

    words = last_words([one, snapshot(JobStatus.COMPLETED), waited, two])

    assert words == ["Cancelled: 1/9 pulled", "Cancelled: 2/9 pulled"]
