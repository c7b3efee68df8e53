"""Values that Jira writes in its own way, when a push did not hear what became of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fakes.lossy import Lossy, cut_off
from fakes.pulls import Bench
from fakes.wire import Wire
from planned_faults import PlannedFaults
from trio.testing import MockClock

from jira_sandbox import Fault, FaultKind, create_app, make_site
from jira_sandbox.data.catalogue import COMPONENTS, MEDIUM, PRIORITIES, STORY, USERS, VERSIONS
from ticketr.app.sync import Code
from ticketr.app.tickets import parse, render_ticket

DAY = 1_769_851_800_000  # 2026-01-31T09:30Z
NOT_ALLOWED = 2  # which of the refusals says "You do not have the permission."


@dataclass(frozen=True)
class Case:
    """A line that is written twice, and once by somebody else.

    Attributes:
        line: its name.
        typed: what is pushed first.
        shown: the same as Jira shows it.
        again: what is written then.
        final: the same as Jira shows it.
        theirs: what somebody else may have made of it in Jira; empty for nothing.
    """

    line: str
    typed: str
    shown: str
    again: str
    final: str
    theirs: dict[str, Any]


CASES = [
    Case(
        "Labels", "zeta, alpha, zeta", "alpha, zeta", "zeta, beta", "beta, zeta", {"labels": ("x",)}
    ),
    Case(
        "Assignee",
        "priya@example.com",
        "Priya Raman",
        "zoe@example.com",
        "Zoë Åkesson",
        {"assignee": USERS[4]},
    ),
    Case("Priority", "highest", "Highest", "LOWEST", "Lowest", {"priority": PRIORITIES[1]}),
    Case("Story Points", "5.0", "5", "8.50", "8.5", {"story_points": 1.0}),
    Case(
        "Ready At",
        "2026-01-31T09:30:00Z",
        "2026-01-31T15:00:00.000+0530",
        "2026-02-01 09:30",
        "2026-02-01T09:30:00.000+0530",
        {"ready": DAY + 1},
    ),
    Case(
        "Components",
        "platform, Checkout",
        "Checkout, Platform",
        "warehouse, Accounts",
        "Accounts, Warehouse",
        {"components": COMPONENTS[:1]},
    ),
    Case("Type", "bug", "Bug", "task", "Task", {}),
    Case("Status", "in progress", "In Progress", "IN REVIEW", "In Review", {}),
    Case(
        "Fix Version",
        '"2026.1", 2025.4',
        "2025.4, 2026.1",
        "2026.2",
        "2026.2",
        {"fix_versions": VERSIONS[:1]},
    ),
]
STATUS = [each for each in CASES if each.line == "Status"]  # a request of its own
FIELDS = [each for each in CASES if each.line != "Status"]
Cases = list[Case]


class Fielded(Bench):
    """A bench whose files hold further fields."""

    def settings(self, **changes: Any) -> dict[str, Any]:
        return super().settings(**{"fields": ("Ready At",)} | changes)


@pytest.fixture
def bench(tmp_path: Path, autojump_clock: MockClock) -> Bench:
    site = make_site(tickets=3, seed=1)
    site.edit("DEMO-1", type=STORY, labels=("ui",), components=(), story_points=None)
    site.edit("DEMO-1", fix_versions=(), priority=MEDIUM)
    return Fielded(site, tmp_path / "work")


def write_lines(bench: Bench, key: str, lines: dict[str, str]) -> None:
    """Write lines of a ticket in its own file."""
    path = bench.root / f"{key}.md"
    (ticket,) = parse(path.read_text()).tickets
    path.write_text(render_ticket(replace(ticket, fields={**ticket.fields, **lines})))


def lines_of(bench: Bench, key: str, cases: Cases) -> dict[str, str]:
    """Read the lines of a ticket from whatever file it stands in."""
    tickets = [each for text in bench.files().values() for each in parse(text).tickets]
    (fields,) = (each.fields for each in tickets if each.key == key)
    return {each.line: fields.get(each.line, "") for each in cases}


def typed(cases: Cases) -> dict[str, str]:
    return {each.line: each.typed for each in cases}


def again(cases: Cases) -> dict[str, str]:
    return {each.line: each.again for each in cases}


async def lose_the_answer(bench: Bench, cases: Cases) -> str:
    """Jira takes the values, and the push is cut off before it hears so."""
    await bench.pull()
    write_lines(bench, "DEMO-1", typed(cases))
    await cut_off(bench, "POST issue/*/transitions" if cases is STATUS else "PUT issue/*")
    return "DEMO-1"


def silence_after(method: str, path: str) -> Callable[[str, str], str | None]:
    """Lose every answer to a bulk fetch from the first request of a kind on."""
    seen: list[str] = []

    def lose(asked: str, at: str) -> str | None:
        if (asked, at) == (method, path):
            seen.append(at)
        return "request" if seen and at == "issue/bulkfetch" else None

    return lose


async def lose_it_for_a_refusal(bench: Bench, cases: Cases) -> str:
    """Jira takes the values, and the answer says that it does not."""
    await bench.pull()
    write_lines(bench, "DEMO-1", typed(cases))
    last = ("POST", "/issue/DEMO-1/trans") if cases is STATUS else ("PUT", "/issue/DEMO-1")
    faults = PlannedFaults(Fault(FaultKind.REFUSED, turn=NOT_ALLOWED), method=last[0], path=last[1])
    result = await bench.push(transport=Wire(create_app(bench.site, faults=faults)))
    # A status is looked at at once.
    assert [note.code for note in result.failed] == [Code.REFUSED_BY_JIRA] * (cases is not STATUS)
    return "DEMO-1"


async def lose_what_is_read_again(bench: Bench, cases: Cases) -> str:
    """Jira confirms the values, and the push does not hear what Jira makes of them."""
    await bench.pull()
    write_lines(bench, "DEMO-1", typed(cases))
    last = ("POST", "issue/DEMO-1/transitions") if cases is STATUS else ("PUT", "issue/DEMO-1")
    result = await bench.push(transport=Lossy(create_app(bench.site), silence_after(*last)))
    assert [note.code for note in result.warnings] == [Code.REQUEST_FAILED]
    return "DEMO-1"


async def lose_what_is_made(bench: Bench, cases: Cases) -> str:
    """Jira makes an issue with the values, and the push does not hear what Jira makes of them."""
    await bench.pull()
    (bench.root / "DEMO-4.md").write_text("# TICKET: Mine\n")
    (draft,) = parse((bench.root / "DEMO-4.md").read_text()).tickets
    text = render_ticket(replace(draft, fields=typed(cases)))
    (bench.root / "DEMO-4.md").write_text(text)
    last = "issue/DEMO-4/transitions" if cases is STATUS else "issue"
    result = await bench.push(transport=Lossy(create_app(bench.site), silence_after("POST", last)))
    assert result.created == ("DEMO-4",)
    return "DEMO-4"


LOSSES = [lose_the_answer, lose_it_for_a_refusal, lose_what_is_read_again, lose_what_is_made]
every_loss = pytest.mark.parametrize("lose", LOSSES)
both = pytest.mark.parametrize("cases", [FIELDS, STATUS], ids=["fields", "status"])


@pytest.mark.unmeasured
@both
@every_loss
@pytest.mark.parametrize("kind", ["sync", "pull"])
async def test_they_are_nobody_else_s_changes_and_the_file_has_jira_s_form_then(
    bench: Bench, cases: Cases, lose: Any, kind: str
) -> None:
    key = await lose(bench, cases)

    planned = await bench.push(dry_run=True)
    result = await getattr(bench, kind)()

    pulled = result.pull if kind == "sync" else result
    assert (planned.total, planned.conflicts, planned.failed) == (0, (), ())
    assert (pulled.conflicts, pulled.failed) == ((), ())
    assert lines_of(bench, key, cases) == {each.line: each.shown for each in cases}
    assert (await bench.push()).total == 0


@pytest.mark.unmeasured
@both
@every_loss
@pytest.mark.parametrize("kind", ["sync", "push"])
async def test_they_may_be_edited_again(bench: Bench, cases: Cases, lose: Any, kind: str) -> None:
    key = await lose(bench, cases)
    write_lines(bench, key, again(cases))

    result = await getattr(bench, kind)()

    pushed = result.push if kind == "sync" else result
    assert kind == "push" or (result.pull.conflicts, result.pull.failed) == ((), ())
    assert (pushed.conflicts, pushed.failed, pushed.updated) == ((), (), (key,))
    assert lines_of(bench, key, cases) == {each.line: each.final for each in cases}
    assert (await bench.push()).total == 0


@pytest.mark.unmeasured
@every_loss
@pytest.mark.parametrize("edited", [False, True])
async def test_what_somebody_else_has_made_of_them_is_theirs(
    bench: Bench, lose: Any, edited: bool
) -> None:
    cases = [each for each in FIELDS if each.theirs]
    key = await lose(bench, cases)
    theirs = {name: value for each in cases for name, value in each.theirs.items()}
    bench.site.edit(key, **theirs)
    if edited:
        write_lines(bench, key, again(cases))

    result = await bench.sync()

    found = bench.finds(key)
    assert {name: getattr(found, name) for name in theirs} == theirs
    # Where ours was seen in Jira, theirs came later; where nobody knows, both changed the same.
    clashes = {each.line for each in cases} if edited or lose is lose_the_answer else set()
    (reason,) = [note.reason for note in result.pull.conflicts] or [""]
    named = reason.removeprefix("changed here and in Jira: ").split(", ") if reason else []
    assert set(named) == {f"{key}: {line}" for line in clashes}
    assert (await bench.push()).total == 0
