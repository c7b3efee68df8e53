"""Bulk changes: cancelled and with lost answers, a true count; each field as documented."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.lossy import Lossy
from fakes.pulls import Bench, Recorder
from planned_faults import PlannedFaults
from rows import for_each
from sandbox_specs import load, problems, schema_validator
from trio.testing import MockClock

from jira_sandbox import Fault, FaultKind, create_app, make_site
from jira_sandbox.data.workflow import transitions_from
from ticketr import JobFailed, JobStatus, open_job_queue
from ticketr.app.jira import AllowedValue, User
from ticketr.app.jira.errors import ConnectFailed
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import BulkChange, BulkIssue, BulkJob, FieldSetting, FindIssuesJob
from ticketr.app.sync.compare.diff import Part, RichTextPart
from ticketr.app.sync.jobs.bulk import CANCEL_REQUEST_TIMEOUT_SECONDS
from ticketr.app.sync.jobs.bulk_change import make_bulk_field_ids_and_values
from ticketr.app.sync.push.values import BadValue, FieldSpec, NameLookup

LOW = BulkChange((FieldSetting("Labels", "swept"),))


@pytest.fixture
def large(tmp_path: Path) -> Bench:
    return Bench(make_site(tickets=1000, seed=1), tmp_path / "work", latency=0.2)


async def find(bench: Bench) -> tuple[BulkIssue, ...]:
    async with open_job_queue() as queue:
        job = FindIssuesJob(**bench.settings(), search_jql="project = DEMO")
        return await queue.run(job)


def swept(bench: Bench) -> int:
    return sum("swept" in each.labels for each in bench.site)


async def test_a_thousand_issues_are_changed_in_ten_requests(
    large: Bench, autojump_clock: MockClock
) -> None:
    issues = await find(large)
    job = BulkJob(**large.settings(), issues=issues, change=LOW)

    async with open_job_queue() as queue:
        result = await queue.run(job)

    assert (len(result.done), result.failed, result.unknown) == (1000, (), ())
    assert swept(large) == 1000


@pytest.mark.parametrize("seconds", [1.5, 2.5, 3.0, 3.5])
async def test_a_change_that_is_cancelled_in_the_middle_says_the_number_done(
    large: Bench, autojump_clock: MockClock, seconds: float
) -> None:
    issues = await find(large)
    job = BulkJob(**large.settings(), issues=issues, change=LOW)

    async with open_job_queue() as queue:
        handle = await queue.submit(job)
        await trio.sleep(seconds)
        handle.cancel()
        snapshot = await handle.wait()

    assert snapshot.status is JobStatus.CANCELLED
    result = job.so_far()
    assert snapshot.progress is not None
    words = f"Cancelled: {len(result.done)}/1000 tickets changed"
    assert (snapshot.progress.message or "").startswith(words)
    assert len(result.done) <= swept(large) <= len(result.done) + len(result.unknown)
    assert swept(large) < 1000


async def test_a_lost_answer_is_no_success_and_no_failure(bench: Bench) -> None:
    issues = await find(bench)

    def lose(_: str, at: str) -> str | None:
        return "answer" if at == "bulk/issues/fields" else None

    settings = bench.settings(transport=Lossy(create_app(bench.site), lose))
    job = BulkJob(**settings, issues=issues, change=LOW)
    async with open_job_queue() as queue:
        with pytest.raises(JobFailed):
            await queue.run(job)

    result = job.so_far()
    assert (result.done, result.failed) == ((), ())
    assert set(result.unknown) == {each.key for each in issues}


async def test_an_issue_that_was_deleted_meanwhile_fails_alone(bench: Bench) -> None:
    issues = await find(bench)
    gone = replace(issues[0], id="999", key="DEMO-999")
    job = BulkJob(**bench.settings(), issues=(gone, *issues[1:]), change=LOW)

    async with open_job_queue() as queue:
        result = await queue.run(job)

    assert [note.key for note in result.failed] == ["DEMO-999"]
    assert len(result.done) == 11


async def test_sub_tasks_are_deleted_before_their_parents_and_each_is_counted(
    large: Bench, autojump_clock: MockClock
) -> None:
    issues = await find(large)
    parents = [each for each in issues if each.subtask_ids]
    others = [each for each in issues if not each.subtask_ids]
    job = BulkJob(**large.settings(), issues=(*parents, *others), change=BulkChange(delete=True))

    async with open_job_queue() as queue:
        handle = await queue.submit(job)
        snapshot = await handle.wait()

    assert parents
    result = job.so_far()
    assert (len(result.done), result.failed, result.unknown) == (1000, (), ())
    assert snapshot.progress is not None
    assert snapshot.progress.message == "Deleted 1000 tickets"
    assert [each for each in large.site if each.project.key == "DEMO"] == []


class Refusing(Recorder):
    """Refuses to begin a bulk change: as Jira, as a gateway, or by no connection."""

    def __init__(self, bench: Bench, how: str) -> None:
        super().__init__(create_app(bench.site))
        self._how = how

    async def send(self, request: Request) -> Response:
        if "/bulk/issues/fields" not in request.url:
            return await super().send(request)
        if self._how == "connection":
            raise ConnectFailed(request.url, "refused")
        body = b'{"errorMessages": ["No."]}' if self._how == "jira" else b"<html>"
        return Response(403, {}, body, request.url)


@pytest.mark.parametrize(
    ("how", "failed", "unknown"), [("jira", 12, 0), ("gateway", 0, 12), ("connection", 0, 0)]
)
async def test_what_jira_has_not_begun_is_not_unknown(
    bench: Bench, how: str, failed: int, unknown: int
) -> None:
    issues = await find(bench)
    job = BulkJob(**bench.settings(transport=Refusing(bench, how)), issues=issues, change=LOW)

    async with open_job_queue() as queue:
        handle = await queue.submit(job)
        await handle.wait()

    result = job.so_far()
    assert (len(result.done), len(result.failed), len(result.unknown)) == (0, failed, unknown)


class Stuck(Recorder):
    """Answers no question for the progress of a task."""

    async def send(self, request: Request) -> Response:
        if "/bulk/queue/" in request.url:
            await trio.sleep_forever()
        return await super().send(request)


async def test_jira_is_asked_to_leave_out_the_rest_of_a_change_that_is_cancelled(
    large: Bench, autojump_clock: MockClock
) -> None:
    issues = await find(large)
    wire = Stuck(create_app(large.site, latency=0.2))
    job = BulkJob(**large.settings(transport=wire), issues=issues, change=LOW)
    began = trio.current_time()

    async with open_job_queue() as queue:
        handle = await queue.submit(job)
        await trio.sleep(5.0)
        handle.cancel()
        await handle.wait()

    (task,) = large.site.registry.tasks()
    assert wire.writes[-1] == f"POST task/{task.id}/cancel"
    assert trio.current_time() - began == pytest.approx(5.0 + CANCEL_REQUEST_TIMEOUT_SECONDS)


MOVED = BulkChange(status="Done")


def gateway(bench: Bench, path: str, times: int = 1, turn: int = 8) -> dict[str, Any]:
    """Return the settings for a site whose gateway refuses, by a 429, what the site carries out."""
    refusals = (Fault(FaultKind.REFUSED, turn=turn),) * times
    faults = PlannedFaults(*refusals, method="POST", path=path)
    wire = Recorder(create_app(bench.site, faults=faults))
    settings = bench.settings(transport=wire)
    bench.asked, bench.writes = wire.asked, wire.writes
    return settings


def ready_for(bench: Bench, status: str) -> list[str]:
    """Bring every issue to where a transition leads to a status; return their keys."""
    for issue in list(bench.site):
        while not any(each.to.name == status for each in transitions_from(bench.finds(issue.key))):
            bench.site.transition(issue.key, transitions_from(bench.finds(issue.key))[0].to)
    return [issue.key for issue in bench.site]


@pytest.mark.parametrize("turn", [8, 9])
@pytest.mark.parametrize(
    ("change", "path"),
    [(LOW, "fields"), (MOVED, "transition"), (BulkChange(delete=True), "delete")],
    ids=["set", "transition", "delete"],
)
async def test_a_change_that_a_rate_limit_refused_and_jira_made_is_counted_as_made(
    bench: Bench, change: BulkChange, path: str, turn: int
) -> None:
    ready_for(bench, "Done")
    issues = await find(bench)
    job = BulkJob(**gateway(bench, f"bulk/issues/{path}", turn=turn), issues=issues, change=change)

    async with open_job_queue() as queue:
        result = await queue.run(job)

    assert set(result.done) == {each.key for each in issues}
    assert (result.unneeded, result.failed, result.unknown) == ((), (), ())
    # Fields are set twice; sub-tasks are deleted before the others.
    assert len([each for each in bench.writes if path in each]) == (1 if change is MOVED else 2)


async def test_an_issue_that_has_the_status_is_left_alone_and_not_counted(bench: Bench) -> None:
    keys = ready_for(bench, "Done")
    done = next(
        each.to for each in transitions_from(bench.finds(keys[0])) if each.to.name == "Done"
    )
    issues = await find(bench)
    bench.site.transition(keys[0], done)  # after they were found
    before = len(bench.finds(keys[0]).history)

    job = BulkJob(**bench.settings(), issues=issues, change=BulkChange(status="done"))
    async with open_job_queue() as queue:
        handle = await queue.submit(job)
        snapshot = await handle.wait()

    result = job.so_far()
    assert (result.unneeded, result.unneeded_state, result.failed) == ((keys[0],), "Done", ())
    assert set(result.done) == set(keys[1:])
    assert snapshot.progress is not None
    assert snapshot.progress.message == "Changed 11 tickets, 1 was already Done"
    assert len(bench.finds(keys[0]).history) == before


CHOICES = (AllowedValue("10", "Web", (AllowedValue("11", "Shop"),)), AllowedValue("12", "Desk"))
LOOKUP = NameLookup(people={"Mia": (User("a-1", "Mia", "", ""),)}, time_zone="Europe/Berlin")


def spec(type_: str, items: str = "", *, id_: str = "f", custom: str = "") -> FieldSpec:
    return FieldSpec(id_, "Name", type_, items, CHOICES, custom_type=f"com.example:{custom}")


#: By a group: a field of it, the text that is set, and the entry without the ID of the field.
SET: dict[str, tuple[FieldSpec, str, Any]] = {
    "clearableNumberFields": (spec("number"), "7.5", {"value": 7.5}),
    "datePickerFields": (spec("date"), "2026-01-31", {"date": {"formattedDate": "31-01-2026"}}),
    "dateTimePickerFields": (
        spec("datetime"),
        "2026-01-31 09:30",
        {"dateTime": {"formattedDateTime": "2026-01-31T09:30:00.000+01:00"}},
    ),
    "issueType": (spec("issuetype", id_="issuetype"), "Desk", {"issueTypeId": "12"}),
    "labelsFields": (
        spec("array", "string"),
        "a",
        {"bulkEditMultiSelectFieldOption": "REPLACE", "labels": [{"name": "a"}]},
    ),
    "multipleSelectClearableUserPickerFields": (
        spec("array", "user"),
        "Mia",
        {"users": [{"accountId": "a-1"}]},
    ),
    "multipleSelectFields": (spec("array", "option"), "Web", {"options": [{"optionId": 10}]}),
    "multipleVersionPickerFields": (
        spec("array", "version"),
        "Web",
        {"bulkEditMultiSelectFieldOption": "REPLACE", "versions": [{"versionId": "10"}]},
    ),
    "multiselectComponents": (
        spec("array", "component", id_="components"),
        "Web",
        {
            "fieldId": "components",
            "bulkEditMultiSelectFieldOption": "REPLACE",
            "components": [{"componentId": 10}],
        },
    ),
    "priority": (spec("priority", id_="priority"), "Web", {"priorityId": "10"}),
    "singleLineTextFields": (spec("string", custom="textfield"), "x", {"text": "x"}),
    "singleSelectClearableUserPickerFields": (spec("user"), "Mia", {"user": {"accountId": "a-1"}}),
    "singleSelectFields": (spec("option"), "Web", {"option": {"optionId": 10}}),
    "singleVersionPickerFields": (spec("version"), "Web", {"version": {"versionId": "10"}}),
    "urlFields": (spec("string", custom="url"), "https://a.example", {"url": "https://a.example"}),
}
#: The groups that no `--set` of a line fills, and why.
ELSEWHERE = {
    "originalEstimateField": "set alone, it would replace the remaining estimate",
    "timeTrackingField": "the files have both estimates",
    "status": "--transition changes it by transitions",
    "richTextFields": "a section of a file, see below",
    "cascadingSelectFields": "set in files only",
    "colorFields": "set in files only",
    "multipleGroupPickerFields": "set in files only",
    "singleGroupPickerFields": "set in files only",
}
#: What cannot be cleared.
KEPT = {"issueType", "priority"}
TEXTS: dict[Part, FieldSpec] = {
    RichTextPart("Environment"): FieldSpec("environment", "Environment", "string")
}


def values_of(field: FieldSpec, text: str) -> dict[str, object]:
    return make_bulk_field_ids_and_values((FieldSetting("Name", text),), {"Name": field}, LOOKUP)[1]


def payload(fields: list[str], values: dict[str, object]) -> dict[str, object]:
    return {
        "selectedIssueIdsOrKeys": ["1"],
        "selectedActions": fields,
        "editedFieldsInput": values,
        "sendBulkNotification": False,
    }


def without_nulls(value: Any) -> Any:
    """Leave out what is null: the document's words ask for it, and its schemas have no null."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def test_the_document_has_no_group_that_is_not_in_a_table() -> None:
    groups = load("jira-openapi.json")["components"]["schemas"]["JiraIssueFields"]["properties"]

    assert set(groups) == {*SET, *ELSEWHERE}


@for_each("group", SET)
def test_a_field_goes_into_its_group_as_the_document_says(group: str) -> None:
    field, text, entry = SET[group]
    values = values_of(field, text)

    alone = group in {"issueType", "multiselectComponents", "priority"}
    assert values == {group: entry if alone else [{"fieldId": "f", **entry}]}
    assert not problems(schema_validator("IssueBulkEditPayload"), payload([field.id], values))


@for_each("group", SET)
def test_a_field_is_cleared_as_the_document_says(group: str) -> None:
    field, _, _ = SET[group]
    if group in KEPT:
        with pytest.raises(BadValue, match="cannot be cleared"):
            values_of(field, "")
        return

    values = values_of(field, "")

    assert [*values] == [group]
    sent = without_nulls(payload([field.id], values))
    assert not problems(schema_validator("IssueBulkEditPayload"), sent)


@pytest.mark.parametrize("text", ["Chrome **120**", ""])
def test_a_rich_text_goes_into_its_group(text: str) -> None:
    settings = (FieldSetting("Environment", text),)
    ids, values = make_bulk_field_ids_and_values(settings, TEXTS, LOOKUP)

    entries: Any = values["richTextFields"]
    assert (ids, len(entries), bool(entries[0]["richText"])) == (("environment",), 1, bool(text))
    assert not problems(schema_validator("IssueBulkEditPayload"), payload([*ids], values))


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (spec("string", custom="jsw-issue-color"), "purple"),
        (spec("option-with-child"), "Web > Shop"),
        (FieldSpec("f", "Name", "group"), "managers"),
        (spec("team"), ""),
    ],
)
def test_what_no_group_takes_is_refused(field: FieldSpec, text: str) -> None:
    with pytest.raises(BadValue, match="cannot be set in bulk; edit the files"):
        values_of(field, text)


def test_a_rich_text_is_not_added_to() -> None:
    setting = FieldSetting.read("Environment+=x")
    assert setting is not None

    with pytest.raises(BadValue, match="only labels"):
        make_bulk_field_ids_and_values((setting,), TEXTS, LOOKUP)
