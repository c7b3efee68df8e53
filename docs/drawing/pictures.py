"""Draw screens of the app, in fixed states, as SVG pictures for the documentation.

`make pictures` writes them all.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from drawing.film import film
from drawing.states import NOW, WIDTH, states
from drawing.svg import picture, style

from ticketr.app.tui.screen import draw_screen
from ticketr.app.tui.state import AppState
from ticketr.app.tui.styled import Theme
from ticketr.statusline import LineStyle

FOLDER = Path(__file__).parents[1] / "pictures"
THEME = Theme(style, LineStyle(color=False), has_links=False)


def rows_of_picture(state: AppState) -> list[str]:
    """Return the rows of a screen, with the styles as a terminal gets them."""
    return draw_screen(state, NOW, THEME)


@contextmanager
def utc() -> Generator[None]:
    """Show times of day in UTC while the block runs."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


def pictures() -> dict[str, str]:
    """Return all pictures, by the names of their files."""
    with utc():
        rows = {name: rows_of_picture(state) for name, state in states().items()}
    drawn = {
        f"{name}.svg": picture(each, f"ticketr in a terminal: {name}", WIDTH)
        for name, each in rows.items()
    }
    return drawn | {"film.svg": film(THEME)}


def main() -> None:
    """Write all pictures into the documentation."""
    FOLDER.mkdir(exist_ok=True)
    for name, drawn in pictures().items():
        (FOLDER / name).write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
