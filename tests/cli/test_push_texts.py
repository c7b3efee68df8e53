"""``ticketr push`` of texts that Markdown or Jira cannot take as they are: nothing goes unsaid."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
