"""What each type of field is in a file: the cases of a test, and the table in docs/fields.md.

``python -m fakes.field_cases`` in the folder ``tests`` prints the table.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldCase:
    """A field of the sandbox's project KIT.

    Attributes:
        kind: What people call its type.
        name: The name of its line, or of its section.
        pulled: The text that a pull of KIT-2 writes.
        typed: Another text, as a person types it.
        stored: That text as the next pull writes it.
        wrong: A text that is refused.
        told: A part of the error.
        is_settable: Whether the screen for editing has the field.
        is_text: Whether the field is rich text, in a section of its own.
    """

    kind: str
    name: str
    pulled: str
    typed: str
    stored: str
    wrong: str = ""
    told: str = ""
    is_settable: bool = True
    is_text: bool = False

    @property
    def shown(self) -> str:
        """The pulled text as the table has it."""
        if self.is_text:
            return f"`## Field: {self.name}`<br>`{self.pulled}`"
        return f"`{self.name}: {self.pulled}`"


NO_CHOICE, NO_DATE = "is not possible", "is not a date like"

CASES = (
    FieldCase("one line of text", "Audit Code", "AUD-7", "AUD-8", "", is_settable=False),
    FieldCase("number", "Budget", "12500.5", "0.25", "0.25", "much", "is not a number"),
    FieldCase("story points", "Story Points", "5", "8.0", "8", "XL", "is not a number"),
    FieldCase("select list", "Channel", "Post: abroad", "web", "Web", "Fax", NO_CHOICE),
    FieldCase("radio buttons", "Risk", "Some", "Grave", "Grave", "Any", NO_CHOICE),
    FieldCase(
        "checkboxes", "Checks", 'Fire, "Power, gas"', '"Power, gas"', '"Power, gas"', "Power, gas",
        NO_CHOICE,
    ),
    FieldCase(
        "several choices", "Markets", "Home, Home > Islands", "export, Home", "Export, Home",
        "Moon", NO_CHOICE,
    ),
    FieldCase("flag", "Flagged", "Impediment", "impediment", "Impediment", "yes", NO_CHOICE),
    FieldCase(
        "choice of two steps", "Region", "Europe > Spain", "asia>Japan", "Asia > Japan",
        "Asia > Spain", NO_CHOICE,
    ),
    FieldCase(
        "person", "Owner", "Zoë Åkesson", "demo@example.com", "Demo User", "Nobody",
        "nobody called",
    ),
    FieldCase(
        "several people", "Approvers", "Demo User, Tomás O’Brien", "Priya Raman, 陈美玲",
        "Priya Raman, 陈美玲", "Demo User, Nobody", "nobody called",
    ),
    FieldCase("group", "Keeper", "booksellers", "managers", "managers"),
    FieldCase("several groups", "Informed", "booksellers, managers", "managers", "managers"),
    FieldCase(
        "date", "Opening Day", "2025-11-28", "2026-01-02", "2026-01-02", "2.1.2026", NO_DATE
    ),
    FieldCase(
        "date and time", "Opening Time", "2025-11-28T14:00:00.000+0530", "2026-01-02 09:30 +0100",
        "2026-01-02T14:00:00.000+0530", "soon", "is not a moment like",
    ),
    FieldCase(
        "labels", "Topics", "fish, new-shop", "cake, tea", "cake, tea", "two words",
        "has a space in it",
    ),
    FieldCase("version", "Found In", "2025.4", "2026.1", "2026.1", "1.0", NO_CHOICE),
    FieldCase("versions", "Ships In", "2026.1, 2026.2", "2026.2", "2026.2", "1.0", NO_CHOICE),
    FieldCase("project", "Home Project", "Harbour Books", "fitting out", "Fitting Out", "Mars", NO_CHOICE),
    FieldCase(
        "web address", "Website", "https://example.com/fish-market?a=1&b=2", "https://example.com",
        "https://example.com",
    ),
    FieldCase("color of an issue", "Issue color", "dark_teal", "purple", "purple"),
    FieldCase(
        "security level", "Security Level", "Staff", "management", "Management", "All", NO_CHOICE
    ),
    FieldCase("team", "Team", "Front of house", "front of house", "Front of house", "B", "the team"),
    FieldCase(
        "original estimate", "Original estimate", "16h", "1.5h", "1h 30m", "2d",
        "hours and minutes",
    ),
    FieldCase("remaining estimate", "Remaining Estimate", "8h", "45m", "45m", "x", "hours and"),
    FieldCase(
        "rich text", "Environment", "The shop by the **fish market**.", "__Debian__ 12",
        "__Debian__ 12", "Debian <!-- 12 -->", "HTML comment", is_text=True,
    ),
    FieldCase(
        "paragraph", "Lessons", "Order the shelves earlier.", "* first", "* first",
        "Tell <!-- whom? -->", "HTML comment", is_text=True,
    ),
)  # fmt: skip


def table() -> str:
    """Return the cases as a table for the manual."""
    rows = [
        "| type | as pulled | typed, and as Jira has it | refused |",
        "|---|---|---|---|",
    ]
    for each in CASES:
        pulled = each.shown
        if not each.is_settable:
            rows.append(f"| {each.kind} | {pulled} | refused: it is on no edit screen | |")
            continue
        typed = f"`{each.typed}`"
        if each.typed != each.stored:
            typed += f" becomes `{each.stored}`"
        wrong = f"`{each.wrong}`" if each.wrong else ""
        rows.append(f"| {each.kind} | {pulled} | {typed} | {wrong} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())  # noqa: T201 - a command
