"""What a push finds out before the first write: ways to statuses, parents, fields of transitions."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar, TypeVarTuple

import pytest
from fakes.lossy import Answering, Lossy
from fakes.pulls import Bench, Recorder

from jira_sandbox import create_app
from jira_sandbox.data.catalogue import DONE, IN_PROGRESS, IN_REVIEW, TO_DO
from jira_sandbox.data.model import Status
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import Code, PushResult


def write(bench: Bench, text: str, name: str = "drafts.md") -> None:
    bench.root.mkdir(exist_ok=True)
    (bench.root / name).write_text(text)


class Remembering(Recorder):
    """Finds DEMO-1 by OLD-1 too, the key that it had in another project."""

    async def send(self, request: Request) -> Response:
        body = (request.body or b"").replace(b"OLD-1", b"DEMO-1") or None
        return await super().send(replace(request, body=body))


def moving(bench: Bench, status: Status) -> Lossy:
    """A way to the site, where somebody moves DEMO-1 just before its status is sent."""

    def before(method: str, at: str) -> None:
        if (method, at) == ("POST", "issue/DEMO-1/transitions") and bench.site not in moved:
            moved.append(bench.site)
            bench.site.transition("DEMO-1", status)

    moved: list[object] = []
    return Lossy(create_app(bench.site), lambda *_: None, before=before)


async def changes_nothing(bench: Bench, *, dry_run: bool) -> PushResult:
    """Push, and see that nothing was sent that changes anything."""
    sent: list[str] = []

    def before(method: str, at: str) -> None:
        is_write = method == "PUT" or (method, at.partition("/")[0]) == ("POST", "issue")
        sent.extend([f"{method} {at}"] if is_write and at != "issue/bulkfetch" else [])

    transport = Lossy(create_app(bench.site), lambda *_: None, before=before)
    result = await bench.push(transport=transport, dry_run=dry_run)
    assert sent == []
    assert (result.created, result.updated, result.total) == ((), (), 0)
    return result


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_status_out_of_reach_keeps_the_whole_ticket_back(
    bench: Bench, dry_run: bool
) -> None:
    await bench.pull()
    bench.edits("DEMO-1", "Status: To Do", "Status: Done")
    bench.edits("DEMO-1", "Priority: Low", "Priority: High")

    (note,) = (await changes_nothing(bench, dry_run=dry_run)).failed

    assert (note.key, note.path, note.code) == ("DEMO-1", "DEMO-1.md", Code.NO_TRANSITION)
    assert note.reason == (
        'Status: no transition leads to "Done" from where it is; '
        "those that can be reached: In Progress"
    )


async def test_the_way_to_a_status_is_asked_for_once(bench: Bench) -> None:
    await bench.pull()
    bench.edits("DEMO-1", "Status: To Do", "Status: in progress")

    assert (await bench.push()).updated == ("DEMO-1",)

    asked = [each for each in bench.asked if each.startswith("issue/DEMO-1/transitions")]
    assert asked == [
        "issue/DEMO-1/transitions",
        'issue/DEMO-1/transitions {"transition": {"id": "11"}}',
    ]
    assert bench.finds("DEMO-1").status.name == "In Progress"


@pytest.mark.parametrize("meanwhile", [IN_REVIEW, IN_PROGRESS], ids=lambda status: status.name)
async def test_a_ticket_that_was_taken_elsewhere_meanwhile_still_gets_there(
    bench: Bench, meanwhile: Status
) -> None:
    await bench.pull()
    bench.edits("DEMO-1", "Status: To Do", "Status: In Progress")

    result = await bench.push(transport=moving(bench, meanwhile))

    assert (result.updated, result.failed) == (("DEMO-1",), ())
    assert bench.finds("DEMO-1").status == IN_PROGRESS


async def test_what_was_sent_before_a_status_failed_after_all_is_told(bench: Bench) -> None:
    bench.site.transition("DEMO-1", IN_REVIEW)
    await bench.pull()
    bench.edits("DEMO-1", "Status: In Review", "Status: Done")
    bench.edits("DEMO-1", "Priority: Low", "Priority: High")
    bench.edits("DEMO-1", "Labels: search", "Labels: find")

    result = await bench.push(transport=moving(bench, TO_DO))

    assert result.updated == ("DEMO-1",)  # for it was changed
    (note,) = result.failed
    assert note.code is Code.NO_TRANSITION
    assert note.reason == (
        "Priority, Labels were sent, but not the rest: Status: no transition leads to "
        '"Done" from where it is; those that can be reached: In Progress'
    )
    assert bench.finds("DEMO-1").labels == ("find",)


async def test_a_new_type_is_asked_for_its_statuses_instead(bench: Bench) -> None:
    await bench.pull()
    bench.edits("DEMO-3", "Type: Bug\nStatus: To Do", "Type: Task\nStatus: In Progress")
    bench.edits("DEMO-6", "Type: Story\nStatus: To Do", "Type: Task\nStatus: Progress")

    result = await bench.push()

    assert result.updated == ("DEMO-3",)
    assert bench.finds("DEMO-3").status == IN_PROGRESS
    (note,) = result.failed
    assert (note.key, note.code) == ("DEMO-6", Code.BAD_VALUE)
    assert note.reason == 'Status: "Progress" is not a status of a Task; did you mean In Progress?'


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_draft_with_a_status_that_does_not_exist_is_not_created(
    bench: Bench, dry_run: bool
) -> None:
    write(bench, "# TICKET: Bad\n\n## Fields\nStatus: Bogus\n\n## Tasks\n- Its task\n")

    (note,) = (await changes_nothing(bench, dry_run=dry_run)).failed

    assert note.code is Code.BAD_VALUE
    assert note.reason == (
        'Status: "Bogus" is not a status of a Task; there is Done, In Progress, In Review, To Do'
    )


async def test_a_site_that_does_not_tell_its_statuses_stops_no_draft(bench: Bench) -> None:
    write(bench, "# TICKET: Good\n\n## Fields\nStatus: In Progress\n")
    transport = Answering(bench, "GET project/*/statuses", 403)

    assert (await bench.push(transport=transport)).created == ("DEMO-13",)
    assert transport.seen == 1


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_parent_that_jira_does_not_have_is_told_before_the_first_write(
    bench: Bench, dry_run: bool
) -> None:
    await bench.pull()
    bench.edits("DEMO-2", "Parent: DEMO-1", "Parent: DEMO-999")
    write(bench, "# TICKET: Orphan\n\n## Fields\nParent: BOGUS-1\n")

    notes = (await changes_nothing(bench, dry_run=dry_run)).failed

    assert [(each.path, each.code, each.reason) for each in notes] == [
        ("DEMO-2.md", Code.BAD_VALUE, "Parent: Jira has no DEMO-999, or you may not see it"),
        ("drafts.md", Code.BAD_VALUE, "Parent: Jira has no BOGUS-1, or you may not see it"),
    ]


async def test_a_parent_may_be_named_by_the_key_that_it_had_elsewhere(bench: Bench) -> None:
    text = "# TICKET: {0}\n\n## Fields\nType: Story\nParent: {0}\n\n"
    write(bench, text.format("OLD-1") + text.format("GONE-1"))

    result = await bench.push(dry_run=True, transport=Remembering(create_app(bench.site)))

    assert [each.title for each in result.planned] == ["OLD-1"]
    assert [each.title for each in result.failed] == ["GONE-1"]


FIELDS = ("Resolution",)


def line_of(bench: Bench, key: str, words: str) -> int:
    lines = (bench.root / f"{key}.md").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(words))


async def test_a_resolution_goes_with_the_transition_whose_screen_has_it(bench: Bench) -> None:
    bench.site.transition("DEMO-1", IN_REVIEW)
    await bench.pull(fields=FIELDS)
    bench.edits("DEMO-1", "Status: In Review", "Status: Done\nResolution: won't do")

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
    bench.edits("DEMO-1", "Status: To Do", "Status: Done\nResolution: Duplicate")

    assert (await bench.push(fields=FIELDS)).failed == ()

    resolution = bench.finds("DEMO-1").resolution
    assert resolution is not None
    assert resolution.name == "Duplicate"


@pytest.mark.parametrize("status", ["To Do", "In Progress"])
async def test_a_field_that_neither_screen_has_is_refused_by_jira_and_nothing_is_changed(
    bench: Bench, status: str
) -> None:
    await bench.pull(fields=FIELDS)
    bench.edits("DEMO-1", "Status: To Do", f"Status: {status}\nResolution: Done")
    bench.retitles("DEMO-1", "Another title")
    before = bench.finds("DEMO-1")

    result = await bench.push(fields=FIELDS)

    (note,) = result.failed
    assert (note.key, note.path, note.code) == ("DEMO-1", "DEMO-1.md", Code.REFUSED_BY_JIRA)
    assert "not on the appropriate screen" in note.reason
    now = bench.finds("DEMO-1")
    assert (now.summary, now.status) == (before.summary, before.status)
    assert "Resolution: Done" in bench.text("DEMO-1")


async def test_the_fields_that_no_transition_asks_for_are_sent_first(bench: Bench) -> None:
    bench.site.transition("DEMO-1", IN_REVIEW)
    await bench.pull(fields=FIELDS)
    bench.edits("DEMO-1", "Status: In Review", "Status: Done\nResolution: Done")
    bench.edits("DEMO-1", "Priority: Low", "Priority: High")

    assert (await bench.push(fields=FIELDS)).failed == ()

    assert bench.writes == ["PUT issue/DEMO-1", "POST issue/DEMO-1/transitions"]


@pytest.mark.parametrize("what", ["request", "answer"])
async def test_a_transition_with_fields_whose_answer_is_lost_loses_none_of_them(
    bench: Bench, what: str
) -> None:
    bench.site.transition("DEMO-1", IN_REVIEW)
    await bench.pull(fields=FIELDS)
    bench.edits("DEMO-1", "Status: In Review", "Status: Done\nResolution: Duplicate")

    def lose(method: str, at: str) -> str | None:
        if (method, at) != ("POST", "issue/DEMO-1/transitions"):
            return None
        if what == "request":  # somebody else moves it just then
            bench.site.transition("DEMO-1", DONE)
        return what

    result = await bench.push(fields=FIELDS, transport=Lossy(create_app(bench.site), lose))
    (note,) = result.failed
    assert note.code is Code.REQUEST_FAILED

    await bench.push(fields=FIELDS)
    assert "Resolution: Duplicate\n" in bench.text("DEMO-1")
    resolution = bench.finds("DEMO-1").resolution
    assert what == "request" or (resolution is not None and resolution.name == "Duplicate")


async def test_a_resolution_that_does_not_exist_is_refused_with_similar_ones(bench: Bench) -> None:
    bench.site.transition("DEMO-1", IN_REVIEW)
    await bench.pull(fields=FIELDS)
    bench.edits("DEMO-1", "Status: In Review", "Status: Done\nResolution: Duplicated")

    (note,) = (await bench.push(fields=FIELDS)).failed

    line = line_of(bench, "DEMO-1", "Resolution:")
    assert note.reason.startswith(f'Resolution: DEMO-1.md:{line}: "Duplicated" is not possible: ')
    assert "Duplicate" in note.reason.partition("not possible")[2]
    assert bench.writes == []


T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def test_a_ticket_that_a_pull_found_in_conflict_is_to_be_resolved_and_not_pulled_again(
    bench: Bench,
) -> None:
    await bench.pull()
    for key in ("DEMO-1", "DEMO-2"):
        bench.retitles(key, "Mine")
    bench.site.edit("DEMO-1", summary="Theirs")
    assert [note.key for note in (await bench.pull()).conflicts] == ["DEMO-1"]
    bench.site.edit("DEMO-1", labels=("more",))
    bench.site.edit("DEMO-2", summary="Theirs, since the pull")

    result = await bench.push()

    assert [(note.key, note.code, note.reason) for note in result.conflicts] == [
        (
            "DEMO-1",
            Code.CONFLICT,
            "it is in conflict with Jira (DEMO-1: Title); run ticketr resolve DEMO-1",
        ),
        (
            "DEMO-2",
            Code.CHANGED_IN_JIRA,
            "changed in Jira since the last pull (DEMO-2: Title); pull first, or sync",
        ),
    ]
    assert result.total == 0


async def test_a_conflict_is_over_when_the_file_says_what_jira_says(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    bench.site.edit("DEMO-1", summary="Theirs")
    await bench.pull()
    bench.retitles("DEMO-1", "Theirs")

    result = await bench.push()

    assert (result.conflicts, result.failed, result.total) == ((), (), 0)
    assert (await bench.pull()).conflicts == ()
