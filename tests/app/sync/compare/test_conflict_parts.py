"""What clashes between two versions of a ticket, by name, and what merges by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ticketr.app.sync.compare.conflict_parts import ConflictPart, MergedPart, find_parts
from ticketr.app.sync.compare.diff import Versions
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


def merged(local: Ticket, remote: Ticket) -> list[MergedPart]:
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
    assert [(each.id, each.can_both) for each in clashing] == [
        ("DEMO-9 #TITLE 0", False),
        ("DEMO-9 Priority 0", False),
    ]
    assert others == (MergedPart("Labels", "jira", "search", "remote"),)


def test_a_rich_text_field_clashes_by_paragraph_beside_a_line_of_its_name() -> None:
    before = replace(BASE, texts={"Priority": "One.\n\nTwo.", "DESCRIPTION": "a"})
    local = replace(
        before,
        fields={**BASE.fields, "Priority": "Low"},
        texts={"Priority": "1.\n\nTwo, mine.", "DESCRIPTION": "mine"},
    )
    remote = replace(
        before,
        fields={**BASE.fields, "Priority": "Highest"},
        texts={"Priority": "One.\n\nTwo, theirs.", "DESCRIPTION": "theirs"},
        description="Other words.",
    )

    clashing, others = find_parts(Versions(before, replace(local, description="Mine."), remote))

    assert [(each.id, each.name, each.can_both) for each in clashing] == [
        ("DEMO-9 #DESCRIPTION 0", "Description", True),
        ("DEMO-9 Priority 0", "Priority", False),
        ("DEMO-9 #text Priority 0", "Priority ¶2", True),
        ("DEMO-9 #text DESCRIPTION 0", "DESCRIPTION", True),
    ]
    assert others == (MergedPart("Priority ¶1", "mine", "One.", "1."),)


def test_a_description_clashes_by_paragraph() -> None:
    local = described("Zero.\n\nOne.\n\nTwo, mine.\n\nThree.\n\n- four\n- five\n- six")
    remote = described("One.\n\nTwo, theirs.\n\nThree.\n\n- four\n- five\n- 6")

    clashing, others = find_parts(Versions(BASE, local, remote))

    assert rows(clashing) == [("Description ¶3", "Two.", "Two, mine.", "Two, theirs.")]
    assert clashing[0].id == "DEMO-9 #DESCRIPTION 0"
    assert clashing[0].can_both
    assert others == (
        MergedPart("Description ¶1", "mine", "", "Zero."),
        MergedPart("Description ¶5", "jira", "- six", "- 6"),
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
    assert others == (MergedPart("Acceptance criteria 4", "jira", "", "4th"),)


def test_a_part_of_a_sub_task_is_named_after_it() -> None:
    local = replace(BASE, tasks=(Ticket("Translate, mine", "DEMO-4", "Mine."),))
    remote = replace(BASE, tasks=(Ticket("Translate, theirs", "DEMO-4"), Ticket("New", "DEMO-5")))

    clashing, others = find_parts(Versions(BASE, local, remote))

    assert rows(clashing) == [
        ("DEMO-4: Title", "Translate", "Translate, mine", "Translate, theirs")
    ]
    assert others == (
        MergedPart("DEMO-4: Description", "mine", "", "Mine."),
        MergedPart("DEMO-5: new", "jira", "", "New"),
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


def test_what_one_side_has_changed_is_listed_by_paragraph() -> None:
    mine = described(BASE.description.replace("One.", "One, mine."))
    theirs = described(BASE.description.replace("\n\nThree.", ""))

    assert merged(mine, BASE) == [MergedPart("Description ¶1", "mine", "One.", "One, mine.")]
    assert merged(theirs, BASE) == [MergedPart("Description ¶3", "mine", "Three.", "")]
    assert merged(BASE, theirs) == [MergedPart("Description ¶3", "jira", "Three.", "")]
    assert merged(replace(BASE, title="Mine"), BASE) == [
        MergedPart("Title", "mine", "Rebuild the index", "Mine")
    ]
