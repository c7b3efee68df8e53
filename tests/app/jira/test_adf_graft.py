"""An edited description is made of Jira's own blocks, and keeps the wording of its author."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
from fakes.adf_from_schema import FromSchema
from fakes.adf_nodes import Json, doc, paragraph, text
from fakes.examples import IN_STRESS
from fakes.hand_edits import edit_by_hand
from fakes.jira_documents import Maker

from ticketr.app.jira import adf
from ticketr.app.jira.adf._conversion import converts_to_unsized


def node(kind: str, *content: Json | str, **attrs: Any) -> Json:
    blocks = [paragraph(each) if isinstance(each, str) else each for each in content]
    return {"type": kind, "attrs": attrs, "content": blocks} if attrs else _bare(kind, blocks)


def _bare(kind: str, blocks: list[Json]) -> Json:
    return {"type": kind, "content": blocks}


def bullets(*items: Json | str) -> Json:
    return node("bulletList", *(node("listItem", each) for each in items))


def row(*cells: str, kind: str = "tableCell", **attrs: Any) -> Json:
    return node("tableRow", *(node(kind, each, **attrs) for each in cells))


MENTION: Json = {
    "type": "mention",
    "attrs": {"id": "5f:1", "localId": "m-1", "text": "@Mia", "accessLevel": ""},
}
#: What a file shows of each of these is less than it is.
INTRO = {**paragraph("Some words ", MENTION), "attrs": {"localId": "p-1"}}
TABLE = {
    **node(
        "table",
        row("Name", "Number", kind="tableHeader", colspan=1, rowspan=1),
        row("One", "1", colspan=1),
        row("Two", "2", colspan=1),
    ),
    "attrs": {"localId": "t-1", "isNumberColumnEnabled": False, "layout": "default"},
}
PANEL = node("panel", "In a panel", bullets("first", "second"), panelType="info")
TASKS = node(
    "taskList",
    *(
        {
            "type": "taskItem",
            "attrs": {"localId": f"i-{at}", "state": "TODO"},
            "content": [text(at)],
        }
        for at in ("do this", "and that")
    ),
    localId="l-1",
)
#: Markdown has no escape for this: it is read back as a heading.
HASHED = paragraph("# kept \ufdd0 by Jira", attrs={"localId": "h-1"})


def edited(document: Json, change: Callable[[str], str]) -> adf.Grafted:
    """Edit what a file shows of a document, and put it together again."""
    markdown = adf.to_markdown(document)
    changed = change(markdown)
    assert changed != markdown
    return adf.graft(document, adf.to_adf(markdown), adf.to_adf(changed))


def swap(old: str, new: str) -> Callable[[str], str]:
    def change(markdown: str) -> str:
        assert old in markdown
        return markdown.replace(old, new, 1)

    return change


def as_json(value: Any) -> str:
    """Return a value as JSON, in which the order of keys and 1 and 1.0 differ."""
    return json.dumps(value)


def test_a_new_block_leaves_all_others_as_they_are() -> None:
    ours = doc(INTRO, TABLE, PANEL, TASKS)

    sent = edited(ours, lambda markdown: f"{markdown}\nA last word.\n")

    assert sent.losses == ()
    *same, new = sent.document["content"]
    assert as_json(same) == as_json(ours["content"])
    assert new == paragraph("A last word.")


def test_an_edited_block_keeps_its_attributes_and_its_mentions() -> None:
    sent = edited(doc(INTRO, PANEL), swap("Some", "Other"))

    expected = {**INTRO, "content": [text("Other words "), MENTION]}
    assert as_json(sent.document) == as_json(doc(expected, PANEL))


def test_a_blank_that_jira_adds_after_a_mention_stays_where_nothing_was_edited() -> None:
    asked = node("paragraph", text("Ask "), MENTION, text(" "))
    told = node("paragraph", text("Tell "), MENTION, text(" "))
    assert "&#32;" not in adf.to_markdown(doc(asked, told))

    sent = edited(doc(asked, told), swap("Tell", "Inform"))

    same, new = sent.document["content"]
    assert as_json(same) == as_json(asked)
    assert as_json(new["content"]) == as_json([text("Inform "), MENTION])
    assert sent.losses == ()


def test_an_edited_cell_leaves_the_other_cells_as_they_are() -> None:
    sent = edited(doc(TABLE), swap("| One | 1 |", "| One | 11 |"))

    expected = json.loads(as_json(TABLE).replace('"text": "1"', '"text": "11"'))
    assert as_json(sent.document) == as_json(doc(expected))


def test_a_new_row_leaves_the_other_rows_as_they_are() -> None:
    sent = edited(doc(TABLE), swap("| Two", "| New | 3 |\n| Two"))

    (table,) = sent.document["content"]
    first, second, new, last = table["content"]
    assert as_json([first, second, last]) == as_json(TABLE["content"])
    assert new == row("New", "3")


def resized(*words: str, kind: str = "tableCell") -> Json:
    """Return a row of cells with widths of 100, 200 and so on."""
    made = row(*words, kind=kind)
    for number, cell in enumerate(made["content"], 1):
        cell["attrs"] = {"colwidth": [100 * number]}
    return made


RESIZED = {
    **node(
        "table",
        resized("Name", "Size", "Note", kind="tableHeader"),
        resized("One", "x", "x"),
        resized("Two", "x", "y"),
    ),
    "attrs": {"localId": "t-2", "layout": "wide", "width": 900, "isNumberColumnEnabled": True},
}


def widths(document: Json) -> list[list[Any]]:
    """Return the widths of the cells in each row of the last table."""
    rows = document["content"][-1]["content"]
    return [[each.get("attrs", {}).get("colwidth") for each in row["content"]] for row in rows]


def test_a_file_shows_no_sizes_of_a_table_and_jira_keeps_them() -> None:
    ours = doc(paragraph("Some words"), RESIZED)
    assert adf.convert(ours) == adf.MaybeLossyMarkdown(
        "Some words\n\n| Name | Size | Note |\n| --- | --- | --- |\n| One | x | x |\n| Two | x | y |\n",
        is_lossless=True,
    )

    sent = edited(ours, swap("Some", "Other"))

    assert sent.losses == ()
    assert as_json(sent.document["content"][1]) == as_json(RESIZED)


@pytest.mark.parametrize(
    ("old", "new"),
    [("| Two | x |", "| Two | z |"), ("| Name | Size |", "| Nom | Taille |")],
)
def test_an_edited_cell_keeps_its_width(old: str, new: str) -> None:
    sent = edited(doc(RESIZED), swap(old, new))

    assert sent.losses == ()
    assert widths(sent.document) == [[[100], [200], [300]]] * 3
    assert sent.document["content"][0]["attrs"] == RESIZED["attrs"]


def test_a_deleted_column_takes_its_width_along_and_a_new_one_has_none() -> None:
    def without_second(markdown: str) -> str:
        cells = [line.split("|") for line in markdown.rstrip().split("\n")]
        return "\n".join("|".join([*line[:2], *line[3:]]) for line in cells)

    def with_third(markdown: str) -> str:
        cells = [line.split("|") for line in markdown.rstrip().split("\n")]
        new = [" New ", " --- ", " n ", " n "]
        return "\n".join(
            "|".join([*line[:3], each, *line[3:]]) for line, each in zip(cells, new, strict=True)
        )

    fewer, more = (edited(doc(RESIZED), change) for change in (without_second, with_third))

    assert (fewer.losses, more.losses) == ((), ())
    assert widths(fewer.document)[0] == [[100], [300]]  # the row that Jira reads the widths from
    assert widths(more.document) == [[[100], [200], None, [300]]] * 3


def test_a_list_in_a_panel_is_edited_item_by_item() -> None:
    sent = edited(doc(PANEL), swap("second", "second\n> - third"))

    assert sent.document == doc(
        node("panel", "In a panel", bullets("first", "second", "third"), panelType="info")
    )


def test_a_done_task_keeps_its_id_and_a_new_one_has_its_own() -> None:
    sent = edited(doc(TASKS), swap("- [ ] do this", "- [ ] 1\n- [x] do this"))

    (tasks,) = sent.document["content"]
    assert [each["attrs"] for each in tasks["content"]] == [
        {"localId": "2", "state": "TODO"},
        {"localId": "i-do this", "state": "DONE"},
        {"localId": "i-and that", "state": "TODO"},
    ]


def test_a_moved_block_goes_along_as_it_is() -> None:
    sent = edited(doc(INTRO, TABLE, PANEL), lambda _: adf.to_markdown(doc(PANEL, INTRO, TABLE)))

    assert as_json(sent.document) == as_json(doc(PANEL, INTRO, TABLE))


def test_a_block_that_jira_does_not_allow_in_its_new_place_is_converted() -> None:
    centered = {**paragraph("words"), "marks": [{"type": "alignment", "attrs": {"align": "end"}}]}
    shown = doc(paragraph("words"), paragraph("more"))  # a file that shows no alignment

    sent = adf.graft(
        doc(centered, paragraph("more")), shown, doc(bullets("words"), shown["content"][1])
    )

    assert sent.document == doc(bullets("words"), paragraph("more"))
    assert [each.what for each in sent.losses] == ["the alignment of a paragraph at “words”"]


def test_a_file_that_shows_nothing_of_a_block_does_not_delete_it() -> None:
    hidden = {"type": "rule"}
    ours = doc(hidden, INTRO, hidden, TABLE, hidden)
    shown = doc(INTRO, TABLE)

    def graft(*blocks: Json) -> Any:
        return adf.graft(ours, shown, doc(*blocks)).document["content"]

    assert graft(INTRO, TABLE, PANEL) == [hidden, INTRO, hidden, TABLE, hidden, PANEL]
    assert graft(INTRO) == [hidden, INTRO, hidden, hidden]
    assert graft(PANEL, TABLE) == [hidden, PANEL, hidden, TABLE, hidden]
    assert graft() == []
    assert adf.graft(doc(hidden), doc(), doc(PANEL)).document["content"] == [hidden, PANEL]


def test_what_an_edited_block_loses_is_named_with_its_place() -> None:
    ours = doc(PANEL, HASHED)

    sent = edited(ours, swap("by Jira", "by nobody"))

    assert [(each.what, each.edited_block_path) for each in sent.losses] == [
        ("a paragraph at “# kept \ufdd0 by Jira”", (1,)),
    ]
    assert as_json(sent.document["content"][0]) == as_json(PANEL)


def test_a_deleted_block_loses_only_what_nobody_could_see() -> None:
    blue = {"type": "futureMark", "attrs": {"color": "blue"}}
    ours = doc(
        TABLE, paragraph(text("words", blue)), {"type": "futureBlock", "content": [paragraph("x")]}
    )
    shown = doc(TABLE, paragraph("words"), paragraph("x"))

    assert adf.graft(ours, shown, doc(TABLE, paragraph("x"))).losses == ()
    (lost,) = adf.graft(ours, shown, doc(TABLE)).losses
    assert (lost.what, lost.edited_block_path) == ("a future block at “x”", (1,))


def test_a_mark_that_an_edited_text_loses_is_named() -> None:
    blue = {"type": "futureMark", "attrs": {"color": "blue"}}
    ours, shown = doc(paragraph(text("two words", blue))), doc(paragraph("two words"))

    (lost,) = adf.graft(ours, shown, doc(paragraph("three words"))).losses

    assert (lost.what, lost.edited_block_path) == ("the future mark of “two words”", (0,))


def test_what_is_too_large_or_too_deep_is_converted() -> None:
    large = doc(paragraph("x" * 40_000))
    (lost,) = adf.graft(large, doc(paragraph("x")), doc(paragraph("y"))).losses
    assert (lost.what, lost.edited_block_path) == ("all that is too large for a file", ())

    deep: Json = paragraph("x")
    for _ in range(5_000):
        deep = {"type": "panel", "content": [deep]}
    sent = adf.graft(doc(deep), doc(paragraph("x")), doc(paragraph("y")))
    assert sent.document == doc(paragraph("y"))
    assert sent.losses


def test_what_does_not_fit_jiras_rules_is_converted_only_if_asked() -> None:
    heading = {"type": "heading", "attrs": {"level": 2}, "content": [text("old")]}
    ours = doc(node("blockquote", heading), paragraph("x"))
    shown, new = doc(node("blockquote", "old"), paragraph("x")), doc(node("blockquote", "old"))

    assert adf.graft(ours, shown, new).document["content"] == ours["content"][:1]
    sent = adf.graft(ours, shown, new, must_fit_schema=True)
    assert sent.document == new
    assert [each.what for each in sent.losses] == ["a heading at “old”"]


def test_many_equal_blocks_are_compared_soon() -> None:
    def blocks(number: int) -> tuple[Json, Json]:
        rules: list[Json] = [{"type": "rule"}] * number
        return doc(*rules), doc(paragraph("x"), *rules, paragraph("y"), *rules[:9])

    for number in (100, 5_000):
        ours, new = blocks(number)
        assert len(adf.graft(ours, ours, new).document["content"]) == number + 11


# What holds of any document in which one place is edited by hand.


def words_of(value: Any) -> Counter[str]:
    """Count the words of a document that a reader sees as one."""
    found: Counter[str] = Counter()
    waiting = [value]
    while waiting:
        content = waiting.pop().get("content")
        if isinstance(content, list):
            nodes = [each for each in content if isinstance(each, dict)]
            found.update(re.findall(r"\w+", "".join(map(_text, nodes))))
            waiting += nodes
    return found


def _text(node: Json) -> str:
    own = node.get("text")
    return own if node.get("type") == "text" and isinstance(own, str) else " "


def local_ids(document: Json) -> Counter[str]:
    attrs = (node.get("attrs") for node in adf._plain.walk(document))
    ids = (each.get("localId") for each in attrs if isinstance(each, dict))
    return Counter(each for each in ids if isinstance(each, str))


def keys(blocks: Sequence[Json]) -> list[str]:
    return [json.dumps(adf.canonical(each), sort_keys=True) for each in blocks]


def untouched(ours: Sequence[Json], shown: list[str], edited: list[str]) -> tuple[int, int]:
    """Return how many blocks stand before and after all that was edited."""
    alone = [[each] for each in keys(ours)]
    if keys(ours) != shown:
        alone = [keys(adf.to_adf(adf.to_markdown(doc(each))).get("content", [])) for each in ours]
    if [key for some in alone for key in some] != shown:
        return 0, 0
    first = _alike(shown, edited)
    last = min(_alike(shown[::-1], edited[::-1]), len(shown) - first, len(edited) - first)
    before = _whole(alone, first)
    return before, min(_whole(alone[::-1], last), len(ours) - before)


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _whole(runs: Sequence[Sequence[str]], same: int) -> int:
    """Count the first blocks of which all that a file shows is among its first blocks."""
    count = 0
    for run in runs:
        same -= len(run)
        if same < 0 or not run:
            break
        count += 1
    return count


def check_edit(ours: Json, rng: Random) -> None:
    """Edit one place of a document by hand, and check what is sent."""
    markdown = adf.to_markdown(ours)
    name, changed = edit_by_hand(markdown, rng)
    shown, new = adf.to_adf(markdown), adf.to_adf(changed)
    sent = adf.graft(ours, shown, new)

    blocks, made = ours.get("content", []), sent.document["content"]
    kinds = {each["type"] for each in shown["content"]}
    if sent.losses and kinds == {"paragraph"} != {each["type"] for each in blocks}:
        return  # marklas cannot read it: each line is a paragraph, and the rest is named as lost

    # Every block that was not touched goes back equal as JSON.
    before, after = untouched(blocks, keys(shown.get("content", [])), keys(new.get("content", [])))
    assert as_json(made[:before]) == as_json(blocks[:before]), name
    assert as_json(made[len(made) - after :]) == as_json(blocks[len(blocks) - after :]), name

    # No ID is there twice, unless Jira has it twice.
    ids, known = local_ids(sent.document), local_ids(ours)
    assert all(number <= max(known[each], 1) for each, number in ids.items()), name

    # What was typed is there, and what was there too, unless it was deleted or is named as lost.
    kept = words_of(sent.document)
    assert not (words_of(new) - words_of(shown) - kept) or name == "a copied block", name
    assert not (words_of(ours) & words_of(shown) & words_of(new)) - kept, name
    if not sent.losses:
        deleted = words_of(shown) - words_of(new)
        assert not words_of(ours) - deleted - kept, name
    # What the file shows exactly loses nothing.
    if converts_to_unsized(markdown, adf.unsized_canonical(ours)):
        assert sent.losses == (), name
    # Nothing comes in that Jira refuses.
    if not adf.find_problems(ours) and not adf.find_problems(new):
        assert adf.find_problems(sent.document) == (), name


@pytest.mark.laws
@pytest.mark.parametrize("part", range(1_500 // 150 if IN_STRESS else 1))
def test_usual_documents_edited_by_hand(part: int) -> None:
    for seed in range(part * 150, part * 150 + (150 if IN_STRESS else 40)):
        rng = Random(seed)
        check_edit(Maker(rng).document(), rng)


@pytest.mark.laws
@pytest.mark.parametrize("part", range(1_500 // 150 if IN_STRESS else 1))
def test_hostile_documents_edited_by_hand(part: int) -> None:
    for seed in range(part * 150, part * 150 + (150 if IN_STRESS else 40)):
        rng = Random(seed)
        if seed % 2:
            check_edit(Maker(rng, hostile=True).document(), rng)
        else:
            document = FromSchema(rng, as_sent=True).document()
            check_edit({"version": 1, **document}, rng)


OWN = """\
Title
=====

A hard wrapped
paragraph with a [link][site] in it,
and __bold__ words.

* star
* bullets
* here

| a | b |
|---|:--|
| 1 | 2 |

~~~python
code

more
~~~

[site]: https://example.com
"""


def rendered(markdown: str) -> str:
    """Return the same as a pull would write it."""
    return adf.to_markdown(adf.to_adf(markdown))


def test_a_text_that_means_the_same_is_kept_whole() -> None:
    assert rendered(OWN) != OWN

    assert adf.reworded(rendered(OWN), OWN) == OWN.rstrip("\n")


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("# Title", "# New", {"Title", "=====", "# New"}),
        ("bullets", "arrows", {"* bullets", "* arrows"}),
        ("- here", "- here\n- there", {"* there"}),
        ("| 1 | 2 |", "| 1 | 3 |", {"| 1 | 2 |", "| 1 | 3 |"}),
        ("code\n", "codes\n", {"code", "codes", "~~~python", "~~~", "```python", "```"}),
    ],
)
def test_a_change_in_jira_changes_these_lines_alone(old: str, new: str, lines: set[str]) -> None:
    theirs = rendered(OWN)
    assert old in theirs

    made = adf.reworded(theirs.replace(old, new, 1), OWN)

    assert set(OWN.split("\n")) ^ set(made.split("\n")) - {""} <= lines | {""}
    assert adf.canonical(adf.to_adf(made)) == adf.canonical(adf.to_adf(theirs.replace(old, new, 1)))


def test_a_new_block_stands_between_those_of_the_file() -> None:
    theirs = rendered(OWN).replace("- star", "A new paragraph.\n\n- star")

    made = adf.reworded(theirs, OWN)

    assert "and __bold__ words.\n\nA new paragraph.\n\n* star\n* bullets" in made


def test_a_link_whose_address_was_changed_in_jira_follows_jira() -> None:
    theirs = rendered(OWN).replace("example.com", "other.example")

    made = adf.reworded(theirs, OWN)

    assert "[link](https://other.example)" in made
    assert "__bold__" not in made


def test_texts_that_are_too_long_or_nothing_alike_are_left_alone() -> None:
    long = "word " * 40_000

    assert adf.reworded(long, "x") == long
    assert adf.reworded("x", long) == "x"
    assert adf.reworded("one", "- two") == "one"
    assert adf.reworded("", "x") == ""


def test_a_block_of_very_many_parts_is_left_alone() -> None:
    # Tags around more paragraphs than are joined to find a block.
    panel = '<aside adf="panel" params=\'{"panelType":"info"}\'>'
    inside = "\n\n".join(f"line {number}" for number in range(60))
    markdown = f"{panel}\n\n{inside}\n\n</aside>"

    assert adf.reworded(f"{markdown}\n\n*new*", f"{markdown}\n\n_old_") == f"{markdown}\n\n*new*"


@pytest.mark.laws
@pytest.mark.parametrize("part", range(20 if IN_STRESS else 1))
def test_the_wording_changes_no_meaning(part: int) -> None:
    for seed in range(part * 30, part * 30 + (30 if IN_STRESS else 10)):
        rng = Random(seed)
        theirs = adf.to_markdown(Maker(rng, hostile=bool(seed % 2)).document())
        _, own = edit_by_hand(theirs, rng)

        made = adf.reworded(theirs, own)

        assert adf.canonical(adf.to_adf(made)) == adf.canonical(adf.to_adf(theirs))
