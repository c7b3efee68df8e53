"""Compare the pictures in the documentation with the screens of the app."""

from __future__ import annotations

import re

import pytest
from fakes.pictures import FOLDER, PALETTES, Palette, pictures, plain_text

PICTURES = pictures()


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


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_what_the_app_shows(name: str) -> None:
    committed = (FOLDER / name).read_text(encoding="utf-8")
    assert plain_text(committed) == plain_text(PICTURES[name]), "run `make pictures`"


def test_no_picture_is_of_a_screen_that_is_not_drawn_any_more() -> None:
    assert {path.name for path in FOLDER.glob("*.svg")} == set(PICTURES)


def test_texts_in_the_pictures_are_escaped_and_without_control_characters() -> None:
    for picture in PICTURES.values():
        assert re.search(r"[\x00-\x09\x0b-\x1f]", picture) is None


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_every_style_of_the_pictures_can_be_read(palette: Palette) -> None:
    for color in (palette.text, *palette.colors.values()):
        assert contrast(color, palette.ground) >= 4.5
    assert contrast(mixed(palette.text, palette.ground, 0.65), palette.ground) >= 3
