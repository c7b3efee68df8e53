"""A full screen in a real process on a real pty, with real signals.

Each test waits for text on the screen, never for time to pass.
"""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.ptys import DEMO, WITHOUT_DEADLINES, Pty, job_on_pty

GIVEN_BACK = ("\x1b[?25h", "\x1b[?1049l", "\x1b[?2004l", "\x1b[?7h", "\x1b[?2026l")
ENTERED = r"\x1b\[\?1049h[^q]*?\x1b\[\?25l[^q]*?"


def started(pty: Pty) -> Pty:
    """Wait for the first frame."""
    pty.wait_for(r"unicode \w+\.[^q]*\x1b\[\?2026l")
    return pty


def assert_given_back(pty: Pty) -> None:
    """Assert that the terminal is restored."""
    pty.read_rest()
    assert pty.modes() == pty.modes_before
    last_screen = pty.output[pty.output.rindex("\x1b[?1049h") :]
    for sequence in GIVEN_BACK:
        assert sequence in last_screen
    after = last_screen[last_screen.index("\x1b[?1049l") :].removeprefix("\x1b[?1049l")
    assert "\x1b" not in after.removeprefix("\x1b[23;0;0t")


def events(pty: Pty) -> list[str]:
    """Return the events that the program printed at its end."""
    return re.findall(r"event (.*?)\r\n", pty.output)


def key(name: str) -> str:
    return (
        f"Key(char_or_key_name={name!r}, text={'' if name.startswith('KEY_') else name!r})".replace(
            "text=)", "text='')"
        )
    )


def test_a_normal_end_restores_the_terminal() -> None:
    with job_on_pty() as pty:
        started(pty).type("q")

        assert pty.wait_for_end() == 0
        assert_given_back(pty)
        assert pty.output.endswith("bye\r\n")


def test_an_exception_is_printed_after_the_terminal_is_restored() -> None:
    with job_on_pty() as pty:
        started(pty).type("x")

        assert pty.wait_for_end() == 1
        assert_given_back(pty)
        assert pty.output.index("\x1b[?1049l") < pty.output.index("RuntimeError: boom")


def test_ctrl_c_is_a_request_to_quit() -> None:
    with job_on_pty() as pty:
        started(pty).type("\x03")

        assert pty.wait_for_end() == 0
        assert_given_back(pty)
        assert events(pty) == ["QuitSignal(signal=<Signals.SIGINT: 2>)"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_is_a_request_to_quit(number: signal.Signals) -> None:
    with job_on_pty() as pty:
        os.kill(started(pty).pid, number)

        assert pty.wait_for_end() == 0
        assert_given_back(pty)
        assert events(pty) == [f"QuitSignal(signal={number!r})"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_before_the_first_frame_is_not_lost(number: signal.Signals) -> None:
    with job_on_pty() as pty:
        pty.wait_for("h")  # of the first sequence
        os.kill(pty.pid, number)

        assert pty.wait_for_end() == 0
        assert_given_back(pty)
        assert events(pty) == [f"QuitSignal(signal={number!r})"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_restores_the_terminal_and_ends_the_program(
    number: signal.Signals,
) -> None:
    with job_on_pty([*DEMO, "stubborn"]) as pty:
        os.kill(started(pty).pid, number)
        pty.wait_for(r"events 1\.")
        os.kill(pty.pid, number)

        assert pty.wait_for_end() == -number
        assert_given_back(pty)


def test_a_second_hang_up_signal_does_not_end_the_program() -> None:
    with job_on_pty([*DEMO, "stubborn"]) as pty:
        for number in (1, 2):
            os.kill(started(pty).pid if number == 1 else pty.pid, signal.SIGHUP)
            pty.wait_for(rf"events {number}\.")
        pty.type("q")

        assert pty.wait_for_end() == 0


def test_ctrl_backslash_restores_the_terminal_and_ends_a_hanging_program() -> None:
    with job_on_pty() as pty:
        started(pty).type("h")
        pty.wait_for("hogging")
        pty.type("\x1c")

        assert pty.wait_for_end() == -signal.SIGQUIT
        assert_given_back(pty)


def test_the_terminal_hangs_up(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    with job_on_pty([*DEMO, "stubborn", str(heard)]) as pty:
        started(pty).hang_up()

        assert pty.wait_for_end(read=False) == 0
    assert "HungUp()" in heard.read_text().splitlines()


def test_an_escape_is_a_key_if_no_key_follows() -> None:
    with job_on_pty() as pty:
        started(pty).type("\x1b")

        pty.wait_for("last Key.char_or_key_name='KEY_ESCAPE'")


def test_the_wait_for_an_escape_can_be_set() -> None:
    with job_on_pty(environ={"ESCDELAY": "10000"}) as pty:
        started(pty).type("\x1b")
        pty.type("l")  # 25 ms may have passed on a slow machine, 10 s have not
        pty.wait_for(r"last Key\(char_or_key_name='KEY_ALT_L'")


def test_a_sequence_may_come_in_pieces() -> None:
    with job_on_pty(environ={"ESCDELAY": "10000"}) as pty:
        started(pty)
        for piece in ("\x1b", "[", "1", ";", "5", "C", "\xc3\xa9"):
            pty.type(piece)
        pty.wait_for(r"events 3\.")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert events(pty) == [key("KEY_CTRL_RIGHT"), key("Ã"), key("©"), key("q")]


def test_a_character_may_come_byte_by_byte_and_bytes_that_are_none_do_no_harm() -> None:
    with job_on_pty() as pty:
        started(pty).type(b"\xff")
        for byte in "🎉".encode():
            pty.type(bytes([byte]))
        pty.type(b"\x80\xfe")
        pty.wait_for(r"events 1\.")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert events(pty) == [key("🎉"), key("q")]


def test_a_large_paste_is_one_event_and_types_nothing() -> None:
    with job_on_pty() as pty:
        started(pty).type("\x1b[200~" + "quit q\r" * 14_000 + "q" * 2000 + "\x1b[201~")
        pty.wait_for(r"events 1\.")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert events(pty) == ["Paste of 100000, 14000 lines", key("q")]


def test_keys_typed_while_it_starts_are_not_lost(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with job_on_pty([*DEMO, "slow", str(fifo)]) as pty:
        pty.wait_for("starting")
        pty.type("ab\x1b[A\rc")
        fifo.write_bytes(b"")  # go on
        pty.wait_for(r"events 5\.")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert events(pty) == [key(name) for name in ("a", "b", "KEY_UP", "KEY_ENTER", "c", "q")]


def test_keys_that_are_signals_or_flow_control_elsewhere_are_keys() -> None:
    with job_on_pty() as pty:
        started(pty).type("\x13\x11\x16\x0f\x04q")

        assert pty.wait_for_end() == 0
        assert events(pty) == [
            *[key(f"KEY_CTRL_{letter}") for letter in "SQVOD"],
            key("q"),
        ]


@pytest.mark.parametrize("size", [(200, 60), (10, 3), (1, 1)])
def test_a_resize_is_heard_and_drawn_from_nothing(size: tuple[int, int]) -> None:
    with job_on_pty() as pty:
        started(pty).resize(*size)
        width, height = size
        frame = pty.wait_for(
            rf"\x1b\[\?2026h(?=\x1b\[1;1H)([^q]*\x1b\[{height};1H[^q]*)\x1b\[\?2026l"
        )[1]
        assert len(re.findall(r"\x1b\[\d+;1H", frame)) == height
        assert (f"size {width}x{height}." in frame) is (height >= 4)
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert events(pty) == [f"Resize(width={size[0]}, height={height})", key("q")]


def test_an_unchanged_frame_writes_nothing_and_a_redraw_writes_all() -> None:
    with job_on_pty() as pty:
        started(pty).type("a")
        frame = pty.wait_for(r"\x1b\[\?2026h([^q]*?)\x1b\[\?2026l")[1]
        pty.type("l")
        again = pty.wait_for(r"\x1b\[\?2026h([^q]*?)\x1b\[\?2026l")[1]

        assert re.findall(r"\x1b\[(\d+);1H", frame) == ["2", "3"]
        assert len(re.findall(r"\x1b\[(\d+);1H", again)) == 24


def test_another_program_gets_the_terminal_restored_and_its_own_ctrl_c() -> None:
    with job_on_pty() as pty:
        started(pty).type("v")
        pty.wait_for("your turn\r\n")
        assert_given_back(pty)

        pty.type("\x03")
        pty.wait_for("interrupted\r\n")
        pty.type("quit\n")  # a line for the other program, not keys
        pty.wait_for("read quit\r\n")
        frame = pty.wait_for(rf"{ENTERED}\x1b\[\?2026h([^q]*?)\x1b\[\?2026l")[1]
        assert len(re.findall(r"\x1b\[\d+;1H", frame)) == 24
        assert pty.modes() != pty.modes_before
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert_given_back(pty)
        assert events(pty) == [key("v"), key("q")]


def test_a_signal_ends_another_program_and_restores_the_terminal() -> None:
    with job_on_pty() as pty:
        started(pty).type("v")
        pty.wait_for("your turn\r\n")
        os.kill(pty.pid, signal.SIGTERM)

        assert pty.wait_for_end() == 0
        assert_given_back(pty)
        assert events(pty) == [key("v"), "QuitSignal(signal=<Signals.SIGTERM: 15>)"]


def test_the_screen_has_the_new_size_after_another_program_had_the_terminal() -> None:
    with job_on_pty() as pty:
        started(pty).type("v")
        pty.wait_for("your turn\r\n")
        pty.resize(60, 20)
        pty.type("done\n")
        frame = pty.wait_for(rf"{ENTERED}\x1b\[\?2026h([^q]*?)\x1b\[\?2026l")[1]
        assert len(re.findall(r"\x1b\[\d+;1H", frame)) == 20
        assert "size 60x20." in frame
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert events(pty) == [key("v"), "Resize(width=60, height=20)", key("q")]


def test_a_long_text_is_copied_whole() -> None:
    with job_on_pty() as pty:
        started(pty).type("c")
        encoded = pty.wait_for(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")[1]
        pty.type("q")

        assert base64.b64decode(encoded).decode() == "DEMO-9 größer " * 2000
        assert pty.wait_for_end() == 0
        assert events(pty) == [key("c"), key("q")]


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back() -> None:
    with job_on_pty() as pty:
        started(pty).type("\x1a")
        pty.wait_for_report("stopped")
        pty.wait_for(r"\x1b\[\?1049l")
        assert_given_back(pty)

        pty.resize(60, 20)
        pty.command("fg")
        pty.wait_for(ENTERED + "demo")
        pty.wait_for(r"last Resumed\(\)[^q]*size 60x20")
        assert pty.modes() != pty.modes_before
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert_given_back(pty)
        assert events(pty) == ["Resumed()", key("q")]


def test_a_stop_by_signal_is_the_same() -> None:
    with job_on_pty() as pty:
        os.kill(started(pty).pid, signal.SIGTSTP)
        pty.wait_for_report("stopped")
        pty.wait_for(r"\x1b\[\?1049l")
        assert_given_back(pty)
        pty.command("fg")
        pty.wait_for(r"last Resumed\(\)")
        pty.type("\x03")

        assert pty.wait_for_end() == 0
        assert_given_back(pty)


def test_what_a_stop_that_nobody_may_catch_did_to_the_terminal_is_repaired() -> None:
    with job_on_pty() as pty:
        os.kill(started(pty).pid, signal.SIGSTOP)
        pty.wait_for_report("stopped")
        during = pty.modes()
        pty.set_modes(pty.modes_before)
        pty.command("fg")
        pty.wait_for(ENTERED + "demo")
        pty.wait_for(r"last Resumed\(\)")

        assert pty.modes() == during
        pty.type("q")
        assert pty.wait_for_end() == 0
        assert_given_back(pty)


def test_in_the_background_it_runs_unseen_and_is_back_with_fg() -> None:
    with job_on_pty() as pty:
        started(pty).type("\x1a")
        pty.wait_for_report("stopped")
        pty.wait_for(r"\x1b\[\?1049l")
        pty.command("bg")
        pty.type("abc\n")  # read neither by a shell nor by the job
        pty.wait_for("abc")  # the terminal's own echo
        pty.command("fg")
        pty.wait_for(ENTERED + "demo")
        pty.wait_for(r"events [56]\.")  # `fg` may cause two events
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert_given_back(pty)
        typed = [event for event in events(pty) if event.startswith("Key")]
        assert typed == [key(name) for name in ("a", "b", "c", "KEY_ENTER", "q")]


def test_in_the_background_nothing_is_drawn() -> None:
    with job_on_pty([*DEMO, "stubborn"]) as pty:
        started(pty).type("\x1a")
        pty.wait_for_report("stopped")
        pty.wait_for(r"\x1b\[\?1049l")
        pty.command("bg")
        os.kill(pty.pid, signal.SIGHUP)  # something to draw
        pty.type("abc\n")
        pty.wait_for("abc")
        pty.command("fg")
        unseen = pty.wait_for(r"([^q]*?)\x1b\[\?1049h")[1]

        assert "\x1b" not in unseen
        pty.wait_for(r"events [67]\.")


def test_a_signal_ends_it_in_the_background_without_touching_the_terminal() -> None:
    with job_on_pty() as pty:
        started(pty).type("\x1a")
        pty.wait_for_report("stopped")
        pty.wait_for(r"\x1b\[\?1049l")
        pty.command("bg")
        os.kill(pty.pid, signal.SIGTERM)

        assert pty.wait_for_end() == 0
        assert_given_back(pty)
        assert pty.output.count("\x1b[?1049h") == 1


def test_it_can_be_stopped_again_and_again() -> None:
    with job_on_pty() as pty:
        started(pty)
        for number in range(1, 4):
            pty.type("\x1a")
            pty.wait_for_report("stopped")
            pty.command("fg")
            pty.wait_for(rf"events {number}\.")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert_given_back(pty)
        assert events(pty) == ["Resumed()", "Resumed()", "Resumed()", key("q")]


def test_where_no_shell_could_continue_it_ctrl_z_just_draws_again() -> None:
    with job_on_pty(orphan=True) as pty:
        started(pty).type("\x1a")
        pty.wait_for(ENTERED + "demo")
        pty.wait_for(r"last Resumed\(\)")
        pty.type("q")

        pty.wait_for("bye")


def test_a_terminal_that_takes_nothing_holds_up_nobody_else(tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    with job_on_pty([*DEMO, "stalled", str(frames)], size=(200, 60)) as pty:
        # Although nothing is read, a task counts to its end, and the program ends.
        assert pty.wait_for_end(read=False) == 0

        # The frames stopped when the terminal was full, at some 4 kB to 64 kB.
        assert int(frames.read_text()) < 20


def test_a_terminal_that_takes_something_again_is_given_back(tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    os.mkfifo(frames)
    with job_on_pty(
        [*DEMO, "stalled", str(frames)], size=(200, 60), environ=WITHOUT_DEADLINES
    ) as pty:
        frames.read_text()  # now it leaves, and waits for the terminal
        pty.wait_for(r"\x1b\[\?1049l")

        assert pty.wait_for_end() == 0
        assert_given_back(pty)


def test_a_frame_that_was_begun_is_finished_when_the_terminal_goes_on() -> None:
    with job_on_pty([*DEMO, "burst"], size=(200, 60)) as pty:
        pty.wait_for("burst over")
        text = pty.output

        frames = re.findall(r"\x1b\[\?2026h(.*?)\x1b\[\?2026l", text, re.DOTALL)
        drawn = [re.findall(r"\x1b\[(\d+);1H\x1b\[K(\d+) (\d+) x*", frame) for frame in frames[:20]]
        for number, rows in enumerate(drawn):
            assert rows == [(str(row + 1), str(number), str(row)) for row in range(60)]
        pty.type("q")
        assert pty.wait_for_end() == 0


def test_what_else_is_printed_comes_after_the_screen() -> None:
    with job_on_pty() as pty:
        started(pty).type("w")
        pty.wait_for(r"events 1\.")
        pty.type("q")

        assert pty.wait_for_end() == 0
        screen, after = pty.output.split("\x1b[?1049l")
        assert "a warning" not in screen
        assert "a stray print" not in screen
        assert after.count("WARNING:demo:a warning") == 1
        assert after.count("a stray print") == 1


def test_of_much_that_is_printed_the_end_is_kept() -> None:
    with job_on_pty() as pty:
        started(pty).type("m")
        pty.wait_for(r"events 1\.")
        pty.type("q")

        pty.wait_for(r"\x1b\[\?1049l[^x]*\[34472 bytes before\]\s+x{65528}the end\s")
        assert pty.wait_for_end() == 0


def test_what_was_printed_before_a_stop_is_read_in_the_shell() -> None:
    with job_on_pty() as pty:
        started(pty).type("w")
        pty.wait_for(r"events 1\.")
        pty.type("\x1a")
        pty.wait_for_report("stopped")
        pty.wait_for("WARNING:demo:a warning")
        pty.command("fg")
        pty.wait_for(r"last Resumed\(\)")
        pty.type("wq")

        assert pty.wait_for_end() == 0
        assert pty.output.count("WARNING:demo:a warning") == 2


def test_no_color_leaves_attributes_and_movement() -> None:
    with job_on_pty(environ={"NO_COLOR": "1"}) as pty:
        started(pty)

        assert "\x1b[1mdemo\x1b[m" in pty.output
        assert re.search(ENTERED, pty.output)
        pty.type("q")
        assert pty.wait_for_end() == 0
        assert_given_back(pty)


@pytest.mark.parametrize(
    ("variables", "colored"),
    [
        ({}, True),
        ({"CLICOLOR": "0", "FORCE_COLOR": "1"}, True),
        ({"TERM": "vt100"}, False),
    ],
    ids=str,
)
def test_whether_there_are_colours(variables: dict[str, str], colored: bool) -> None:
    with job_on_pty(environ=variables) as pty:
        started(pty)

        assert ("\x1b[1;32mdemo" in pty.output) is colored
        pty.type("q")
        assert pty.wait_for_end() == 0


def test_updates_need_not_be_bracketed() -> None:
    with job_on_pty(environ={"TICKETR_NO_SYNC": "1"}) as pty:
        pty.wait_for("unicode True")

        assert "?2026h" not in pty.output


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({"PYTHONIOENCODING": "utf-8"}, True),
        ({"PYTHONIOENCODING": "latin-1"}, False),
    ],
    ids=str,
)
def test_whether_there_is_more_than_ascii(variables: dict[str, str], wanted: bool) -> None:
    with job_on_pty(environ=variables) as pty:
        pty.wait_for(f"unicode {wanted}")


@pytest.mark.parametrize("term", ["dumb", "unknown", ""])
def test_a_terminal_that_can_only_print_lines_is_refused(term: str) -> None:
    with job_on_pty(environ={"TERM": term}) as pty:
        pty.wait_for(f"needs a terminal: TERM={term} can only print lines")

        assert pty.wait_for_end() == 1
        assert "\x1b" not in pty.output


@pytest.mark.parametrize("name", ["input", "output"])
def test_what_is_no_terminal_is_refused(name: str) -> None:
    redirected = "< /dev/null" if name == "input" else "| cat"
    command = f"{sys.executable} {DEMO[1]} {redirected}"
    with job_on_pty(["sh", "-c", command]) as pty:
        pty.wait_for(f"standard {name} is not a terminal; use --plain")
        pty.wait_for_end()

        assert "\x1b" not in pty.output


def test_a_silent_terminal_is_asked_only_for_its_keys() -> None:
    with job_on_pty(keyboard="silent") as pty:
        started(pty)

        # No request for the cursor, a mode, a colour or the version.
        output = pty.output.replace("\x1b[?u\x1b[c", "")
        assert not re.search(r"\x1b\[[?>=]?[0-9;]*[cn]|\x1b\[[?0-9;$]*p|\x1b[P\]]", output)


def test_blessed_is_loaded_by_opening_a_terminal_alone() -> None:
    program = "import sys, ticketr.terminal; print('blessed' in sys.modules)"

    said = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout

    assert said == "False\n"
