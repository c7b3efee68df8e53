"""What clashes between two versions of a ticket, what merges by itself, and what is chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ticketr.app.sync import (
    BadPartChoice,
    Choice,
    ConflictPart,
    ConflictView,
    OneSidedChange,
    PartChangeInFile,
    ReplacementText,
    choose,
)
from ticketr.app.sync.compare.conflict_parts import find_parts
from ticketr.app.sync.compare.diff import Versions
from ticketr.app.sync.compare.merge import merge
from ticketr.app.tickets import Ticket

BASE = Ticket(
    "Rebuild the index",
    "DEMO-9",
    "One.\n\nTwo.\n\nThree.\n\n- four\n- five\n- six",
    {"Priority": "High", "Labels": "search"},
    ("first", "second", "third"),
    (Ticket("Translate", "DEMO-4"),),
)

Row = tuple[str, str, str, str]


def rows(parts: tuple[ConflictPart, ...]) -> list[Row]:
    return [(each.name, each.base, each.yours, each.jiras) for each in parts]


def clashes(local: Ticket, remote: Ticket, base: Ticket | None = BASE) -> list[Row]:
    return rows(find_parts(Versions(base, local, remote))[0])


def merged(local: Ticket, remote: Ticket) -> list[OneSidedChange]:
    clashing, others = find_parts(Versions(BASE, local, remote))
    assert clashing == ()
    return list(others)


def described(text: str) -> Ticket:
    return replace(BASE, description=text)


def test_a_title_and_a_field_clash_as_a_whole() -> None:
    local = replace(BASE, title="Faster", fields={"Priority": "Lowest", "Labels": "search"})
    remote = replace(BASE, title="No downtime", fields={"Priority": "Medium", "Labels": "remote"})

    clashing, others = find_parts(Versions(BASE, local, remote))

    assert rows(clashing) == [
        ("Title", "Rebuild the index", "Faster", "No downtime"),
        ("Priority", "High", "Lowest", "Medium"),
    ]
    assert [(each.id, each.can_hold_both) for each in clashing] == [
        ("DEMO-9 #TITLE 0", False),
        ("DEMO-9 Priority 0", False),
    ]
    assert others == (OneSidedChange("Labels", "jira", "search", "remote"),)


def test_a_rich_text_field_clashes_by_paragraph_beside_a_line_of_its_name() -> None:
    before = replace(BASE, rich_texts={"Priority": "One.\n\nTwo.", "DESCRIPTION": "a"})
    local = replace(
        before,
        fields={**BASE.fields, "Priority": "Low"},
        rich_texts={"Priority": "1.\n\nTwo, mine.", "DESCRIPTION": "mine"},
    )
    remote = replace(
        before,
        fields={**BASE.fields, "Priority": "Highest"},
        rich_texts={"Priority": "One.\n\nTwo, theirs.", "DESCRIPTION": "theirs"},
        description="Other words.",
    )

    clashing, others = find_parts(Versions(before, replace(local, description="Mine."), remote))

    assert [(each.id, each.name, each.can_hold_both) for each in clashing] == [
        ("DEMO-9 #DESCRIPTION 0", "Description", True),
        ("DEMO-9 Priority 0", "Priority", False),
        ("DEMO-9 #text Priority 0", "Priority ¶2", True),
        ("DEMO-9 #text DESCRIPTION 0", "DESCRIPTION", True),
    ]
    assert others == (OneSidedChange("Priority ¶1", "mine", "One.", "1."),)


def test_a_description_clashes_by_paragraph() -> None:
    local = described("Zero.\n\nOne.\n\nTwo, mine.\n\nThree.\n\n- four\n- five\n- six")
    remote = described("One.\n\nTwo, theirs.\n\nThree.\n\n- four\n- five\n- 6")

    clashing, others = find_parts(Versions(BASE, local, remote))

    assert rows(clashing) == [("Description ¶3", "Two.", "Two, mine.", "Two, theirs.")]
    assert clashing[0].id == "DEMO-9 #DESCRIPTION 0"
    assert clashing[0].can_hold_both
    assert others == (
        OneSidedChange("Description ¶1", "mine", "", "Zero."),
        OneSidedChange("Description ¶5", "jira", "- six", "- 6"),
    )


@pytest.mark.parametrize(
    ("mine", "theirs", "wanted"),
    [
        (  # two lines of one paragraph are told apart
            "One.\n\nTwo.\n\nThree.\n\n- mine\n- five\n- mine too",
            "One.\n\nTwo.\n\nThree.\n\n- theirs\n- five\n- theirs too",
            [
                ("Description ¶4, line 7", "- four", "- mine", "- theirs"),
                ("Description ¶4, line 9", "- six", "- mine too", "- theirs too"),
            ],
        ),
        (  # several paragraphs that cannot be told apart
            "One.\n\nTwo.\n\nA.\n\nB.\n\nC.",
            "One.\n\nTwo.\n\nD.",
            [
                (
                    "Description ¶3-5",
                    "Three.\n\n- four\n- five\n- six",
                    "A.\n\nB.\n\nC.",
                    "D.",
                )
            ],
        ),
        (  # removed here
            "One.\n\nThree.\n\n- four\n- five\n- six",
            "One.\n\nTwo, theirs.\n\nThree.\n\n- four\n- five\n- six",
            [("Description ¶2", "Two.", "", "Two, theirs.")],
        ),
        (  # removed in Jira, at the beginning
            "One, mine.\n\nTwo.\n\nThree.\n\n- four\n- five\n- six",
            "Two.\n\nThree.\n\n- four\n- five\n- six",
            [("Description ¶1", "One.", "One, mine.", "")],
        ),
        ("A.", "B.", [("Description", BASE.description, "A.", "B.")]),
    ],
)
def test_a_paragraph_has_the_number_that_it_has_in_the_file(
    mine: str, theirs: str, wanted: list[Row]
) -> None:
    assert clashes(described(mine), described(theirs)) == wanted


def test_criteria_clash_one_by_one() -> None:
    local = replace(BASE, acceptance_criteria=("first", "mine", "third"))
    remote = replace(BASE, acceptance_criteria=("first", "theirs\nin two lines", "third", "4th"))

    clashing, others = find_parts(Versions(BASE, local, remote))

    assert rows(clashing) == [("Acceptance criteria 2", "second", "mine", "theirs\n  in two lines")]
    assert others == (OneSidedChange("Acceptance criteria 4", "jira", "", "4th"),)


def test_a_part_of_a_sub_task_is_named_after_it() -> None:
    local = replace(BASE, tasks=(Ticket("Translate, mine", "DEMO-4", "Mine."),))
    remote = replace(BASE, tasks=(Ticket("Translate, theirs", "DEMO-4"), Ticket("New", "DEMO-5")))

    clashing, others = find_parts(Versions(BASE, local, remote))

    assert rows(clashing) == [
        ("DEMO-4: Title", "Translate", "Translate, mine", "Translate, theirs")
    ]
    assert others == (
        OneSidedChange("DEMO-4: Description", "mine", "", "Mine."),
        OneSidedChange("DEMO-5: new", "jira", "", "New"),
    )


def test_without_a_last_sync_whatever_differs_clashes() -> None:
    local = described("One.\n\nMine.\n\nThree.\n\n- four\n- five\n- six")

    assert clashes(replace(local, title="Mine"), BASE, None) == [
        ("Title", "", "Mine", "Rebuild the index"),
        ("Description ¶2", "", "Mine.", "Two."),
    ]


def test_what_means_the_same_to_jira_is_no_change() -> None:
    stars = described(BASE.description.replace("- ", "* "))

    assert merged(stars, BASE) == []
    assert merged(BASE, stars) == []
    assert merged(described("Same."), described("Same.")) == []


OLD = Ticket(
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


def view(local: Ticket = LOCAL, remote: Ticket = REMOTE, base: Ticket | None = OLD) -> ConflictView:
    versions = Versions(base, local, remote)
    parts, merged = find_parts(versions)
    aside = ".ticketr/trash/DEMO-9.md"
    return ConflictView(
        "DEMO-9", local.title, "DEMO-9.md", 1, None, "", None, parts, merged, aside, "", versions
    )


def outcome(seen: ConflictView, choices: dict[str, Choice]) -> Ticket:
    """The ticket that a resolution leads to."""
    three = seen.versions
    resolution = choose(seen, choices)
    return merge(
        three.base, three.local, three.remote, chosen_lines=resolution.lines_by_place
    ).ticket


def view_of(mine: str, theirs: str, base: str = "") -> ConflictView:
    local, remote, old = (replace(OLD, description=text) for text in (mine, theirs, base))
    return view(local, remote, old)


def test_each_part_gets_what_is_chosen_for_it() -> None:
    choices: dict[str, Choice] = {
        TITLE: "mine",
        PRIORITY: "jira",
        TEXT: "both",
        CRITERION: ReplacementText("second, ours\n  in two lines\nthird"),
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

    assert seen.part_changes_in_file == (
        PartChangeInFile("Priority", "Lowest", "Medium"),
        PartChangeInFile("Labels", "search", "remote"),
    )
    assert seen.part_names_to_push == ("Title", "Description ¶4")
    assert [part.name for part in seen.undecided_parts] == [
        "Description ¶2",
        "Acceptance criteria 2",
    ]


def test_what_is_edited_to_be_as_in_jira_is_not_pushed() -> None:
    one = choose(view(), {TITLE: ReplacementText("Theirs\n"), TEXT: ReplacementText("Both of us.")})

    assert one.part_changes_in_file == (
        PartChangeInFile("Title", "Mine", "Theirs"),
        PartChangeInFile("Description ¶2", "Two, mine.", "Both of us."),
        PartChangeInFile("Labels", "search", "remote"),
    )
    assert one.part_names_to_push == ("Description ¶2", "Description ¶4")


def test_a_side_is_written_or_pushed_but_not_both() -> None:
    seen = view(replace(OLD, title="Mine"), replace(OLD, title="Theirs"))

    mine, jiras = (
        choose(seen, {part.id: choice for part in seen.parts}) for choice in ("mine", "jira")
    )

    assert (mine.part_changes_in_file, mine.part_names_to_push) == ((), ("Title",))
    assert (jiras.part_changes_in_file, jiras.part_names_to_push) == (
        (PartChangeInFile("Title", "Mine", "Theirs"),),
        (),
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
    seen = view_of(mine, theirs)

    assert (
        outcome(seen, dict.fromkeys((each.id for each in seen.parts), "both")).description == both
    )


def test_a_common_criterion_of_both_stands_once() -> None:
    local, remote = (
        replace(OLD, acceptance_criteria=texts)
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
    seen = view_of("One.\n\nMine.\n\nThree.", "One.\n\nTheirs.\n\nThree.", OLD.description)

    assert outcome(seen, {TEXT: ReplacementText(text)}).description == description


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_emptied_part_is_empty(text: str) -> None:
    ticket = outcome(
        view(), {PRIORITY: ReplacementText(text), TITLE: "mine", CRITERION: ReplacementText(text)}
    )

    assert ticket.fields["Priority"] == ""
    assert ticket.acceptance_criteria == ("first",)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"DEMO-9 Points 0": "mine"}, "DEMO-9: DEMO-9 Points 0: nothing of that name clashes"),
        ({TITLE: "both"}, "DEMO-9: Title: it cannot hold both texts; choose one, or edit it"),
        ({TITLE: "yours"}, "DEMO-9: Title: 'yours' is not a choice; take mine, jira or both"),
        ({TITLE: ReplacementText(" \n")}, "DEMO-9: Title: a ticket needs one"),
        ({PRIORITY: ReplacementText("High\nLow")}, "DEMO-9: Priority: it is one line"),
    ],
)
def test_a_choice_that_is_not_possible_is_refused_in_words(
    choice: dict[str, Choice], words: str
) -> None:
    with pytest.raises(BadPartChoice) as caught:
        choose(view(), choice)

    assert str(caught.value) == words
