"""Draw screens of the app, in a fixed state, as SVG pictures for the documentation.

`python -m fakes.pictures`, in the folder `tests`, writes them all; `make pictures` does so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from fakes.states import after, app_state, pressed, snapshot

from ticketr.statusline import LineStyle
from ticketr.text import width
from ticketr.tickets import Ticket
from ticketr.tui import messages
from ticketr.tui.screen import screen
from ticketr.tui.sheet import sheet_of
from ticketr.tui.state import OpenTicket
from ticketr.tui.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketr.tui.state import AppState

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, HEIGHT = 100, 24
CELL, LINE = 8.4, 18
#: The codes of styles in a terminal (SGR).
CODES = {"bold": 1, "dim": 2, "reverse": 7, "red": 31, "green": 32, "yellow": 33, "blue": 34}
_STYLES = {str(code): style for style, code in CODES.items()}
_PART = re.compile(r"\x1b\[([0-9;]*)m|([^\x1b]+)")

TICKETS = (
    Ticket(
        title="Search that forgives typing errors",
        key="DEMO-1",
        description="People look at the first five results and no further.\n\n- Keep the old way"
        " for paid orders\n- Show the best match **first**",
        fields={"Status": "In Progress", "Assignee": "Amara Okafor", "Priority": "High"},
        acceptance_criteria=("No query takes more than 300 ms",),
        tasks=(
            Ticket(title="Agree on the wording", key="DEMO-4", fields={"Status": "Done"}),
            Ticket(title="Translate the new texts", key="DEMO-5", fields={"Status": "To Do"}),
        ),
    ),
    Ticket(title="Delete search logs after 90 days", key="DEMO-2", fields={"Status": "Done"}),
    Ticket(
        title="Rebuild the index without downtime",
        key="DEMO-9",
        fields={"Status": "In Progress", "Assignee": "Priya Raman"},
    ),
    Ticket(title="Pay in instalments", fields={"Status": "To Do"}),
)


@dataclass(frozen=True)
class Palette:
    """The colours of a terminal, as a browser writes them."""

    text: str
    ground: str
    colors: dict[str, str]


PALETTES = {
    "light": Palette(
        "#1f2328",
        "#ffffff",
        {"red": "#b3261e", "green": "#1a6b2f", "yellow": "#7a5200", "blue": "#0b57d0"},
    ),
    "dark": Palette(
        "#e6edf3",
        "#161b22",
        {"red": "#ff8a80", "green": "#7ee787", "yellow": "#e3b341", "blue": "#8ab4f8"},
    ),
}


def states() -> dict[str, AppState]:
    """Return the screens to draw, by the names of their files."""
    main = app_state(*TICKETS, width=WIDTH, height=HEIGHT)
    view = replace(main.workspace, name="harbour", edited=frozenset({"DEMO-2"}))
    row = next(each for each in view.rows if each.key == "DEMO-1")
    sheet = sheet_of(TICKETS[0], "DEMO-1.md")
    view = replace(view, selected=row.order, conflicts={"DEMO-9": ("DEMO-9: Priority",)})
    ticket = OpenTicket("harbour", row.order, sheet)
    main = replace(main, workspaces=(view,), ticket=ticket)
    running = after(main, messages.JobChanged(snapshot()))
    return {
        "main": main,
        "detail": pressed(main, "KEY_ENTER", "KEY_ENTER"),
        "pull": running,
        "jobs": pressed(running, "J"),
        "palette": pressed(main, ":"),
        "help": pressed(main, "?"),
    }


def rows_of_picture(state: AppState) -> list[str]:
    """Return the rows of a screen, with the styles as a terminal gets them."""
    return screen(state, 2.0, Theme(_style, LineStyle(color=False), links=False))


def plain_text(picture: str) -> str:
    """Return the text of a picture, for comparison."""
    return re.sub("<[^>]*>", "", picture)


def svg(rows: list[str], palette: Palette) -> str:
    """Return a picture of a screen."""
    size = f'width="{WIDTH * CELL + 16:.0f}" height="{len(rows) * LINE + 16}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-size="14" xml:space="preserve"'
    head += ' font-family="DejaVu Sans Mono, Menlo, Consolas, monospace">'
    ground = f'<rect width="100%" height="100%" rx="6" fill="{palette.ground}"/>'
    parts = [head, ground]
    for number, row in enumerate(rows):
        parts += _row(row, number, palette)
    return "\n".join([*parts, "</svg>", ""])


def _style(text: str, *styles: str) -> str:
    codes = ";".join(str(CODES[each]) for each in styles)
    return f"\x1b[{codes}m{text}\x1b[m" if styles else text


def _row(row: str, number: int, palette: Palette) -> Iterator[str]:
    cell = 0
    y = 8 + number * LINE
    styles: list[str] = []
    for found in _PART.finditer(row):
        text = found[2]
        if text is None:
            styles = [_STYLES[code] for code in found[1].split(";") if code not in {"", "0"}]
            continue
        cells = width(text)
        x, size = 8 + cell * CELL, cells * CELL
        cell += cells
        color = next((palette.colors[each] for each in styles if each in palette.colors), "")
        color = color or palette.text
        if "reverse" in styles:
            yield f'<rect x="{x:.1f}" y="{y}" width="{size:.1f}" height="{LINE}" fill="{color}"/>'
            color = palette.ground
        more = ' font-weight="bold"' if "bold" in styles else ""
        more += ' opacity="0.65"' if "dim" in styles else ""
        if text.strip():
            place = f'x="{x:.1f}" y="{y + 14}" textLength="{size:.1f}"'
            yield f'<text {place} fill="{color}"{more}>{escape(text)}</text>'


def pictures() -> dict[str, str]:
    """Return all pictures, by the names of their files."""
    return {
        f"{name}-{shade}.svg": svg(rows_of_picture(state), palette)
        for name, state in states().items()
        for shade, palette in PALETTES.items()
    }


def main() -> None:
    """Write all pictures into the documentation."""
    FOLDER.mkdir(exist_ok=True)
    for name, picture in pictures().items():
        (FOLDER / name).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
