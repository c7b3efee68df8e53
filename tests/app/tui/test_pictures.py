"""Compare the pictures in the documentation with the screens of the app."""

from __future__ import annotations

import re
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from fakes.film import STILL, frames
from fakes.picture_states import states
from fakes.pictures import FOLDER, THEME, pictures, rows_of_picture, utc
from fakes.screens import plain
from fakes.svg import DIM, LINE, PALETTES, Palette, picture, texts

PICTURES = pictures()
#: What is drawn, and is not text.
DRAWN = "─│┌┐└┘├┤┬┴┼▌█░▏"
LARGEST = 100_000


def luminance(color: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(text: str, ground: str, share: float) -> str:
    pairs = [(int(text[at : at + 2], 16), int(ground[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


def letters(text: str) -> str:
    """Return a text without blanks, and without what a picture draws."""
    return re.sub(rf"[\s{DRAWN}]", "", text)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_what_the_app_shows(name: str) -> None:
    committed = (FOLDER / name).read_text(encoding="utf-8")
    assert texts(committed) == texts(PICTURES[name]), "run `make pictures`"
    assert committed == PICTURES[name], "run `make pictures`"


@pytest.mark.parametrize("name", states())
def test_each_row_of_the_screen_is_text_in_its_picture(name: str) -> None:
    with utc():
        rows = rows_of_picture(states()[name])
    drawn = ET.fromstring(PICTURES[f"{name}-dark.svg"])
    found = [""] * len(rows)
    for each in drawn.iter("{http://www.w3.org/2000/svg}text"):
        found[int(float(each.attrib["y"]) // LINE) - 1] += each.text or ""
    assert [letters(each) for each in found] == [letters(plain(row)) for row in rows]


def test_no_picture_is_of_a_screen_that_is_not_drawn_any_more() -> None:
    assert {path.name for path in FOLDER.glob("*.svg")} == set(PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_small_and_says_what_it_shows_and_loads_nothing(name: str) -> None:
    drawn = PICTURES[name]
    assert len(drawn.encode()) < LARGEST
    assert re.search(r"[\x00-\x09\x0b-\x1f]", drawn) is None
    assert re.search(r"<script|<image|href=|url\(|@import", drawn) is None
    assert ET.fromstring(drawn).find("{http://www.w3.org/2000/svg}title") is not None


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_every_style_of_the_pictures_can_be_read(palette: Palette) -> None:
    for color in (palette.text, *palette.colors.values()):
        assert contrast(color, palette.ground) >= 4.5
    assert contrast(mixed(palette.text, palette.ground, DIM), palette.ground) >= 3


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
    drawn = PICTURES["film-dark.svg"]
    style, moving = drawn.split("@media (prefers-reduced-motion:no-preference){")
    assert "animation" not in style
    assert moving.startswith(".f{visibility:hidden;animation:")
    assert style.endswith(".f{visibility:hidden}.s{visibility:visible}")
    still = re.findall(r'<g(?: class="f \S+ s")?>(.*)</g>', drawn)
    (plan,) = (each.rows for each in frames(THEME) if each.name == STILL)
    assert letters("".join(map(texts, still))) == letters("".join(map(plain, plan)))


def test_lines_of_boxes_and_blocks_are_drawn_so_that_they_join() -> None:
    drawn = picture(["┌──┐ a", "│ b│ █░"], "x", PALETTES["dark"], 8)
    assert texts(drawn) == "x\na\nb"
    paths = re.findall(r'<path d="([^"]*)"', drawn)
    assert paths[0] == "M16.2 21.5H20.4M16.2 21.5V31"
    assert paths[1] == "M20.4 21.5H37.3"
    assert [path for path in paths if path.endswith("V50")] == ["M16.2 31V50", "M41.5 31V50"]
    assert drawn.count("<rect") == 3
