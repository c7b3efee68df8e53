"""The prompts of the action bar, and the effects of their answers. Pure."""

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
    """One answer to a prompt.

    Attributes:
        keys: The keys of the answer.
        word: The word for the answer.
        effects: The effects of the answer.
    """

    keys: tuple[str, ...]
    word: str
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question that waits for a key; Esc leaves everything as it is.

    Attributes:
        text: The question, cleaned.
        choices: The answers.
        covers_list: Whether the prompt's subject is shown over the list until the answer.
    """

    text: str
    choices: tuple[Choice, ...]
    covers_list: bool = False

    @property
    def line(self) -> str:
        """The answers, then the question: the answers must be visible at any width."""
        answers = "  ".join(f"{each.keys[0]} {each.word}" for each in self.choices)
        return f"{answers}  Esc later: {self.text}"

    def choice(self, key: str) -> Choice | None:
        """Return the answer of a key, or None."""
        return next((each for each in self.choices if key in each.keys), None)


def writes_prompt(kind: JobKind, writes: int, lost: Sequence[Loss] = ()) -> Prompt:
    """Return the prompt before many issues are written, or content is lost in Jira.

    Args:
        kind: The kind of the job.
        writes: How many issues the job would write; 0 if they are too few to ask about.
        lost: What the job would remove in Jira.
    """
    yes = Choice(("y",), "yes", (effects.StartJob(kind, frozenset(lost)),))
    no = Choice(("n",), "no")
    many = f"create or change {writes} tickets in Jira" if writes else ""
    if not lost:
        return Prompt(f"{many}?", (yes, no))
    more = f" (and {len(lost) - 1} more)" if lost[1:] else ""
    loss = f"lose {lost[0].what}{more} in Jira, by {lost[0].path}"
    text = f"{many}, and {loss}?" if many else f"{loss}?"
    return Prompt(clean(text), (yes, Choice(("o",), "others", (effects.StartJob(kind),)), no))


def conflict_prompt(key: str, parts: str) -> Prompt:
    """Return the prompt for the side that wins a conflict."""
    choices = (("l", "yours", "local"), ("r", "Jira's", "remote"), ("m", "both", "merge"))
    return Prompt(
        clean(f"{parts} changed on both sides"),
        tuple(
            Choice((letter,), word, (effects.Resolve(key, take),)) for letter, word, take in choices
        ),
        covers_list=True,
    )
