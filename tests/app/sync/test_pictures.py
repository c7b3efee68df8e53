"""Pictures in descriptions: Jira's media nodes, and the names of attached files."""

from __future__ import annotations

import re

import pytest
import trio
from fakes.described import attach, blocks, describe, p, picture
from fakes.lossy import cut_off
from fakes.pulls import Bench

from ticketr.app.jira import JiraClient, NotFound
from ticketr.app.sync import read_push_plan


def looked_up(bench: Bench) -> int:
    return sum("attachment/content" in each for each in bench.asked)


ODD = [
    "two words.png",
    "shot (2).png",
    "a [b] c.png",
    "größe 図.png",
    "../x.png",
    "100%.png",
    "a_b*c.png",
    "'q' \"r\".png",
]


async def test_a_picture_of_an_attachment_is_pulled_by_its_name(bench: Bench) -> None:
    attach(bench, "DEMO-1", "other.txt")
    shot = attach(bench, "DEMO-1", "shot.png")
    describe(bench, "DEMO-1", p("before"), picture(shot, alt="The shot"), p("after"))

    result = await bench.pull()

    assert "before\n\n![The shot](attachment:shot.png)\n\nafter" in bench.text("DEMO-1")
    assert looked_up(bench) == 2  # the alternative text is the name of neither
    assert "DEMO-1" not in result.inexact


async def test_a_file_that_the_site_does_not_tell_keeps_its_tags(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = attach(bench, "DEMO-1", "shot.png")
    describe(bench, "DEMO-1", picture(shot))
    answers = iter([NotFound("https://jira/x", 404, (), (), None, True), None])

    async def ask(*_: object) -> str:
        await trio.lowlevel.checkpoint()
        if answer := next(answers):
            raise answer
        return ""

    monkeypatch.setattr(JiraClient, "media_id", ask)

    assert (await bench.pull()).failed == ()
    assert 'adf="mediaSingle"' in bench.text("DEMO-1")
    bench.site.edit("DEMO-1", summary="Another title")
    assert (await bench.pull()).failed == ()
    assert 'adf="mediaSingle"' in bench.text("DEMO-1")
    assert list(answers) == []


async def test_the_likely_attachment_is_asked_for_first_and_only_once(bench: Bench) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        attach(bench, "DEMO-1", name)
    shot = attach(bench, "DEMO-1", "shot.png")
    describe(bench, "DEMO-1", picture(shot, alt="shot.png"))
    await bench.pull()
    assert looked_up(bench) == 1

    describe(bench, "DEMO-1", picture(shot, alt="shot.png"), p("more"))
    await bench.pull()

    assert looked_up(bench) == 0
    assert "![shot.png](attachment:shot.png)\n\nmore\n" in bench.text("DEMO-1")


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_name_goes_both_ways(bench: Bench, name: str) -> None:
    shot = attach(bench, "DEMO-1", name)
    attach(bench, "DEMO-1", "new.png")
    sent = [p("one"), picture(shot, alt="a"), p("two")]
    describe(bench, "DEMO-1", *sent)
    await bench.pull()
    assert "adf=" not in bench.text("DEMO-1")
    bench.edits("DEMO-1", "\ntwo\n", "\nthree\n")

    result = await bench.push()

    assert (result.failed, result.warnings) == ((), ())
    assert blocks(bench, "DEMO-1") == [*sent[:2], p("three")]
    await bench.pull()
    assert (await bench.push()).updated == ()


@pytest.mark.parametrize("name", ["<a>.png", "a|b.png", "a\nb.png", " a.png"])
async def test_a_name_that_the_form_cannot_say_keeps_its_tags(bench: Bench, name: str) -> None:
    shot = attach(bench, "DEMO-1", name)
    sent = [p("one"), picture(shot, alt="a")]
    describe(bench, "DEMO-1", *sent)
    await bench.pull()
    assert "adf=" in bench.text("DEMO-1")
    bench.edits("DEMO-1", "\none\n", "\ntwo\n")

    assert (await bench.push()).failed == ()

    assert blocks(bench, "DEMO-1") == [p("two"), sent[1]]


async def test_two_files_of_one_name_and_a_file_of_another_issue_keep_their_tags(
    bench: Bench,
) -> None:
    one, two = (attach(bench, "DEMO-1", "shot.png", each) for each in (b"1", b"2"))
    foreign = attach(bench, "DEMO-2", "foreign.png")
    sent = [picture(one), picture(two), picture(foreign), picture("no-such-file"), p("x")]
    describe(bench, "DEMO-1", *sent)
    await bench.pull()
    assert bench.text("DEMO-1").count('adf="mediaSingle"') == 4
    bench.edits("DEMO-1", "\nx\n", "\ny\n")

    assert (await bench.push()).failed == ()

    assert blocks(bench, "DEMO-1") == [*sent[:4], p("y")]


async def test_a_second_file_of_the_name_ends_the_short_form(bench: Bench) -> None:
    shot = attach(bench, "DEMO-1", "shot.png", b"1")
    describe(bench, "DEMO-1", picture(shot), p("x"))
    await bench.pull()
    assert "![](attachment:shot.png)" in bench.text("DEMO-1")

    attach(bench, "DEMO-1", "shot.png", b"2")
    await bench.pull()

    assert "attachment:" not in bench.text("DEMO-1")
    assert shot in bench.text("DEMO-1")
    assert (await bench.push()).updated == ()


async def test_the_layout_of_a_picture_can_be_edited(bench: Bench) -> None:
    shot = attach(bench, "DEMO-1", "shot.png")
    describe(bench, "DEMO-1", picture(shot, alt="a"))
    await bench.pull()
    bench.edits("DEMO-1", "![a](attachment:shot.png)", "![b](attachment:shot.png){wide}")

    assert (await bench.push()).updated == ("DEMO-1",)

    (found,) = blocks(bench, "DEMO-1")
    assert found["attrs"] == {"layout": "wide"}
    assert found["content"][0]["attrs"]["id"] == shot
    assert found["content"][0]["attrs"]["alt"] == "b"
    assert "![b](attachment:shot.png){wide}" in bench.text("DEMO-1")


async def test_an_attachment_may_be_named_by_hand(bench: Bench) -> None:
    describe(bench, "DEMO-1", p("x"))
    await bench.pull()
    shot = attach(bench, "DEMO-1", "new shot.png")
    bench.edits("DEMO-1", "\nx\n", "\nx\n\n![](<attachment:new shot.png>)\n")
    assert read_push_plan(bench.store).markup_sent_as_text == ()

    result = await bench.push()

    assert (result.failed, result.warnings, result.updated) == ((), (), ("DEMO-1",))
    assert blocks(bench, "DEMO-1") == [p("x"), picture(shot)]
    assert "![](<attachment:new shot.png>)" in bench.text("DEMO-1")
    again = await bench.push()
    assert again.updated == ()


async def test_a_name_of_no_attachment_is_sent_as_text_with_a_warning(bench: Bench) -> None:
    describe(bench, "DEMO-1", p("x"))
    await bench.pull()
    bench.edits("DEMO-1", "\nx\n", "\nx\n\n![](attachment:nope.png)\n")

    result = await bench.push()

    (warning,) = result.warnings
    assert re.fullmatch(
        r"Description: DEMO-1\.md:\d+: “!\[\]\(attachment:nope\.png\)” goes to Jira as text, .*",
        warning.reason,
    )
    assert blocks(bench, "DEMO-1")[1] == p("![](attachment:nope.png)")


async def test_both_sides_edit_a_description_with_a_picture(bench: Bench) -> None:
    shot = attach(bench, "DEMO-1", "shot.png")
    describe(bench, "DEMO-1", p("one"), picture(shot), p("two"))
    await bench.pull()
    bench.edits("DEMO-1", "\none\n", "\n1\n")
    describe(bench, "DEMO-1", p("one"), picture(shot), p("2"))

    result = await bench.sync()

    assert result.pull.conflicts == ()
    assert blocks(bench, "DEMO-1") == [p("1"), picture(shot), p("2")]
    assert "1\n\n![](attachment:shot.png)\n\n2\n" in bench.text("DEMO-1")


async def test_a_picture_that_a_cut_off_push_has_removed_can_be_put_back(bench: Bench) -> None:
    shot = attach(bench, "DEMO-1", "shot.png")
    sent = [p("one"), picture(shot, alt="a")]
    describe(bench, "DEMO-1", *sent)
    await bench.pull()
    before = bench.text("DEMO-1")
    bench.edits("DEMO-1", "\n![a](attachment:shot.png)\n", "\ntwo\n")
    await cut_off(bench, "PUT issue/DEMO-1")
    assert blocks(bench, "DEMO-1") == [p("one"), p("two")]
    (bench.root / "DEMO-1.md").write_text(before)
    bench.retitles("DEMO-1", "Another title")

    result = await bench.push()

    assert (result.failed, result.warnings, result.updated) == ((), (), ("DEMO-1",))
    assert blocks(bench, "DEMO-1") == sent
