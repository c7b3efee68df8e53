"""Test rich-text fields where a pull or a push ends early, and with pictures and links to people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fakes.described import attach, p, picture
from fakes.lossy import cut_off
from fakes.pulls import Bench
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr import JobFailed
from ticketr.app.sync.compare.diff import RichTextPart
from ticketr.app.sync.writing import writer


@dataclass
class KitBench(Bench):
    """A workspace of the project KIT that keeps rich-text fields."""

    def settings(self, **changes: Any) -> dict[str, Any]:
        fields = ("Environment", "Rollout Plan")
        return super().settings(**{"project": "KIT", "fields": fields} | changes)

    def sets(self, key: str, *blocks: dict[str, Any]) -> None:
        """Change the environment of an issue in Jira."""
        document = {"type": "doc", "version": 1, "content": list(blocks)}
        self.site.edit(key, values={**self.finds(key).values, "environment": document})

    def blocks(self, key: str) -> Any:
        return self.finds(key).values["environment"]["content"]


@pytest.fixture
def bench(tmp_path: Path, autojump_clock: MockClock) -> KitBench:
    return KitBench(make_site(tickets=1, seed=1, all_fields=True), tmp_path / "work")


async def test_a_text_whose_answer_was_lost_is_nobody_elses_change(bench: KitBench) -> None:
    await bench.pull()
    bench.edits("KIT-2", "fish market", "*new* market")
    await cut_off(bench, "PUT issue/*")
    with bench.state() as state:
        (sent,) = state.sent.values_by_key(str(bench.finds("KIT-2").id))["KIT-2"]
    assert (sent.part, sent.field_id) == (RichTextPart("Environment"), "environment")
    bench.edits("KIT-2", "*new* market", "old market")

    result = await bench.sync()

    assert (result.pull.conflicts, result.push.updated) == ((), ("KIT-2",))
    assert "by the **old market**." in bench.text("KIT-2")
    assert (await bench.push(dry_run=True)).total == 0


@pytest.mark.parametrize("edits", [False, True])
async def test_a_pull_that_ends_between_the_file_and_the_state_leaves_no_edit(
    bench: KitBench, monkeypatch: pytest.MonkeyPatch, *, edits: bool
) -> None:
    await bench.pull()
    bench.sets("KIT-2", p("one"), p("two"))
    bench.sets("KIT-3", p("new"))
    bench.site.edit("KIT-2", summary="Renamed")

    def die(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(writer, "record_written", die)
        with pytest.raises(JobFailed):
            await bench.pull()
    assert "## Field: Environment\none\n\ntwo\n" in bench.text("KIT-2")
    if edits:
        bench.edits("KIT-2", "two\n", "2\n")

    result = await bench.sync()

    assert result.pull.conflicts == ()
    assert result.push.updated == (("KIT-2",) if edits else ())
    assert bench.blocks("KIT-2") == [p("one"), p("2" if edits else "two")]
    assert bench.blocks("KIT-3") == [p("new")]
    assert (await bench.push(dry_run=True)).total == 0


async def test_pictures_of_attachments_are_shown_by_their_names(bench: KitBench) -> None:
    shot, other = (attach(bench, "KIT-3", name) for name in ("shot.png", "other.png"))
    bench.sets("KIT-3", p("before"), picture(shot, alt="The shot"))
    await bench.pull()
    assert "before\n\n![The shot](attachment:shot.png)\n" in bench.text("KIT-3")
    bench.edits("KIT-3", "before", "then\n\n![](attachment:other.png)")

    assert (await bench.push()).updated == ("KIT-3",)

    first, second, third = bench.blocks("KIT-3")
    assert first == p("then")
    assert second["content"][0]["attrs"]["id"] == other
    assert third == picture(shot, alt="The shot")


async def test_a_person_who_is_mentioned_by_name_is_looked_up(bench: KitBench) -> None:
    await bench.pull()
    bench.edits("KIT-2", "Then open.", "Ask @[Priya Raman].")

    result = await bench.push()

    assert (result.updated, result.warnings) == (("KIT-2",), ())
    sent = bench.finds("KIT-2").values["customfield_10101"]["content"][-1]["content"]
    assert [each["type"] for each in sent] == ["text", "mention", "text"]
    assert "Ask @[Priya Raman](712020:" in bench.text("KIT-2")


async def test_what_is_not_edited_is_not_sent(bench: KitBench) -> None:
    await bench.pull()
    bench.edits("KIT-2", "Then open.", "Then close.")

    await bench.push()

    (asked,) = [each for each in bench.asked if each.startswith("issue/KIT-2") and "{" in each]
    assert "customfield_10101" in asked
    assert "environment" not in asked
    assert "description" not in asked
