"""Fields that the edit screen does not have: sent with a transition, or named before a write."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from fakes.pulls import Bench, Recorder

from jira_sandbox import create_app
from jira_sandbox.data.catalogue import DONE, IN_PROGRESS, IN_REVIEW
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import Code

FIELDS = ("Resolution",)


def edit(bench: Bench, key: str, old: str, new: str) -> None:
    path = bench.root / f"{key}.md"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def line_of(bench: Bench, key: str, words: str) -> int:
    lines = (bench.root / f"{key}.md").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(words))


def editmeta(bench: Bench) -> list[str]:
    return [each for each in bench.asked if each.endswith("/editmeta")]


class Silent(Recorder):
    """Does not tell which fields an edit screen has."""

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        return replace(response, status=403) if request.url.endswith("/editmeta") else response


class WithoutParent(Recorder):
    """Leaves the parent out of each edit screen."""

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if not request.url.endswith("/editmeta"):
            return response
        fields = json.loads(response.body)["fields"]
        assert fields.pop("parent")
        return replace(response, body=json.dumps({"fields": fields}).encode())


@pytest.mark.parametrize("more", ["", "Priority: Low\n"])
async def test_a_parent_that_no_edit_screen_has_is_changed_as_a_bulk_change_does(
    bench: Bench, more: str
) -> None:
    made = [
        bench.site.create(
            project=bench.finds("DEMO-1").project,
            type=next(each.type for each in bench.site if each.type.name == name),
            summary=name,
        )
        for name in ("Epic", "Task")
    ]
    await bench.pull()
    edit(bench, made[1].key, "Status: ", f"Parent: {made[0].key}\nStatus: ")
    if more:  # else no edit screen is asked for
        edit(bench, made[1].key, "Priority: Medium\n", more)

    result = await bench.push(transport=WithoutParent(create_app(bench.site)))

    assert (result.updated, result.failed) == ((made[1].key,), ())
    assert bench.finds(made[1].key).parent == made[0].id


async def test_a_resolution_goes_with_the_transition_whose_screen_has_it(bench: Bench) -> None:
    bench.site.transition("DEMO-1", IN_REVIEW)
    await bench.pull(fields=FIELDS)
    edit(bench, "DEMO-1", "Status: In Review", "Status: Done\nResolution: won't do")

    result = await bench.push(fields=FIELDS)

    assert (result.updated, result.failed) == (("DEMO-1",), ())
    assert bench.writes == ["POST issue/DEMO-1/transitions"]
    now = bench.finds("DEMO-1")
    assert now.status == DONE
    assert now.resolution is not None
    assert now.resolution.name == "Won't Do"
    assert "Resolution: Won't Do\n" in (bench.root / "DEMO-1.md").read_text()
    assert (await bench.push(fields=FIELDS)).total == 0


async def test_a_resolution_goes_with_the_last_of_several_transitions(bench: Bench) -> None:
    first = bench.finds("DEMO-1")
    for status in (IN_PROGRESS, IN_REVIEW):
        made = bench.site.create(project=first.project, type=first.type, summary="Other")
        bench.site.transition(made.key, status)
    await bench.pull(fields=FIELDS)
    edit(bench, "DEMO-1", "Status: To Do", "Status: Done\nResolution: Duplicate")

    assert (await bench.push(fields=FIELDS)).failed == ()

    resolution = bench.finds("DEMO-1").resolution
    assert resolution is not None
    assert resolution.name == "Duplicate"


async def test_a_resolution_alone_is_refused_with_its_file_and_line(bench: Bench) -> None:
    await bench.pull(fields=FIELDS)
    edit(bench, "DEMO-1", "Status: To Do", "Status: To Do\nResolution: Done")
    bench.retitles("DEMO-1", "Another title")

    result = await bench.push(fields=FIELDS)

    (note,) = result.failed
    assert (note.key, note.path, note.code) == ("DEMO-1", "DEMO-1.md", Code.INVALID)
    assert note.reason == (
        f"Resolution: DEMO-1.md:{line_of(bench, 'DEMO-1', 'Resolution:')}: the edit screen of this "
        "ticket has no such field, so Jira would refuse it; it is set together with a new Status "
        "whose transition asks for it"
    )
    assert (result.total, bench.writes) == (0, [])


async def test_a_resolution_is_refused_if_no_transition_asks_for_it(bench: Bench) -> None:
    await bench.pull(fields=FIELDS)
    edit(bench, "DEMO-1", "Status: To Do", "Status: In Progress\nResolution: Done")

    (note,) = (await bench.push(fields=FIELDS)).failed

    assert note.reason.endswith("no transition to the new Status asks for it either")
    assert bench.writes == []


async def test_a_resolution_that_does_not_exist_is_refused_with_similar_ones(bench: Bench) -> None:
    bench.site.transition("DEMO-1", IN_REVIEW)
    await bench.pull(fields=FIELDS)
    edit(bench, "DEMO-1", "Status: In Review", "Status: Done\nResolution: Duplicated")

    (note,) = (await bench.push(fields=FIELDS)).failed

    line = line_of(bench, "DEMO-1", "Resolution:")
    assert note.reason.startswith(f'Resolution: DEMO-1.md:{line}: "Duplicated" is not possible: ')
    assert "Duplicate" in note.reason.partition("not possible")[2]
    assert bench.writes == []


async def test_a_site_that_does_not_tell_its_screens_is_asked_to_take_the_field(
    bench: Bench,
) -> None:
    await bench.pull(fields=FIELDS)
    edit(bench, "DEMO-1", "Status: To Do", "Status: To Do\nResolution: Done")

    result = await bench.push(fields=FIELDS, transport=Silent(create_app(bench.site)))

    (note,) = result.failed
    assert note.code is Code.REFUSED
    assert "not on the appropriate screen" in note.reason


@pytest.mark.parametrize(
    ("edits", "asked"),
    [
        ({"DEMO-1": ("# TICKET: [DEMO-1] ", "# TICKET: [DEMO-1] New ")}, 0),
        ({"DEMO-1": ("Status: To Do", "Status: In Progress")}, 0),
        ({"DEMO-1": ("Priority: Low", "Priority: High")}, 1),
    ],
)
async def test_an_edit_screen_is_asked_for_only_if_a_field_was_edited(
    bench: Bench, edits: dict[str, tuple[str, str]], asked: int
) -> None:
    await bench.pull()
    for key, (old, new) in edits.items():
        edit(bench, key, old, new)

    assert (await bench.push()).failed == ()
    assert len(editmeta(bench)) == asked


async def test_tickets_of_one_type_and_status_share_an_edit_screen(bench: Bench) -> None:
    first = bench.finds("DEMO-1")
    keys = [
        bench.site.create(project=first.project, type=first.type, summary=f"Number {number}").key
        for number in range(3)
    ]
    await bench.pull()
    for key in keys:
        edit(bench, key, "Priority: Medium", "Priority: High")

    assert len((await bench.push()).updated) == 3
    assert len(editmeta(bench)) == 1
