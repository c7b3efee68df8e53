"""How a status line looks, and what the environment says about that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self


class Stream(Protocol):
    """What is asked of a text stream before it is written to."""

    @property
    def encoding(self) -> str | None:
        """The name of its encoding."""
        ...

    def isatty(self) -> bool:
        """Tell whether it leads to a terminal."""
        ...


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that a line is made of.

    Attributes:
        full: a cell of the bar that is done.
        empty: a cell that is not.
        spinner: what turns while it is unknown how much there is to do.
        still: what stands there instead where nothing may move.
        completed: the mark of a job that did its work.
        failed: the mark of one that did not.
        cancelled: the mark of one that was stopped.
        ellipsis: where words were cut.
    """

    full: str
    empty: str
    spinner: str
    still: str
    completed: str
    failed: str
    cancelled: str
    ellipsis: str


UNICODE = Glyphs("█", "░", "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "•", "✓", "✗", "⊘", "…")
ASCII = Glyphs("#", "-", "|/-\\", "*", "+", "x", "-", "...")


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How a line is drawn.

    Attributes:
        unicode: whether the stream can show more than ASCII.
        color: whether it may be coloured.
        motion: whether a spinner may turn; without, the line changes once a second at most.
    """

    unicode: bool = True
    color: bool = True
    motion: bool = True

    @classmethod
    def of(cls, environ: Mapping[str, str], stream: Stream) -> Self:
        """Give the style that suits a stream.

        Args:
            environ: The environment. ``NO_COLOR``, ``FORCE_COLOR``, ``CLICOLOR_FORCE`` and
                ``CLICOLOR=0`` decide on colour, ``TICKETR_ASCII`` on characters,
                ``TICKETR_NO_MOTION`` and ``REDUCED_MOTION`` on motion.
            stream: Where the line is written to.
        """
        encoding = (stream.encoding or "").lower().replace("-", "").replace("_", "")
        return cls(
            unicode=encoding == "utf8" and not environ.get("TICKETR_ASCII"),
            color=_has_color(environ, stream),
            motion=not (environ.get("TICKETR_NO_MOTION") or environ.get("REDUCED_MOTION")),
        )

    @property
    def glyphs(self) -> Glyphs:
        """The characters to draw with."""
        return UNICODE if self.unicode else ASCII


def _has_color(environ: Mapping[str, str], stream: Stream) -> bool:
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR") or environ.get("CLICOLOR_FORCE"):
        return True
    return environ.get("CLICOLOR") != "0" and stream.isatty()
