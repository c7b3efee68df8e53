"""The kitty keyboard protocol: asked for, used where it is confirmed, and left on every way out."""

from __future__ import annotations

import os
import re
import signal

import pytest
import trio
from fakes.ptys import DEMO, WITHOUT_DEADLINES, Pty, encoded, job_on_pty, wait_until
from rows import for_each
from trio.testing import MockClock

from ticketr.app.tui.keymap import DEFAULT_BINDINGS
from ticketr.terminal.key_protocol import KeyProtocol
from ticketr.terminal.terminfo import TerminalKind
from ticketr.terminal.tokens import Tokenizer, to_legacy_token

ASKED, PUSHED, POPPED = "\x1b[?u\x1b[c", "\x1b[>5u\x1b[?u\x1b[c", "\x1b[<u"
KIND = TerminalKind("xterm-256color")
#: What a terminal without the protocol sends for the keys that have a name.
SENT = {
    "KEY_ENTER": "\r",
    "KEY_TAB": "\t",
    "KEY_BTAB": "\x1b[Z",
    "KEY_BACKSPACE": "\x7f",
    "KEY_ESCAPE": "\x1b",
    "KEY_UP": "\x1b[A",
    "KEY_DOWN": "\x1b[B",
    "KEY_RIGHT": "\x1b[C",
    "KEY_LEFT": "\x1b[D",
    "KEY_HOME": "\x1b[H",
    "KEY_END": "\x1b[F",
    "KEY_PGUP": "\x1b[5~",
    "KEY_PGDOWN": "\x1b[6~",
    "KEY_F1": "\x1bOP",
    "KEY_F5": "\x1b[15~",
    "KEY_F10": "\x1b[21~",
}
#: The keys of the app, without those that are signals.
APP_KEYS = sorted({key for row in DEFAULT_BINDINGS for key in row.keys} - {"KEY_CTRL_C"})


def sent(name: str) -> str:
    """Return what a terminal without the protocol sends for a key."""
    if name.startswith("KEY_CTRL_"):
        return chr(ord(name[-1]) & 0x1F)
    return SENT[name] if name.startswith("KEY_") else name


def shown(name: str) -> str:
    """Return the name of the key that is seen; a terminal cannot tell Ctrl+H from Backspace."""
    return {"KEY_CTRL_H": "KEY_BACKSPACE"}.get(name, name)


def started(pty: Pty, *, kitty: bool = True) -> Pty:
    """Wait for the first frame, and until the keys are as the terminal can send them."""
    pty.wait_for(r"unicode \w+\.[^q]*\x1b\[\?2026l")
    if kitty:
        confirmed(pty)
    return pty


def confirmed(pty: Pty) -> None:
    """Wait until the program has read that the protocol is on, which a key behind that shows."""
    if not pty.flags:
        pty.wait_for(re.escape(PUSHED))
    pty.type("z")
    pty.wait_for("last Key.char_or_key_name='z'")


def names(pty: Pty) -> list[str]:
    """Return the keys that the program printed at its end."""
    return re.findall(r"event Key\(char_or_key_name='?\"?(.*?)'?\"?, text=", pty.output)


@pytest.fixture
def written() -> list[bytes]:
    return []


@pytest.fixture
async def keys(written: list[bytes]) -> KeyProtocol:
    return KeyProtocol(written.append)


@pytest.mark.parametrize("flags", [1, 5])
async def test_a_terminal_that_speaks_it_is_asked_twice(
    flags: int, keys: KeyProtocol, written: list[bytes]
) -> None:
    assert keys.begin_query() == ASKED
    assert keys.handle_answer("\x1b[?0u")
    assert written == [PUSHED.encode()]
    assert not keys.is_on  # keys in the old form may still be under way
    assert keys.handle_answer("\x1b[?62;22c")
    assert keys.is_waiting
    assert keys.handle_answer(f"\x1b[?{flags}u")
    assert keys.is_on
    assert written == [PUSHED.encode()]
    assert keys.handle_answer("\x1b[?62;22c")
    assert not keys.is_waiting

    assert keys.end() == POPPED
    assert not keys.is_on
    assert keys.end() == ""
    assert keys.begin_query() == ASKED


async def test_a_terminal_that_is_so_already_is_left_so(
    keys: KeyProtocol, written: list[bytes]
) -> None:
    keys.begin_query()
    keys.handle_answer("\x1b[?5u")

    assert keys.is_on
    assert (written, keys.end()) == ([], "")


async def test_a_terminal_that_only_answers_is_not_asked_for_ever(
    keys: KeyProtocol, written: list[bytes]
) -> None:
    keys.begin_query()
    for _ in range(3):
        keys.handle_answer("\x1b[?0u")

    assert len(written) == 1
    assert not keys.is_on


async def test_an_answer_after_the_end_changes_nothing(
    keys: KeyProtocol, written: list[bytes]
) -> None:
    keys.begin_query()
    assert keys.end() == ""

    for answer in ("\x1b[?0u", "\x1b[?1u"):
        assert keys.handle_answer(answer)
    assert (written, keys.is_on, keys.end()) == ([], False, "")


@pytest.mark.parametrize("token", ["u", "c", "\x1b[u", "\x1b[27u", "\x1b[?1h", "\x1b[A", "\x1b"])
async def test_other_tokens_are_no_answers(token: str, keys: KeyProtocol) -> None:
    keys.begin_query()

    assert not keys.handle_answer(token)


async def test_an_answer_is_waited_for_three_seconds_from_the_question(
    keys: KeyProtocol, autojump_clock: MockClock
) -> None:
    keys.begin_query()
    await trio.sleep(1)
    await keys.wait_answered()
    assert trio.current_time() == 3

    await keys.wait_answered()
    assert trio.current_time() == 3
    keys.end()
    assert keys.begin_query() == ""  # it has never answered


async def test_the_wait_ends_with_the_last_answer(
    keys: KeyProtocol, autojump_clock: MockClock
) -> None:
    keys.begin_query()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keys.wait_answered)
        for answer in ("\x1b[?0u", "\x1b[?6c", "\x1b[?1u", "\x1b[?6c"):
            await trio.sleep(0.5)
            keys.handle_answer(answer)

    assert trio.current_time() == 2


async def test_what_another_program_has_got_is_not_waited_for(
    keys: KeyProtocol, autojump_clock: MockClock
) -> None:
    keys.begin_query()
    keys.handle_answer("\x1b[?6c")
    keys.end()
    keys.begin_query()
    await keys.wait_answered()  # in vain
    keys.end()
    keys.begin_query()
    keys.handle_answer("\x1b[?6c")

    assert not keys.is_waiting


@for_each("name", [*APP_KEYS, "KEY_ALT_X", "KEY_ALT_SHIFT_X", "KEY_CTRL_SPACE"])
def test_every_key_has_the_name_that_it_has_without_the_protocol(name: str) -> None:
    before = {"KEY_ALT_X": "\x1bx", "KEY_ALT_SHIFT_X": "\x1bX", "KEY_CTRL_SPACE": "\0"}
    key = before.get(name) or sent(name)
    event = KIND.key(to_legacy_token(encoded(key)))

    assert event is not None
    assert event.char_or_key_name == shown(name)
    assert event == KIND.key(key)


@for_each(
    ("token", "name"),
    [
        ("\x1b[27;129u", "KEY_ESCAPE"),  # Num Lock is on
        ("\x1b[27;2u", "KEY_ESCAPE"),
        ("\x1b[91;5u", "KEY_ESCAPE"),
        ("\x1b[99;69u", "KEY_CTRL_C"),  # Caps Lock is on
        ("\x1b[97;6u", "KEY_CTRL_A"),
        ("\x1b[105;5u", "KEY_TAB"),
        ("\x1b[13;2u", "KEY_ENTER"),
        ("\x1b[13;5u", "KEY_ENTER"),
        ("\x1b[13;3u", "KEY_ALT_ENTER"),
        ("\x1b[127;2u", "KEY_BACKSPACE"),
        ("\x1b[127;3u", "KEY_ALT_BACKSPACE"),
        ("\x1b[1;129A", "KEY_UP"),
        ("\x1b[5;129~", "KEY_PGUP"),
        ("\x1b[57414u", "KEY_ENTER"),
        ("\x1b[57417u", "KEY_LEFT"),
        ("\x1b[57418u", "KEY_RIGHT"),
        ("\x1b[57419u", "KEY_UP"),
        ("\x1b[57420;129u", "KEY_DOWN"),
        ("\x1b[57421u", "KEY_PGUP"),
        ("\x1b[57422u", "KEY_PGDOWN"),
        ("\x1b[57423u", "KEY_HOME"),
        ("\x1b[57424;5u", "KEY_CTRL_END"),
        ("\x1b[57425u", "KEY_INSERT"),
        ("\x1b[57426u", "KEY_DELETE"),
        ("\x1b[49;5u", "KEY_CTRL_1"),
        ("\x1b[97;9u", "KEY_SUPER_A"),
        ("\x1b[1089::99;5u", "KEY_CTRL_C"),  # on a Russian keyboard
        ("\x1b[1057:1089:99;69u", "KEY_CTRL_C"),
        ("\x1b[968::99;5u", "KEY_CTRL_C"),  # on a Greek one
        ("\x1b[1092::97;3u", "KEY_ALT_A"),
        ("\x1b[99:67:106;5u", "KEY_CTRL_C"),  # on Dvorak's, where C is in the place of J
        ("\x1b[1103::122;5u", "KEY_CTRL_Z"),
        ("\x1b[1089::9999999;5u", None),
        ("\x1b[27:;129u", "KEY_ESCAPE"),
        ("\x1b[1089;5u", None),
        ("\x1b[9999999;5u", None),
    ],
)
def test_keys_with_locks_and_of_the_keypad_are_named_as_ever(token: str, name: str | None) -> None:
    event = KIND.key(to_legacy_token(token))

    assert (event.char_or_key_name if event else None) == name


def test_with_the_protocol_a_lone_escape_is_waited_for_without_end() -> None:
    tokenizer = Tokenizer()
    tokenizer.is_exact = True

    assert tokenizer.feed("\x1b") == []
    assert tokenizer.rest_timeout_seconds == float("inf")
    assert tokenizer.feed("[A") == ["\x1b[A"]
    assert tokenizer.feed("\x1b[27u") == ["\x1b[27u"]
    assert tokenizer.rest_timeout_seconds is None


@pytest.mark.parametrize("rest", ["[A", "[1;5C", "OP", "[200~q\x1b[201~"])
def test_the_rest_of_a_split_key_is_no_text_and_the_next_one_is_waited_for(rest: str) -> None:
    for parts in ([rest], [*rest]) if rest[0] == "[" else ([rest],):
        tokenizer = Tokenizer(0.025, 0.120)
        tokenizer.feed("\x1b")
        assert tokenizer.flush() == ["\x1b"]
        assert tokenizer.rest_timeout_seconds == pytest.approx(0.095)

        tokens = [token for part in parts for token in tokenizer.feed(part)]
        assert tokens == Tokenizer().feed("\x1b" + rest)
        tokenizer.feed("\x1b")
        assert tokenizer.rest_timeout_seconds == 0.120


def test_what_is_typed_after_an_escape_is_typed() -> None:
    for typed in ("q", "[", "O", "[\x03", "\x1b[A"):
        tokenizer = Tokenizer(0.025, 0.120)
        tokenizer.feed("\x1b")
        tokens = [*tokenizer.flush(), *tokenizer.feed(typed), *tokenizer.flush()]

        assert tokens == ["\x1b", *(["\x1b[A"] if typed == "\x1b[A" else typed)]
        tokenizer.feed("\x1b")
        assert tokenizer.rest_timeout_seconds == 0.025


def test_an_escape_long_ago_does_not_matter() -> None:
    tokenizer = Tokenizer(0.025, 0.120)
    tokenizer.feed("\x1b")
    assert tokenizer.flush() == ["\x1b"]
    assert tokenizer.flush() == []

    assert tokenizer.rest_timeout_seconds is None
    assert tokenizer.feed("[A") == ["[", "A"]


def test_a_fixed_wait_is_not_prolonged() -> None:
    tokenizer = Tokenizer(0.5, 0.5)
    tokenizer.feed("\x1b")
    tokenizer.flush()

    assert tokenizer.rest_timeout_seconds is None
    assert tokenizer.feed("[A") == ["[", "A"]


def test_half_an_answer_is_waited_for_longer_than_half_a_key() -> None:
    tokenizer = Tokenizer()
    tokenizer.feed("\x1b[?1")

    assert tokenizer.rest_timeout_seconds == 1.0
    assert tokenizer.feed("u") == ["\x1b[?1u"]


@pytest.mark.parametrize("keyboard", ["plain", "kitty"])
def test_every_key_of_the_table_is_read_in_both_forms(keyboard: str) -> None:
    pressed = [key for key in APP_KEYS if key != "q"]
    with job_on_pty([*DEMO, "keys"], keyboard=keyboard) as pty:
        started(pty, kitty=keyboard == "kitty")
        for number, key in enumerate(pressed, start=1 + (keyboard == "kitty")):
            pty.press(sent(key))
            pty.wait_for(rf"events {number}\.")  # Esc and the next key would be one with Alt
        pty.type("\x1b[200~some q\rtext\x1b[201~q")

        assert pty.wait_for_end() == 0
        assert names(pty)[keyboard == "kitty" :] == [*map(shown, pressed), "q"]
        assert "event Paste of 11, 1 lines" in pty.output
        assert pty.has_own_keys


def test_ctrl_c_asks_to_quit() -> None:
    with job_on_pty(keyboard="kitty") as pty:
        started(pty).press("\x03")

        assert pty.wait_for_end() == 0
        assert "event QuitSignal(signal=<Signals.SIGINT: 2>)" in pty.output
        assert pty.has_own_keys


def test_a_second_ctrl_c_ends_a_program_that_does_not_end() -> None:
    with job_on_pty([*DEMO, "stubborn"], keyboard="kitty") as pty:
        started(pty).press("\x03")
        pty.wait_for(r"events 2\.")
        assert pty.flags == 0
        pty.press("\x03")

        assert pty.wait_for_end() == -signal.SIGINT
        assert pty.has_own_keys
        assert pty.is_restored()


def test_ctrl_backslash_ends_the_program() -> None:
    with job_on_pty(keyboard="kitty") as pty:
        started(pty).press("\x1c")

        assert pty.wait_for_end() == -signal.SIGQUIT
        assert pty.has_own_keys
        assert pty.is_restored()


def test_ctrl_backslash_that_is_held_ends_a_program_that_hangs() -> None:
    with job_on_pty(keyboard="kitty") as pty:
        started(pty).type("h")
        pty.wait_for("hogging")

        def has_plain_keys() -> bool:
            pty.press("\x1c")
            return pty.flags == 0

        wait_until(has_plain_keys)
        pty.press("\x1c")

        assert pty.wait_for_end() == -signal.SIGQUIT
        assert pty.has_own_keys
        assert pty.is_restored()


def test_ctrl_z_gives_the_keys_back_and_fg_takes_them_again() -> None:
    with job_on_pty(keyboard="kitty") as pty:
        started(pty).press("\x1a")
        pty.wait_for_report("stopped")
        pty.wait_for(r"\x1b\[\?1049l")
        assert pty.has_own_keys
        pty.command("fg")
        pty.wait_for(r"last Resumed\(\)")
        confirmed(pty)
        pty.press("\x1b")
        pty.wait_for("last Key.char_or_key_name='KEY_ESCAPE'")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert pty.has_own_keys


def test_another_program_gets_plain_keys() -> None:
    with job_on_pty(keyboard="kitty") as pty:
        started(pty).type("v")
        pty.wait_for("your turn\r\n")
        assert pty.has_own_keys
        pty.press("\x03")
        pty.wait_for("interrupted\r\n")
        pty.type("quit\n")
        pty.wait_for("read quit\r\n")
        confirmed(pty)
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert names(pty) == ["z", "v", "z", "q"]
        assert pty.has_own_keys


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_gives_the_keys_back(number: signal.Signals) -> None:
    with job_on_pty(keyboard="kitty") as pty:
        os.kill(started(pty).pid, number)

        assert pty.wait_for_end() == 0
        assert pty.has_own_keys


def test_an_exception_gives_the_keys_back() -> None:
    with job_on_pty(keyboard="kitty") as pty:
        started(pty).type("x")

        assert pty.wait_for_end() == 1
        assert pty.has_own_keys


def test_an_arrow_key_in_pieces_is_one_key_and_no_escape() -> None:
    with job_on_pty(keyboard="kitty") as pty:
        started(pty).type("\x1b")
        os.kill(pty.pid, signal.SIGWINCH)  # a frame later, the Esc has been read
        pty.wait_for(r"last Resize")
        pty.type("[")
        pty.type("A")
        pty.wait_for(r"last Key.char_or_key_name='KEY_UP'")
        pty.press("\x1b")
        pty.wait_for(r"last Key.char_or_key_name='KEY_ESCAPE'")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert names(pty) == ["z", "KEY_UP", "KEY_ESCAPE", "q"]


@pytest.mark.parametrize("way", ["q", "\x1a", "v"])
def test_a_late_answer_is_read_before_another_program_gets_the_terminal(way: str) -> None:
    with job_on_pty(keyboard="late", environ=WITHOUT_DEADLINES) as pty:
        started(pty, kitty=False).type("a")
        pty.wait_for(r"events 1\.")
        pty.type(way)
        assert "\x1b[?1049l" not in pty.output
        pty.answer_questions()
        pty.wait_for(re.escape(PUSHED))
        pty.answer_questions()
        pty.wait_for(r"\x1b\[\?1049l")
        pty.answer_questions()
        assert pty.has_own_keys
        if way == "v":
            pty.wait_for("your turn\r\n")
            pty.type("done\n")
            pty.wait_for("read done\r\n")  # and nothing before it
        elif way == "q":
            assert pty.wait_for_end() == 0
            assert names(pty) == ["a", "q"]
            assert not pty.unread()
        else:
            pty.wait_for_report("stopped")
            assert not pty.unread()


def test_a_silent_terminal_loses_no_key_and_is_asked_once() -> None:
    with job_on_pty(keyboard="silent") as pty:
        started(pty, kitty=False).type("a\x1b[Ab")
        pty.wait_for(r"events 3\.")
        pty.type("v")
        pty.wait_for("your turn\r\n")
        pty.type("done\n")
        pty.wait_for(r"last Key.char_or_key_name='v'")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert names(pty) == ["a", "KEY_UP", "b", "v", "q"]
        assert pty.output.count(ASKED) == 1
        assert POPPED not in pty.output


def test_a_plain_terminal_is_asked_and_changed_in_nothing() -> None:
    with job_on_pty() as pty:
        started(pty, kitty=False).type("q")

        assert pty.wait_for_end() == 0
        assert pty.output.count(ASKED) == 1
        assert not re.search(r"\x1b\[[<>=][0-9;]*u", pty.output)
