from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sandbox_specs import adf_validator, problems

from jira_sandbox import Site, make_site
from jira_sandbox.content import hostile


def fingerprint(site: Site) -> str:
    return hashlib.sha256(repr(list(site)).encode("utf-8", "surrogatepass")).hexdigest()


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("content", ()):
        yield from nodes(child)


@pytest.mark.parametrize("tickets", [0, 1, 2, 3, 17, 500])
def test_a_site_holds_exactly_as_many_issues_as_asked_for(tickets: int) -> None:
    site = make_site(tickets=tickets, seed=3)

    assert len(site) == tickets
    assert [issue.key for issue in site] == [f"DEMO-{n}" for n in range(1, tickets + 1)]


def test_the_same_seed_gives_the_same_site_in_every_process() -> None:
    program = (
        "import hashlib; from jira_sandbox import make_site;"
        "print(hashlib.sha256(repr(list(make_site(tickets=150, seed=7)))"
        ".encode('utf-8', 'surrogatepass')).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }

    assert digests == {fingerprint(make_site(tickets=150, seed=7))}


def test_another_seed_gives_another_site() -> None:
    assert fingerprint(make_site(tickets=20, seed=1)) != fingerprint(make_site(tickets=20, seed=2))


def test_a_bigger_site_begins_with_the_same_issues() -> None:
    assert list(make_site(tickets=300, seed=5))[:40] == list(make_site(tickets=40, seed=5))


def test_every_parent_exists_and_is_of_the_level_above() -> None:
    site = make_site(tickets=500, seed=1)

    for issue in site:
        if issue.parent is None:
            assert not issue.type.subtask
        else:
            parent = site.get(issue.parent)
            assert parent is not None
            assert parent.type.level == issue.type.level + 1
            assert parent.created < issue.created <= issue.updated


def test_a_site_of_some_size_has_every_kind_of_issue() -> None:
    site = make_site(tickets=200, seed=1)
    kinds = Counter(issue.type.name for issue in site)

    assert set(kinds) == {"Epic", "Story", "Task", "Bug", "Sub-task"}
    assert all(count >= 5 for count in kinds.values())
    assert {issue.status.name for issue in site} == {"To Do", "In Progress", "In Review", "Done"}


def test_sub_tasks_of_one_parent_have_different_titles() -> None:
    site = make_site(tickets=300, seed=1)

    for issue in site:
        titles = [child.summary for child in site.children(issue) if child.type.subtask]
        assert len(titles) == len(set(titles))


def test_five_hundred_issues_use_every_kind_of_node_and_every_hostile_title() -> None:
    site = make_site(tickets=500, seed=1)
    documents = [issue.description for issue in site if issue.description is not None]
    kinds = {node["type"] for document in documents for node in nodes(document)}
    titles = {issue.summary for issue in site}

    assert kinds >= {
        *("heading", "paragraph", "text", "hardBreak", "rule", "blockquote", "expand", "panel"),
        *("bulletList", "orderedList", "listItem", "taskList", "taskItem", "codeBlock"),
        *("table", "tableRow", "tableHeader", "tableCell"),
        *("mention", "date", "status", "emoji", "inlineCard"),
    }
    assert {title.strip()[:255] for title in hostile.TITLES} <= titles
    assert len(documents) < len(site), "some issues have no description"


def test_acceptance_criteria_stand_at_the_end_as_a_heading_and_a_list() -> None:
    site = make_site(tickets=300, seed=1)
    found = 0

    for issue in site:
        content = (issue.description or {"content": []})["content"]
        for place, block in enumerate(content):
            if block.get("content") == [{"type": "text", "text": "Acceptance Criteria"}]:
                found += 1
                assert block["attrs"] == {"level": 3}
                assert place == len(content) - 2
                assert content[-1]["type"] == "bulletList"
    assert found > 20


def test_every_description_is_valid_adf() -> None:
    validator = adf_validator()
    site = make_site(tickets=60, seed=11)

    for issue in site:
        if issue.description is not None:
            assert problems(validator, issue.description) == [], issue.key


def test_a_replaced_issue_is_found_and_the_old_one_is_not() -> None:
    site = make_site(tickets=40, seed=1)
    child = next(issue for issue in site if issue.parent is not None)
    assert child.parent is not None
    parent = site.get(child.parent)
    assert parent is not None
    revision = site.revision

    site.put(replace(child, parent=None, summary="Moved out"))

    assert site.revision == revision + 1
    assert child.id not in [issue.id for issue in site.children(parent)]
    found = site.find(child.key)
    assert found is not None
    assert found.summary == "Moved out"
    assert len(site) == 40
