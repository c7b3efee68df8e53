"""``ticketr push`` of texts that Markdown or Jira cannot take as they are: nothing goes unsaid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fakes.users import User

TABLE = """\
# TICKET: A table

## Description
| a | b |
| --- | --- |
| 1 |

## Tasks
- Part
  ## Description
  first

  | a | b |
  | --- | --- |
  | 1 | 2 | 3 |
"""


def test_a_row_with_too_many_cells_is_refused_with_its_line_in_the_file(someone: User) -> None:
    someone.writes("new.md", TABLE)

    told = someone.runs("push")

    assert told.code == 3
    assert "new.md:15: this row has 3 cells where its table has 2" in told.err
    assert '"| 1 | 2 | 3 |"' in told.err


def test_a_row_with_too_few_cells_is_filled_in_jira_and_in_the_file(someone: User) -> None:
    someone.writes("new.md", TABLE.partition("\n## Tasks")[0])

    assert someone.runs("push").code == 0

    assert "| a | b |\n| --- | --- |\n| 1 |" in someone.files()["new.md"]
    document = someone.finds("DEMO-13").description
    assert document is not None
    assert document["content"][0]["type"] == "table"


def test_a_line_of_rich_text_is_refused_in_the_plan_and_by_the_push(someone: User) -> None:
    someone.writes("new.md", "# TICKET: A\n\n## Fields\nEnvironment: Debian 12\n")

    for command in (("push", "--dry-run"), ("push",)):
        told = someone.runs(*command)
        assert told.code == 3
        assert "Environment: it holds rich text, which ticketr cannot write yet" in told.err


@pytest.mark.parametrize("command", ["pull", "push"])
def test_a_field_of_rich_text_in_the_settings_is_refused(someone: User, command: str) -> None:
    someone.runs("pull")
    someone.writes("ticketr.toml", 'fields = ["Environment"]\n')
    someone.writes("new.md", "# TICKET: A\n")

    told = someone.runs(command)

    assert told.code == 1
    assert 'the field "Environment" cannot be kept in a file: it holds rich text' in told.err
