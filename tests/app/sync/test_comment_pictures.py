"""Pictures in comments: shown by the names of attached files, and files on disk are attached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.comments import CommentBench
from fakes.described import attach, p, picture
from fakes.lossy import Lossy
from trio.testing import MockClock

from jira_sandbox import create_app, make_site
from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.parts import Comment
from ticketr.app.sync import read_push_plan


@pytest.fixture
def bench(tmp_path: Path, autojump_clock: MockClock) -> CommentBench:
    """Return a site and a workspace whose files hold comments, with a picture on disk."""
    (tmp_path / "shot.png").write_bytes(b"png")
    return CommentBench(make_site(tickets=6, seed=1), tmp_path)


def comment(bench: CommentBench, *blocks: dict[str, Any]) -> None:
    body, now = {"type": "doc", "version": 1, "content": list(blocks)}, bench.site.millis()
    made = Comment(bench.site.next_part(), DEMO_USER, body, created=now, updated=now)
    bench.site.edit("DEMO-1", comments=(*bench.finds("DEMO-1").comments, made))


def write(bench: CommentBench, words: str, name: str = "DEMO-1.md") -> None:
    path = bench.root / name
    path.write_text(f"{path.read_text().rstrip()}\n\n## Comments\n- new: {words}\n")


def kinds(bench: CommentBench, key: str = "DEMO-1") -> list[str]:
    """Return the kinds of the blocks of an issue's last comment."""
    body: Any = bench.finds(key).comments[-1].body
    return [each["type"] for each in body["content"]]


def names(bench: CommentBench, key: str = "DEMO-1") -> list[str]:
    return [each.name for each in bench.finds(key).attachments]


async def test_a_picture_in_a_comment_is_pulled_by_the_name_of_its_file(
    bench: CommentBench,
) -> None:
    comment(bench, p("Look"), picture(attach(bench, "DEMO-1", "plan.png"), alt="The plan"))

    await bench.pull()

    assert "Look\n\n  ![The plan](attachment:plan.png)\n" in bench.text("DEMO-1")
    assert (await bench.push()).total == 0


async def test_the_words_beside_a_picture_of_a_comment_can_be_edited(bench: CommentBench) -> None:
    comment(bench, p("Look"), picture(attach(bench, "DEMO-1", "plan.png"), alt="The plan"))
    (before,) = bench.finds("DEMO-1").comments
    await bench.pull()
    bench.edits("DEMO-1", "Look\n", "Look here\n")

    result = await bench.push()

    (now,) = bench.finds("DEMO-1").comments
    assert (result.updated, result.warnings) == (("DEMO-1",), ())
    assert now.body["content"][1] == before.body["content"][1]
    assert now.body["content"][0] == p("Look here")


async def test_a_new_comment_can_show_an_attachment(bench: CommentBench) -> None:
    attach(bench, "DEMO-1", "plan.png")
    await bench.pull()
    write(bench, "See\n\n  ![](attachment:plan.png)")

    result = await bench.push()

    assert (result.failed, result.warnings) == ((), ())
    assert kinds(bench) == ["paragraph", "mediaSingle"]
    assert "![](attachment:plan.png)" in bench.text("DEMO-1")


async def test_a_name_that_no_attachment_has_is_text_with_a_warning(bench: CommentBench) -> None:
    await bench.pull()
    write(bench, "See\n\n  ![](attachment:plan.png)")

    (warning,) = (await bench.push()).warnings

    assert "“![](attachment:plan.png)” goes to Jira as text" in warning.reason
    assert kinds(bench) == ["paragraph", "paragraph"]


async def test_a_picture_on_disk_is_attached_and_shown(bench: CommentBench) -> None:
    await bench.pull()
    write(bench, "See\n\n  ![The shot](shot.png){wide}")
    (entry,) = read_push_plan(bench.store).entries

    result = await bench.push()

    assert "shot.png, 3 bytes" in [each.new for each in entry.changes]
    assert (result.failed, result.warnings) == ((), ())
    assert names(bench) == ["shot.png"]
    assert kinds(bench) == ["paragraph", "mediaSingle"]
    assert "![The shot](attachment:shot.png){wide}" in bench.text("DEMO-1")
    assert (await bench.push()).total == 0


async def test_a_picture_on_disk_can_be_added_to_an_own_comment(bench: CommentBench) -> None:
    comment(bench, p("Look"))
    await bench.pull()
    bench.edits("DEMO-1", "  Look\n", "  Look\n\n  ![](shot.png)\n")

    result = await bench.push()

    assert (result.failed, result.warnings) == ((), ())
    assert (names(bench), kinds(bench)) == (["shot.png"], ["paragraph", "mediaSingle"])
    assert "![](attachment:shot.png)" in bench.text("DEMO-1")
    assert (await bench.push()).total == 0


async def test_a_comment_of_a_new_ticket_gets_its_picture_once_the_ticket_exists(
    bench: CommentBench,
) -> None:
    await bench.pull()
    (bench.root / "new.md").write_text("# TICKET: New\n")
    write(bench, "See\n\n  ![](shot.png)", "new.md")

    result = await bench.push()

    (key,) = result.created
    assert result.failed == ()
    assert (names(bench, key), kinds(bench, key)) == (["shot.png"], ["paragraph", "mediaSingle"])
    assert "![](attachment:shot.png)" in (bench.root / "new.md").read_text()


@pytest.mark.parametrize("lost", ["issue/DEMO-1/attachments", "issue/DEMO-1/comment"])
async def test_a_lost_answer_attaches_and_adds_nothing_twice(
    bench: CommentBench, lost: str
) -> None:
    await bench.pull()
    write(bench, "See\n\n  ![](shot.png)")

    def lose(method: str, at: str) -> str | None:
        return "answer" if (method, at) == ("POST", lost) else None

    await bench.push(transport=Lossy(create_app(bench.site), lose))
    await bench.push()

    assert (names(bench), len(bench.finds("DEMO-1").comments)) == (["shot.png"], 1)
    assert "![](attachment:shot.png)" in bench.text("DEMO-1")
    assert (await bench.push()).total == 0
