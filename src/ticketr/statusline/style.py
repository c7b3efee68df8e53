"""The style of a status line, and its choice from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, TextIO

from ticketr.tty import wants_color


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that a line is made of.

    Attributes:
        full_cell: A filled cell of the bar.
        empty_cell: An empty cell of the bar.
        spinner: The frames of the spinner, for a job whose total is unknown.
        still_spinner: The character instead of the spinner where nothing may move.
        completed: The mark of a completed job.
        failed: The mark of a failed job.
        cancelled: The mark of a cancelled job.
        ellipsis: The end of a text that was cut.
    """

    full_cell: str
    empty_cell: str
    spinner: str
    still_spinner: str
    completed: str
    failed: str
    cancelled: str
    ellipsis: str


UNICODE_GLYPHS = Glyphs("█", "░", "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "•", "✓", "✗", "⊘", "…")
ASCII_GLYPHS = Glyphs("#", "-", "|/-\\", "*", "+", "x", "-", "...")


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How a line is drawn.

    Attributes:
        unicode: Whether the stream can show more than ASCII.
        color: Whether the line may be coloured.
        motion: Whether a spinner may turn; if not, the line changes at most once a second.
    """

    unicode: bool = True
    color: bool = True
    motion: bool = True

    @classmethod
    def of(cls, environ: Mapping[str, str], stream: TextIO) -> Self:
        """Return the style that suits a stream.

        Args:
            environ: The environment. ``NO_COLOR``, ``FORCE_COLOR``, ``CLICOLOR_FORCE`` and
                ``CLICOLOR=0`` decide on colour, ``TICKETR_ASCII`` on characters,
                ``TICKETR_NO_MOTION`` and ``REDUCED_MOTION`` on motion.
            stream: The stream to which the line is written.
        """
        encoding = (stream.encoding or "").lower().replace("-", "").replace("_", "")
        return cls(
            unicode=encoding == "utf8" and not environ.get("TICKETR_ASCII"),
            color=wants_color(environ, by_default=stream.isatty()),
            motion=not (environ.get("TICKETR_NO_MOTION") or environ.get("REDUCED_MOTION")),
        )

    @property
    def glyphs(self) -> Glyphs:
        """The characters to draw with."""
        return UNICODE_GLYPHS if self.unicode else ASCII_GLYPHS
