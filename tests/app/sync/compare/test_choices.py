"""The user's choices in a conflict, and what they would do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ticketr.app.sync import (
    BadChoice,
    Choice,
    ConflictView,
    Edited,
    FileChange,
    Preview,
    choose,
    choose_all,
    preview,
)
from ticketr.app.sync.compare.conflict_parts import ConflictSource, find_parts
from ticketr.app.sync.compare.diff import Versions
from ticketr.app.sync.compare.merge import merge
from ticketr.app.tickets import Ticket

BASE = Ticket(
    "Title",
    "DEMO-9",
    "One.\n\nTwo.\n\nThree.",
    {"Priority": "High", "Labels": "search"},
    ("first", "second"),
)
LOCAL = Ticket(
    "Mine",
    "DEMO-9",
    "One.\n\nTwo, mine.\n\nThree.\n\nFour.",
    {"Priority": "Lowest", "Labels": "search"},
    ("first", "second, mine"),
)
REMOTE = Ticket(
    "Theirs",
    "DEMO-9",
    "One.\n\nTwo, theirs.\n\nThree.",
    {"Priority": "Medium", "Labels": "remote"},
    ("first", "second, theirs"),
)
TITLE, TEXT, CRITERION, PRIORITY = (
    "DEMO-9 #TITLE 0",
    "DEMO-9 #DESCRIPTION 0",
    "DEMO-9 #CRITERIA 0",
    "DEMO-9 Priority 0",
)


def view(
    local: Ticket = LOCAL, remote: Ticket = REMOTE, base: Ticket | None = BASE
) -> ConflictView:
    versions = Versions(base, local, remote)
    parts, merged = find_parts(versions)
    source = ConflictSource("", "", versions)
    aside = ".ticketr/trash/DEMO-9.md"
    return ConflictView(
        "DEMO-9", local.title, "DEMO-9.md", 1, None, "", None, parts, merged, aside, source
    )


def outcome(seen: ConflictView, choices: dict[str, Choice]) -> Ticket:
    """The ticket that a resolution leads to."""
    three = seen.source.versions
    resolution = choose(seen, choices)
    return merge(three.base, three.local, three.remote, chosen=resolution.lines()).ticket


def described(mine: str, theirs: str, base: str = "") -> ConflictView:
    local, remote, old = (replace(BASE, description=text) for text in (mine, theirs, base))
    return view(local, remote, old)


def test_each_part_gets_what_is_chosen_for_it() -> None:
    choices: dict[str, Choice] = {
        TITLE: "mine",
        PRIORITY: "jira",
        TEXT: "both",
        CRITERION: Edited("second, ours\n  in two lines\nthird"),
    }

    assert outcome(view(), choices) == Ticket(
        "Mine",
        "DEMO-9",
        "One.\n\nTwo, mine.\n\nTwo, theirs.\n\nThree.\n\nFour.",
        {"Priority": "Medium", "Labels": "remote"},
        ("first", "second, ours\nin two lines", "third"),
    )


def test_the_preview_tells_what_is_chosen_and_what_is_left() -> None:
    seen = choose(view(), {TITLE: "mine", PRIORITY: "jira"})

    assert preview(seen) == Preview(
        path="DEMO-9.md",
        writes=(
            FileChange("Priority", "Lowest", "Medium"),
            FileChange("Labels", "search", "remote"),
        ),
        pushed=("Title", "Description ¶4"),
        aside=".ticketr/trash/DEMO-9.md",
        left=("Description ¶2", "Acceptance criteria 2"),
    )


def test_what_is_edited_to_be_as_in_jira_is_not_pushed() -> None:
    seen = view()

    one = preview(choose(seen, {TITLE: Edited("Theirs\n"), TEXT: Edited("Both of us.")}))

    assert one.writes == (
        FileChange("Title", "Mine", "Theirs"),
        FileChange("Description ¶2", "Two, mine.", "Both of us."),
        FileChange("Labels", "search", "remote"),
    )
    assert one.pushed == ("Description ¶2", "Description ¶4")


def test_where_the_file_stays_as_it_is_nothing_is_put_aside() -> None:
    seen = view(replace(BASE, title="Mine"), replace(BASE, title="Theirs"))

    assert preview(choose_all(seen, "mine")) == Preview("DEMO-9.md", (), ("Title",), "", ())
    assert preview(choose_all(seen, "jira")) == Preview(
        "DEMO-9.md", (FileChange("Title", "Mine", "Theirs"),), (), ".ticketr/trash/DEMO-9.md", ()
    )


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [
        ("A.", "B.", "A.\n\nB."),
        ("A.\n\nB.", "A, theirs.\n\nB.\n\nC.", "A.\n\nA, theirs.\n\nB.\n\nC."),
        ("- a", "- b", "- a\n- b"),
        ("1. a", "1. b", "1. a\n1. b"),
        ("| a |", "| b |", "| a |\n| b |"),
        ("> a", "> b", "> a\n> b"),
    ],
)
def test_both_texts_stand_one_after_the_other(mine: str, theirs: str, both: str) -> None:
    seen = described(mine, theirs)

    assert (
        outcome(seen, dict.fromkeys((each.id for each in seen.parts), "both")).description == both
    )


def test_a_common_criterion_of_both_stands_once() -> None:
    local, remote = (
        replace(BASE, acceptance_criteria=texts)
        for texts in (("a", "same", "b"), ("c", "same", "d"))
    )
    seen = view(local, remote)

    ticket = outcome(seen, dict.fromkeys((each.id for each in seen.parts), "both"))

    assert ticket.acceptance_criteria == ("a", "c", "same", "b", "d")


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("Ours.", "One.\n\nOurs.\n\nThree."),
        ("\n\n  Ours.\r\n\r\nAnd more.\n\n", "One.\n\n  Ours.\n\nAnd more.\n\nThree."),
        ("", "One.\n\nThree."),
        (" \n", "One.\n\nThree."),
    ],
)
def test_an_edited_paragraph_stays_a_paragraph(text: str, description: str) -> None:
    seen = described("One.\n\nMine.\n\nThree.", "One.\n\nTheirs.\n\nThree.", BASE.description)

    assert outcome(seen, {TEXT: Edited(text)}).description == description


def test_a_paragraph_that_was_removed_here_can_be_edited() -> None:
    seen = described("One.\n\nThree.", "One.\n\nTheirs.\n\nThree.", BASE.description)

    assert outcome(seen, {TEXT: Edited("Ours.")}).description == "One.\n\nOurs.\n\nThree."


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_emptied_part_is_empty(text: str) -> None:
    ticket = outcome(view(), {PRIORITY: Edited(text), TITLE: "mine", CRITERION: Edited(text)})

    assert ticket.fields["Priority"] == ""
    assert ticket.acceptance_criteria == ("first",)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"DEMO-9 Points 0": "mine"}, "DEMO-9: DEMO-9 Points 0: nothing of that name clashes"),
        ({TITLE: "both"}, "DEMO-9: Title: it cannot hold both texts; choose one, or edit it"),
        ({TITLE: "yours"}, "DEMO-9: Title: 'yours' is not a choice; take mine, jira or both"),
        ({TITLE: Edited(" \n")}, "DEMO-9: Title: a ticket needs one"),
        ({PRIORITY: Edited("High\nLow")}, "DEMO-9: Priority: it is one line"),
    ],
)
def test_a_choice_that_is_not_possible_is_refused_in_words(
    choice: dict[str, Choice], words: str
) -> None:
    with pytest.raises(BadChoice) as caught:
        choose(view(), choice)

    assert str(caught.value) == words
