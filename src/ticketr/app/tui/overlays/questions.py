"""Overlays that ask: for a line or a yes, and Jira while the user waits. Pure."""

from __future__ import annotations

from collections.abc import Callable, Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, final

from ticketr.app.tui import messages
from ticketr.app.tui.effects import Call, call
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import Overlay, boxed, is_too_soon
from ticketr.app.tui.overlays.choice import ASKED
from ticketr.app.tui.services.asking import stop_asking
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import Line, Span, Theme, wrap_line
from ticketr.app.tui.text_input import TextInput
from ticketr.text import width, wrap


@final
@dataclass(frozen=True, slots=True)
class Question(Overlay):
    """A question that Enter answers with yes, and Esc with no.

    Attributes:
        title: What it is about.
        words: The question, cleaned.
        effects: What a yes does.
        shown_at: The time at which it came.
    """

    context: ClassVar[Context] = Context.QUESTION
    is_full: ClassVar[bool] = False

    title: str
    words: str
    effects: tuple[Call, ...]
    shown_at: float

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Answer it with yes."""
        if action is not KeyAction.ACCEPT:
            return None
        if is_too_soon(state, self.shown_at, now):
            return state.noticed("Read the question first"), ()
        return state.closed(), self.effects

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells = min(70, max(16, state.width - 8))
        lines = [(f" {line}", False) for line in wrap(self.words, cells - 2)]
        return boxed(below, self.title, lines, cells, state.width, theme)


#: What is between two hints.
GAP = "   "
#: The most lines of a text that are shown.
MOST_LINES = 8
#: The cells around the label, the text and the hints: blanks, the cursor, a gap.
MOST_AROUND = 6


@final
@dataclass(frozen=True, slots=True)
class LineInput(Overlay):
    """A line to type.

    Attributes:
        label: What is typed, such as ``"/"``.
        on_accept: Gives the step for the text that Enter takes; it gets the state without this
            overlay. Or it returns why the text cannot be taken. The line comes back if what it
            asks for fails.
        on_change: Gives the state after each change of the text; it gets the state with this
            overlay. None to do nothing then.
        on_cancel: Gives the state if Esc closes it, to take back what `on_change` did.
        input: The text.
        on_tab: Gives the step for Tab; it gets the state without this overlay. None if Tab does
            nothing.
        examples: What can be typed, shown while nothing is.
        problem: Why the text was not taken, cleaned; it is shown until the text is changed.
        on_edit: Gives the step that opens the text in the editor; it gets the state without this
            overlay. None if it is not written there.
    """

    context: ClassVar[Context] = Context.INPUT
    is_full: ClassVar[bool] = False

    label: str
    on_accept: Callable[[AppState, str], Step | str]
    on_change: Callable[[AppState, str], AppState] | None = None
    on_cancel: Callable[[AppState], AppState] | None = None
    input: TextInput = field(default_factory=TextInput)
    on_tab: Callable[[AppState], Step] | None = None
    examples: str = ""
    problem: str = ""
    on_edit: Callable[[AppState, str], Step] | None = None

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Edit the line, take it, or close it."""
        if action is KeyAction.ACCEPT:
            return self._accept(state, self.on_accept)
        if action is KeyAction.ESCAPE:
            closed = state.closed()
            return (closed if self.on_cancel is None else self.on_cancel(closed)), ()
        if action is KeyAction.NEXT_PANEL and self.on_tab is not None:
            return self.on_tab(state.closed())
        if action is KeyAction.IN_EDITOR and self.on_edit is not None:
            return self._accept(state, self.on_edit)
        edited = self.input.edited(action)
        return None if edited is None else (self._with_text(state, edited), ())

    def _accept(self, state: AppState, take: Callable[[AppState, str], Step | str]) -> Step:
        step = take(state.closed(), self.input.text)
        if isinstance(step, str):
            return state.replaced(replace(self, problem=step)), ()
        return step[0], tuple(
            request if request.on_failure else replace(request, on_failure=self.reopened)
            for request in step[1]
        )

    def reopened(self, state: AppState, answer: messages.Answered) -> Step:
        """Return the step that shows the line again, with what the user has written since."""
        text = self.input
        if answer.value is not None:
            text = TextInput.of(answer.value, keeps_lines=text.keeps_lines)
        return state.opened_below(replace(self, input=text, problem=answer.problem)), ()

    def on_text(self, state: AppState, text: str, now: float) -> Step | None:
        """Insert text at the cursor."""
        return self._with_text(state, self.input.typed(text)), ()

    def _with_text(self, state: AppState, edited: TextInput) -> AppState:
        state = state.replaced(replace(self, input=edited, problem=""))
        return state if self.on_change is None else self.on_change(state, edited.text)

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body; the lowest ones show a text of several lines, and the problem."""
        rows: list[Line] = []
        lines = self.input.text.split("\n")
        if lines[1:]:
            rows += [(Span("─" * state.width),)]
            rows += [(Span(f" {line}"),) for line in lines[-MOST_LINES:]]
        if self.problem:
            line = (Span(theme.text(self.problem), ("bold", "red")),)
            rows += wrap_line(line, state.width, first=" ", rest=" ")
        rows = rows[: len(below)]
        return [
            *below[: len(below) - len(rows)],
            *(theme.row(row, state.width) for row in rows),
        ]

    def line(self, state: AppState, theme: Theme) -> str:
        """Return the text of the action bar."""
        room = max(4, state.width - len(self.label) - 3)
        return f" {self.label} {self.input.shown(room)}"

    def line_hints(self, state: AppState) -> str:
        """Return examples and keys, as many as there is room for."""
        keys = [(KeyAction.ACCEPT, "takes it"), (KeyAction.ESCAPE, "leaves")]
        if self.on_edit is not None:
            keys.append((KeyAction.IN_EDITOR, "opens $EDITOR"))
        if self.on_tab is not None:
            keys.insert(0, (KeyAction.NEXT_PANEL, "lists"))
        parts = [state.keymap.hint(action, self.context, does) for action, does in keys]
        if self.examples and not self.input.text:
            parts.insert(0, self.examples)
        room = state.width - width(self.label) - width(self.input.text) - MOST_AROUND
        while parts and width(GAP.join(parts)) > room:
            parts.pop()
        return GAP.join(parts)


@final
@dataclass(frozen=True, slots=True)
class Loading(Overlay):
    """Jira is asked; Esc cancels the request.

    Attributes:
        request: The request.
        title: What the answer is for.
        words: What Jira is asked.
        on_answer: Gives the step for the answer, the reason why there is none, and the time; it gets
            the state without this overlay.
    """

    context: ClassVar[Context] = Context.CHOICE
    is_full: ClassVar[bool] = False

    request: Call
    title: str
    words: str
    on_answer: Callable[[AppState, Any, str, float], Step]

    @property
    def workspace(self) -> str:
        """The name of the workspace."""
        return self.request.workspace

    def idle_actions(self, state: AppState) -> AbstractSet[KeyAction]:
        """Return the actions without an effect: there is nothing to take yet."""
        return frozenset((KeyAction.ACCEPT,))

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Cancel the request; there is nothing to take yet."""
        if action is KeyAction.ESCAPE:
            return state.closed(), (call(stop_asking, self.workspace),)
        if action is KeyAction.ACCEPT:
            return state.noticed(ASKED), ()
        return None

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Take the answer."""
        match message:
            case messages.Answered(self.request, value, problem):
                return self.on_answer(state.without(self), value, problem, now)
            case _:
                return None

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells = min(64, max(16, state.width - 8))
        return boxed(below, self.title, [(f" {self.words}", False)], cells, state.width, theme)
