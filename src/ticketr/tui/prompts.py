"""Questions that the app asks in its action bar, and what each answer leads to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr.text import clean
from ticketr.tui import effects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ticketr.sync import Loss
    from ticketr.tui.effects import Effect
    from ticketr.tui.job_kind import JobKind


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer.

    Attributes:
        keys: The keys that give it.
        word: What it is called.
        effects: What it leads to.
    """

    keys: tuple[str, ...]
    word: str
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question that waits for a key; Esc leaves everything as it is.

    Attributes:
        text: What is asked, clean.
        choices: The answers.
        covers_list: Whether what it is about is shown meanwhile, and left with it.
    """

    text: str
    choices: tuple[Choice, ...]
    covers_list: bool = False

    @property
    def line(self) -> str:
        """The question with its answers, the answers first: they must be seen at any width."""
        answers = "  ".join(f"{each.keys[0]} {each.word}" for each in self.choices)
        return f"{answers}  Esc later: {self.text}"

    def choice(self, key: str) -> Choice | None:
        """Return the answer that a key stands for, or None."""
        return next((each for each in self.choices if key in each.keys), None)


def writes_prompt(work: JobKind, writes: int, lost: Sequence[Loss] = ()) -> Prompt:
    """Ask before many issues are written, or something is taken away in Jira.

    Args:
        work: What would be done.
        writes: How many issues it would create or change; 0 if they are too few to ask about.
        lost: What it would take away.
    """
    yes = Choice(("y",), "yes", (effects.StartJob(work, frozenset(lost)),))
    no = Choice(("n",), "no")
    many = f"create or change {writes} tickets in Jira" if writes else ""
    if not lost:
        return Prompt(f"{many}?", (yes, no))
    more = f" (and {len(lost) - 1} more)" if lost[1:] else ""
    loss = f"lose {lost[0].what}{more} in Jira, by {lost[0].path}"
    text = f"{many}, and {loss}?" if many else f"{loss}?"
    return Prompt(clean(text), (yes, Choice(("o",), "others", (effects.StartJob(work),)), no))


def conflict_prompt(key: str, parts: str) -> Prompt:
    """Ask which side of a conflict counts."""
    choices = (("l", "yours", "local"), ("r", "Jira's", "remote"), ("m", "both", "merge"))
    return Prompt(
        clean(f"{parts} changed on both sides"),
        tuple(
            Choice((letter,), word, (effects.Resolve(key, take),)) for letter, word, take in choices
        ),
        covers_list=True,
    )
