"""The service that stores how a list is shown, and saved filters."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from fakes.pulls import inline

from ticketr.app.sync import Store
from ticketr.app.tui import effects, messages
from ticketr.app.tui.messages import Message
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.memory import remember
from ticketr.app.tui.services.workspaces import OpenWorkspace, Workspaces


async def test_a_filter_is_saved_or_given_back(tmp_path: Path) -> None:
    nothing = cast("Any", None)
    told: list[Message] = []
    workspace = OpenWorkspace("work", Store(tmp_path, ".ticketr"), nothing)
    opened = Workspaces((workspace,), lambda _: nothing, told.append)
    services = Services(nothing, nothing, opened, told.append, in_thread=inline)
    shown = effects.Remember("work", "late", "key")
    saving = effects.Remember("work", "late", "key", (("mine", "late\x07"),), "late save:mine")

    await remember(services, shown)
    await remember(services, saving)
    assert told == [messages.FiltersSaved("work", saving.saved, {"mine": "late\ufffd"})]

    told.clear()
    (tmp_path / ".ticketr" / "app.json").unlink()
    (tmp_path / ".ticketr" / "app.json").mkdir()
    await remember(services, shown)
    await remember(services, saving)
    first, second = told
    assert isinstance(first, messages.Told)
    assert second == messages.NotWritten("work", saving, first.words)
    assert first.words.startswith("cannot remember the filter: ")
    assert "app.json is a folder" in first.words
