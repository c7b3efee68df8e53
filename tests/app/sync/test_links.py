"""Links between tickets, as lines of their files."""

from __future__ import annotations

import pytest
from fakes.lossy import Answering, cut_off
from fakes.pulls import Bench

from jira_sandbox.data.catalogue import LINK_TYPES
from ticketr.app.sync import Code, Loss
from ticketr.app.sync.compare.mapping import (
    jira_links,
    merge_link_keys,
    slim_fields,
    words_with_keys_upper,
)
from ticketr.app.tickets import parse

ON = {"links": True}
BLOCKS, _, _, RELATES = LINK_TYPES


def link(bench: Bench, first: str, second: str, kind: object = BLOCKS) -> None:
    """Link two issues in Jira."""
    bench.site.link(kind, bench.finds(first), bench.finds(second))  # type: ignore[arg-type]


def links(bench: Bench, key: str) -> list[tuple[str, str]]:
    """Return the links of an issue in Jira: its words and the other issue."""
    issue = bench.finds(key)
    found = []
    for each in issue.links:
        other = bench.site.get(each.other(issue.id))
        assert other is not None
        words = each.kind.outward if each.source == issue.id else each.kind.inward
        found.append((words, other.key))
    return found


def field(bench: Bench, key: str, line: str) -> str | None:
    for text in bench.files().values():
        for ticket in parse(text).tickets:
            for each in (ticket, *ticket.tasks):
                if each.key == key:
                    return each.fields.get(line)
    return None


def puts(bench: Bench, key: str, line: str) -> None:
    """Write a line into the fields of a ticket, or change it."""
    path = bench.root / f"{key}.md"
    name = line.partition(":")[0]
    kept = [each for each in path.read_text().split("\n") if not each.startswith(f"{name}:")]
    at = kept.index("## Fields")
    path.write_text("\n".join([*kept[: at + 1], line, *kept[at + 1 :]]))


async def in_step(bench: Bench) -> bool:
    before = bench.files()
    synced = await bench.sync(**ON)
    assert bench.files() == before
    return (synced.push.total, synced.pull.merged, bench.writes) == (0, 0, [])


async def test_both_directions_of_a_link_are_lines(bench: Bench) -> None:
    link(bench, "DEMO-1", "DEMO-10")
    link(bench, "DEMO-1", "DEMO-2")
    link(bench, "DEMO-2", "DEMO-3", RELATES)

    await bench.pull(**ON)

    assert field(bench, "DEMO-1", "Blocks") == "DEMO-2, DEMO-10"
    assert field(bench, "DEMO-10", "Is blocked by") == "DEMO-1"
    assert field(bench, "DEMO-2", "Is blocked by") == "DEMO-1"
    assert field(bench, "DEMO-2", "Relates to") == "DEMO-3"
    assert field(bench, "DEMO-3", "Relates to") == "DEMO-2"
    assert await in_step(bench)


async def test_without_the_setting_nothing_changes(bench: Bench) -> None:
    link(bench, "DEMO-1", "DEMO-2")

    await bench.pull()

    assert field(bench, "DEMO-1", "Blocks") is None
    assert not any("issuelinks" in each or "issueLink" in each for each in bench.asked)


async def test_a_link_is_added_and_shows_at_both_ends(bench: Bench) -> None:
    await bench.pull(**ON)
    puts(bench, "DEMO-1", "Blocks: DEMO-10 demo-2")
    puts(bench, "DEMO-3", "Is blocked by: DEMO-2")

    result = await bench.push(**ON)

    assert (sorted(result.updated), result.failed) == (["DEMO-1", "DEMO-3"], ())
    assert bench.writes == ["POST issueLink"] * 3
    assert links(bench, "DEMO-1") == [("blocks", "DEMO-10"), ("blocks", "DEMO-2")]
    assert sorted(links(bench, "DEMO-2")) == [("blocks", "DEMO-3"), ("is blocked by", "DEMO-1")]
    assert field(bench, "DEMO-1", "Blocks") == "DEMO-2, DEMO-10"
    assert field(bench, "DEMO-2", "Is blocked by") == "DEMO-1"
    assert field(bench, "DEMO-10", "Is blocked by") == "DEMO-1"
    assert await in_step(bench)


async def test_a_draft_is_created_with_its_links(bench: Bench) -> None:
    await bench.pull(**ON)
    (bench.root / "new.md").write_text(
        "# TICKET: A draft\n\n## Fields\nBlocks: DEMO-1\n\n## Tasks\n- A task\n  ## Fields\n"
        "  Relates to: DEMO-2\n"
    )

    result = await bench.push(**ON)

    assert (len(result.created), result.failed) == (2, ())
    assert links(bench, "DEMO-13") == [("blocks", "DEMO-1")]
    assert links(bench, "DEMO-14") == [("relates to", "DEMO-2")]
    assert field(bench, "DEMO-1", "Is blocked by") == "DEMO-13"
    assert await in_step(bench)


async def test_a_removed_key_is_asked_about(bench: Bench) -> None:
    link(bench, "DEMO-1", "DEMO-2")
    link(bench, "DEMO-1", "DEMO-3")
    await bench.pull(**ON)
    puts(bench, "DEMO-1", "Blocks: DEMO-3")

    refused = await bench.push(**ON)

    assert [(each.code, each.reason) for each in refused.failed] == [
        (
            Code.LOSS,
            (
                "Blocks: sending it would remove the link “Blocks DEMO-2”; answer the question "
                "before a push in a terminal, or say --accept-loss"
            ),
        )
    ]
    assert (bench.writes, len(links(bench, "DEMO-1"))) == ([], 2)
    loss = Loss("DEMO-1", "DEMO-1.md", "the link “Blocks DEMO-2”", part="Blocks")
    sent = await bench.push(**ON, accept_loss=frozenset({loss}))
    assert [each.partition("/")[0] for each in bench.writes] == ["DELETE issueLink"]
    assert (sent.updated, links(bench, "DEMO-1")) == (("DEMO-1",), [("blocks", "DEMO-3")])
    assert field(bench, "DEMO-2", "Is blocked by") is None
    assert [(each.code, each.reason) for each in sent.warnings] == [
        (Code.LOSS, "Blocks: the link “Blocks DEMO-2” is removed in Jira")
    ]
    assert await in_step(bench)


async def test_an_absent_line_removes_nothing(bench: Bench) -> None:
    link(bench, "DEMO-1", "DEMO-2")
    await bench.pull(**ON)
    path = bench.root / "DEMO-1.md"
    path.write_text(path.read_text().replace("Blocks: DEMO-2\n", ""))

    result = await bench.push(**ON, accept_loss=True)

    assert (result.total, links(bench, "DEMO-1")) == (0, [("blocks", "DEMO-2")])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Blocks: DEMO-99", "Blocks: Jira has no DEMO-99, or you may not see it"),
        ("Blocks: DEMO-2, soon", 'Blocks: "soon" is not a key like PROJ-123'),
        ("Blocks: DEMO-1", "Blocks: a ticket cannot be linked to itself"),
        ("Blocsk: DEMO-2", "Blocsk: there is no such field here; "),
    ],
)
async def test_what_is_no_link_is_refused(bench: Bench, line: str, reason: str) -> None:
    await bench.pull(**ON)
    puts(bench, "DEMO-1", line)

    result = await bench.push(**ON)

    ((found,), written) = ([each.reason for each in result.failed], bench.writes)
    assert (found.startswith(reason), written) == (True, [])


@pytest.mark.parametrize("after", [1, 2, 3])
@pytest.mark.parametrize("name", ["DEMO-1.md", "new.md"])
async def test_a_push_of_links_may_be_cancelled(bench: Bench, name: str, after: int) -> None:
    await bench.pull(**ON)
    line = "Blocks: DEMO-10, DEMO-2, DEMO-3"
    if name == "new.md":
        (bench.root / name).write_text(f"# TICKET: A draft\n\n## Fields\n{line}\n")
    else:
        puts(bench, "DEMO-1", line)
    await cut_off(bench, "POST issueLink", after=after, **ON)

    synced = await bench.sync(**ON)

    key = "DEMO-13" if name == "new.md" else "DEMO-1"
    assert (synced.pull.conflicts, synced.push.failed) == ((), ())
    assert sorted(links(bench, key)) == [
        ("blocks", "DEMO-10"),
        ("blocks", "DEMO-2"),
        ("blocks", "DEMO-3"),
    ]
    assert field(bench, key, "Blocks") == "DEMO-2, DEMO-3, DEMO-10"
    assert await in_step(bench)


async def test_a_site_without_links_has_no_such_lines(bench: Bench) -> None:
    await bench.pull(**ON)
    puts(bench, "DEMO-1", "Blocks: DEMO-2")

    result = await bench.push(transport=Answering(bench, "GET issueLinkType", 404), **ON)

    assert ["there is no such field here" in each.reason for each in result.failed] == [True]


def test_odd_links_of_a_server_are_left_out() -> None:
    kind = {"id": 1, "outward": "blocks", "inward": " "}
    entries: list[object] = [
        "no",
        {"id": "1", "type": kind},
        {"id": "2", "type": kind, "inwardIssue": {"key": "DEMO-2"}},
        {"id": "3", "type": "no", "outwardIssue": {"key": "DEMO-2"}},
        {"id": "4", "type": kind, "outwardIssue": {"key": "no key"}},
        {"id": "5", "type": kind, "outwardIssue": {"key": "DEMO-2"}},
    ]

    assert [each.id for each in jira_links({"issuelinks": entries})] == ["5"]
    assert jira_links(slim_fields({"issuelinks": entries})) == jira_links({"issuelinks": entries})
    assert jira_links({"issuelinks": None}) == ()


def test_keys_are_read_however_they_are_separated() -> None:
    assert words_with_keys_upper("demo-2; DEMO-3,DEMO-2  soon") == ("DEMO-2", "DEMO-3", "soon")


@pytest.mark.parametrize(
    ("base", "local", "remote", "merged"),
    [
        ("A-1", "A-1, A-2", "A-1, A-3", "A-1, A-2, A-3"),
        ("", "A-2", "A-3", "A-2, A-3"),
        ("A-1, A-2", "A-2, A-4", "A-1", "A-4"),
        ("A-1", "A-1 a-2", "A-1", "A-1 a-2"),
        ("A-1", "A-1", "A-3, A-1", "A-3, A-1"),
        ("A-1", "", "A-1, A-2", "A-2"),
    ],
)
def test_the_keys_of_a_line_are_merged_one_by_one(
    base: str, local: str, remote: str, merged: str
) -> None:
    assert merge_link_keys(base, local, remote) == merged
