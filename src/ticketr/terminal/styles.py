"""Styles for text on a terminal: attributes and the 16 colours of the user's palette.

There are no other colours, since users choose a palette that is legible on their background.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

_Attribute = Literal["bold", "dim", "italic", "underline", "reverse", "strike"]
_Color = Literal["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]
_Bright = Literal[
    "bright_black",
    "bright_red",
    "bright_green",
    "bright_yellow",
    "bright_blue",
    "bright_magenta",
    "bright_cyan",
    "bright_white",
]
_Background = Literal[
    "on_black", "on_red", "on_green", "on_yellow", "on_blue", "on_magenta", "on_cyan", "on_white"
]
Style = Literal[_Attribute, _Color, _Bright, _Background]

_COLORS: Final = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_CODES: Final[dict[str, int]] = {
    "bold": 1,
    "dim": 2,
    "italic": 3,
    "underline": 4,
    "reverse": 7,
    "strike": 9,
    **{name: 30 + number for number, name in enumerate(_COLORS)},
    **{f"bright_{name}": 90 + number for number, name in enumerate(_COLORS)},
    **{f"on_{name}": 40 + number for number, name in enumerate(_COLORS)},
}
#: The styles that need no colours; many terminals show `dim` as a colour.
_COLORLESS: Final = frozenset(("bold", "italic", "underline", "reverse", "strike"))


def sgr(text: str, *names: Style, colors: bool = True) -> str:
    """Return a text with styles.

    Args:
        text: Clean text without styles.
        names: The styles, such as ``"bold", "cyan"``.
        colors: Whether to use colours; without them, only attributes other than dim are applied.
    """
    codes = _codes(names, colors)
    return f"\x1b[{codes}m{text}\x1b[m" if codes and text else text


@lru_cache
def _codes(names: tuple[Style, ...], colors: bool) -> str:  # noqa: FBT001 - for the cache
    return ";".join(str(_CODES[name]) for name in names if colors or name in _COLORLESS)
