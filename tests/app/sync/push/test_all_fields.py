"""Test that each type of field can be pulled, set, cleared and refused, against the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.field_cases import CASES, table
from fakes.users import User, user_of_all_fields

SETTABLE = [each for each in CASES if each.is_settable]


@pytest.fixture
def owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> User:
    """Return a user who has pulled the project with fields of every type."""
    settings = f"fields = {[each.name for each in CASES]}\n"
    user = user_of_all_fields(tmp_path / "work", monkeypatch, capsys, settings)
    user.runs("pull")
    return user


def fields(user: User, key: str) -> dict[str, str]:
    """Return the lines and the sections of a ticket."""
    ticket = user.reads(f"{key}.md")
    return {**ticket.fields, **ticket.rich_texts}


def write(user: User, key: str, values: dict[str, str]) -> None:
    """Put lines and sections into a ticket."""
    ticket = user.reads(f"{key}.md")
    rich = {each.name for each in CASES if each.is_text}
    lines = {**ticket.fields, **{name: values[name] for name in values if name not in rich}}
    sections = {**ticket.rich_texts, **{name: values[name] for name in values if name in rich}}
    text = "".join(f"{name}: {value}\n" for name, value in lines.items())
    text += "".join(f"\n## Field: {name}\n{value}\n" for name, value in sections.items())
    head = f"# TICKET: [{key}] {ticket.title}\n\n## Description\n{ticket.description}\n\n"
    user.writes(f"{key}.md", f"{head}## Fields\n{text}")


def test_a_pull_writes_each_field_as_a_line_or_a_section(owner: User) -> None:
    found = fields(owner, "KIT-2")

    assert {each.name: found.get(each.name) for each in CASES} == {
        each.name: each.pulled for each in CASES
    }


def test_each_field_is_set_as_people_type_it(owner: User) -> None:
    write(owner, "KIT-3", {each.name: each.typed for each in SETTABLE})

    told = owner.runs("push", "--yes")

    assert (told.code, told.err.splitlines()[-1]) == (0, "0 created, 1 updated (KIT-3)"), told.err
    found = fields(owner, "KIT-3")
    assert {each.name: found.get(each.name) for each in SETTABLE} == {
        each.name: each.stored for each in SETTABLE
    }
    assert owner.runs("status").out.startswith("nothing to push; ")


def test_each_field_is_cleared_by_an_empty_line_or_section(owner: User) -> None:
    write(owner, "KIT-2", {each.name: "" for each in SETTABLE})

    told = owner.runs("push", "--yes")

    assert told.code == 0, told.err
    found = fields(owner, "KIT-2")
    assert [each.name for each in SETTABLE if found.get(each.name)] == []


def test_each_wrong_text_is_refused_before_anything_is_sent(owner: User) -> None:
    wrong = [each for each in SETTABLE if each.wrong]
    write(owner, "KIT-2", {each.name: each.wrong for each in wrong})

    told = owner.runs("push", "--yes")

    assert told.code == 3
    for each in wrong:
        assert f"{each.name}: " in told.err
        assert each.told in told.err
    assert not [line for line in owner.asked if line.startswith(("PUT", "POST /rest/api/3/issue "))]


def test_a_field_that_is_on_no_screen_is_refused(owner: User) -> None:
    write(owner, "KIT-2", {"Audit Code": "AUD-8"})
    owner.writes("new.md", "# TICKET: New\n\n## Fields\nAudit Code: AUD-9\n")

    told = owner.runs("push", "--yes")

    assert told.code == 3
    assert "KIT-2 (KIT-2.md): " in told.err
    assert "not on the appropriate screen" in told.err
    assert "Audit Code: new.md:4: the create screen of a Task has no such field" in told.err


def test_the_manual_has_the_table_of_these_cases() -> None:
    page = (Path(__file__).parents[4] / "docs" / "fields.md").read_text(encoding="utf-8")

    assert table() in page


def test_the_remaining_estimate_stays_where_files_do_not_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = 'fields = ["Original estimate"]\n'
    user = user_of_all_fields(tmp_path / "work", monkeypatch, capsys, settings)
    user.runs("pull")
    write(user, "KIT-2", {"Original estimate": "20h"})

    told = user.runs("push", "--yes")

    assert told.code == 0, told.err
    issue = user.finds("KIT-2")
    assert (issue.original_estimate, issue.remaining_estimate) == (20 * 3600, 8 * 3600)
