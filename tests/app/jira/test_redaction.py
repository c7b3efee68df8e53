"""Test hiding secrets in a server's text, in every spelling that a reader could restore."""

from __future__ import annotations

import base64
import json
import logging
import random
from itertools import cycle
from urllib.parse import quote

import pytest
import trio
import trio.testing
from fakes.jira_app import SITE, Answer, ScriptedApp
from fakes.jira_raw import raw_site, reply
from rows import for_each

from ticketr.app.jira import Credentials, JiraError, open_jira
from ticketr.app.jira.retry import RetryPolicy
from ticketr.text import clean

EMAIL = "mia@example.com"
TOKEN = "canary-ATATT3xFfGF0/Px+q=7A"
PAIR = base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode()
HALF = TOKEN[:9], TOKEN[9:]
Clock = trio.testing.MockClock


def account(site: str = SITE) -> Credentials:
    return Credentials(site, EMAIL, TOKEN)


def breaks() -> dict[str, str]:
    """Return characters that are invisible or that cleaning removes."""
    return {
        "escape": "\x1b",
        "colour": "\x1b[31m",
        "title": "\x1b]0;x\x07",
        "C1": "\x9b1m",
        "zero width": "\u200b",
        "joiner": "\u200d",
        "non-joiner": "\u200c",
        "variation": "\ufe0f",
        "soft hyphen": "\xad",
        "direction": "\u202e",
        "mark": "\ufeff",
        "combining": "\u0301",
        "null": "\0",
        "delete": "\x7f",
        "line": "\n",
        "tab and space": "\t ",
        "half a character": "\ud83d",
    }


SPELLINGS = {
    "plain": TOKEN,
    "pair": PAIR,
    "header": f"Basic {PAIR}",
    "bearer": f"Authorization: Bearer {TOKEN}",
    "url-safe": base64.urlsafe_b64encode(f"{EMAIL}:{TOKEN}".encode()).decode(),
    "no padding": PAIR.rstrip("="),
    "base64 alone": base64.b64encode(TOKEN.encode()).decode(),
    "percent": quote(TOKEN, safe=""),
    "percent everywhere": "".join(f"%{ord(letter):02X}" for letter in TOKEN),
    "percent twice": quote(quote(TOKEN, safe=""), safe=""),
    "percent pair": quote(PAIR, safe=""),
    "JSON": "".join(f"\\u{ord(letter):04x}" for letter in TOKEN),
    "JSON in JSON": json.dumps("".join(f"\\u{ord(letter):04x}" for letter in TOKEN)),
    "JSON slash": TOKEN.replace("/", "\\/"),
    "JSON break": json.dumps("\x1b".join(HALF)),
    "JSON colour": json.dumps("\x1b[31m".join(HALF)),
    "Python": repr("\x1b[31m".join(HALF).encode()),
    "percent break": quote("\u200b".join(HALF), safe=""),
    "percent colour": quote("\x1b[31m".join(HALF), safe=""),
    "HTML": "".join(f"&#{ord(letter)};" for letter in TOKEN),
    "HTML in hex": "".join(f"&#x{ord(letter):x};" for letter in TOKEN),
    "HTML break": "&#8203;".join(HALF),
    "upper case": TOKEN.upper(),
    **{name: found.join(HALF) for name, found in breaks().items()},
    **{f"{name} everywhere": found.join(TOKEN) for name, found in breaks().items()},
    "swallowed": TOKEN.replace("P", "\x1bP"),
}
AS_SENT = ("plain", "pair", "url-safe", "no padding", "base64 alone")


def is_hidden(text: str) -> bool:
    """Return whether the token can be read from a text neither as it is nor cleaned."""
    for seen in (text, clean(text), clean(text).replace(" ", "")):
        letters = "".join(letter for letter in seen if "!" <= letter <= "~")
        if TOKEN.lower() in letters.lower() or PAIR.rstrip("=") in letters:
            return False
    return True


def test_the_canary_would_be_found() -> None:
    assert not is_hidden(f"bad token {TOKEN}")
    assert not is_hidden("\x1b".join(HALF))
    assert not is_hidden(f"Basic {PAIR}")


@for_each("spelling", SPELLINGS)
def test_a_secret_is_taken_out_however_it_is_spelt(spelling: str) -> None:
    told = account().redact(f"before {SPELLINGS[spelling]} after")

    assert is_hidden(told)
    assert "[hidden]" in told
    assert told == "before [hidden] after" or spelling not in AS_SENT


@pytest.mark.parametrize(
    "text",
    ["", "a title", "50% of 100 \\u0041\\n", "two\nlines\x1b[31m", "\ud800", TOKEN[:-1], "&#65;"],
)
def test_a_text_without_it_stays_the_very_text(text: str) -> None:
    assert account().redact(text) is text


def test_texts_at_random_never_keep_it() -> None:
    rng = random.Random(5)
    broken = [*breaks().values(), "", ""]
    for _ in range(300):
        text = "".join(letter + rng.choice(broken) for letter in TOKEN)
        noise = "".join(chr(rng.randrange(0x20, 0x250)) for _ in range(rng.randrange(20)))
        told = account().redact(noise + " " + text + " " + noise)
        assert is_hidden(told)


def test_a_long_text_is_redacted_in_linear_time() -> None:
    # In quadratic time this would take minutes.
    text = TOKEN[:-1] * 20_000
    assert account().redact(text) is text


STATUSES = [302, 400, 401, 403, 404, 418, 429, 500, 503]


# The status alone decides on the kind of the error, so each spelling meets one status, and each status
# meets several spellings.
@pytest.mark.unmeasured
@for_each(("spelling", "status"), [*zip(SPELLINGS, cycle(STATUSES), strict=False)])
async def test_no_error_keeps_it(spelling: str, status: int, autojump_clock: Clock) -> None:
    echo = SPELLINGS[spelling]
    body = {"errorMessages": [f"bad {echo}"], "errors": {echo: f"Basic {echo}"}, "message": echo}
    header = "".join(
        letter if " " <= letter <= "~" else quote(letter, "", "utf-8", "surrogatepass")
        for letter in echo[:5]
    )
    for content in (body, f"you sent {echo}".encode("utf-8", "surrogatepass")):
        answer = Answer(content, status=status, headers={"location": f"https://x.y/{header}"})
        async with open_jira(
            account(),
            transport=ScriptedApp(answer).transport(),
            retry=RetryPolicy(chance=lambda: 0.0),
        ) as jira:
            with pytest.raises(JiraError) as caught:
                await jira.myself()
        assert is_hidden(str(caught.value))
        assert is_hidden(repr(caught.value.args))


@for_each("fill", ["\u200b", "x", "\x1b[m"])
@for_each("before", [100, 290, 2390, 7990, 30_000])
async def test_no_cut_leaves_a_part_of_it(before: int, fill: str, autojump_clock: Clock) -> None:
    body = {"errorMessages": [fill * before + TOKEN * 300]}
    answer = Answer(body, status=400)
    async with open_jira(account(), transport=ScriptedApp(answer).transport()) as jira:
        with pytest.raises(JiraError) as caught:
            await jira.myself()
    assert TOKEN[:6] not in str(caught.value)


async def test_a_real_site_that_repeats_the_header_broken_up_gets_it_nowhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    body = {"errorMessages": ["\u200b".join(PAIR), "\x1b".join(TOKEN)]}
    async with (
        raw_site(reply(body, status=403)) as site,
        open_jira(account(site.url), retry=RetryPolicy(chance=lambda: 0.0)) as jira,
    ):
        with pytest.raises(JiraError) as caught:
            await jira.myself()
    assert caught.value.args[2] == ("[hidden]", "[hidden]")
    assert is_hidden(caplog.text)
