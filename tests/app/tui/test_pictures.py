"""Compare the pictures in the documentation with the screens of the app."""

from __future__ import annotations

import re
from html import unescape
from xml.etree import ElementTree as ET

from drawing.film import STILL, frames
from drawing.pictures import FOLDER, THEME, pictures, rows_of_picture, utc
from drawing.states import states
from drawing.svg import LINE, texts
from fakes.states import plain
from rows import for_each

PICTURES = pictures()
#: What is drawn, and is not text.
DRAWN = "─│┌┐└┘├┤┬┴┼▌█░▏"


def letters(text: str) -> str:
    """Return a text without blanks, and without what a picture draws."""
    return re.sub(rf"[\s{DRAWN}]", "", text)


@for_each("name", PICTURES)
def test_a_picture_shows_what_the_app_shows(name: str) -> None:
    committed = (FOLDER / name).read_text(encoding="utf-8")
    assert texts(committed) == texts(PICTURES[name]), "run `make pictures`"
    assert committed == PICTURES[name], "run `make pictures`"


@for_each("name", states())
def test_each_row_of_the_screen_is_text_in_its_picture(name: str) -> None:
    with utc():
        rows = rows_of_picture(states()[name])
    drawn = ET.fromstring(PICTURES[f"{name}.svg"])
    found = [""] * len(rows)
    for each in drawn.iter("{http://www.w3.org/2000/svg}text"):
        found[int(float(each.attrib["y"]) // LINE) - 1] += each.text or ""
    assert [letters(each) for each in found] == [letters(plain(row)) for row in rows]


def test_each_picture_is_drawn_and_a_page_shows_it() -> None:
    pages = [FOLDER.parents[1] / "README.md", *FOLDER.parent.glob("**/*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)

    assert {path.name for path in FOLDER.glob("*.svg")} == set(PICTURES)
    assert [name for name in PICTURES if f"pictures/{name}" not in text] == []


def test_the_film_shows_a_pull_that_is_cancelled_an_edit_a_plan_and_a_push() -> None:
    shown = [unescape(plain("\n".join(each.rows))) for each in frames(THEME)]
    wanted = [
        "pulling 45%",
        "Cancelled: 54/120 tickets pulled · P goes on",
        "Pull complete: 120 tickets · 66 new",
        "Priority: Low",
        "Enter changes 1 of your tickets in Jira",
        "Pushing tickets",
        "Push complete: 1 updated",
    ]
    found = [next(at for at, text in enumerate(shown) if words in text) for words in wanted]
    assert found == sorted(found)


def test_without_motion_the_film_is_the_plan() -> None:
    drawn = PICTURES["film.svg"]
    style, moving = drawn.split("@media (prefers-reduced-motion:no-preference){")
    assert "animation" not in style
    assert moving.startswith(".f{visibility:hidden;animation:")
    assert style.endswith(".f{visibility:hidden}.s{visibility:visible}")
    still = re.findall(r'<g(?: class="f \S+ s")?>(.*)</g>', drawn)
    (plan,) = (each.rows for each in frames(THEME) if each.name == STILL)
    assert letters("".join(map(texts, still))) == letters("".join(map(plain, plan)))
