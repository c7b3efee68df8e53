from __future__ import annotations

import pytest
from fakes.bytecodes import Bytecodes

from ticketr.app.tickets import FILTER_WORDS, FLAGS, Candidate, InvalidFilter, fold, parse_filter

ISSUE = Candidate(
    "DEMO-9",
    "Rebuild the Index without downtime",
    {"Status": "In Progress", "Assignee": "Søren Ångström", "Story Points": "3", "Sprint": ""},
    "The simplest version is good enough.\nSay “when” it's done.",
    frozenset({"edited"}),
)
OTHER = Candidate("", "Pay in instalments", {"Status": "Done"}, "", frozenset({"draft"}))
CLASH = Candidate("DEMO-11", "Straße", {}, 'He said "no"', frozenset({"conflict", "edited"}))
BROKEN = Candidate("", "notes.md:5: conflict markers", flags=frozenset({"broken"}))
ALL = (ISSUE, OTHER, CLASH, BROKEN)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ALL),
        ("  ", ALL),
        ('""', ALL),
        ("index", (ISSUE,)),
        ("INDEX", (ISSUE,)),
        ("demo-1", (CLASH,)),
        ("angstrom", (ISSUE,)),
        ("Ångström", (ISSUE,)),
        ("soren", (ISSUE,)),
        ("strasse", (CLASH,)),
        ("simplest index", (ISSUE,)),
        ("simplest instalments", ()),
        ('"version is"', (ISSUE,)),
        ('"is version"', ()),
        ("points", ()),  # the name of a field, not a text of the issue
        ("status=progress", (ISSUE,)),
        ("STATUS=done", (OTHER,)),
        ("done", (ISSUE, OTHER)),
        ('status="in pro"', (ISSUE,)),
        ('"story points"=3', (ISSUE,)),
        ('"story points"=4', ()),
        ("key=demo", (ISSUE, CLASH)),
        ("title=index", (ISSUE,)),
        ("text=index", ()),
        ("status=", (CLASH, BROKEN)),
        ('sprint=""', ALL),
        ("-status=", (ISSUE, OTHER)),
        ("@soren", (ISSUE,)),
        ('@"soren ang"', (ISSUE,)),
        ("-@soren", (OTHER, CLASH, BROKEN)),
        ("edited", (ISSUE, CLASH)),
        ("Edited", (ISSUE, CLASH)),
        ("draft", (OTHER,)),
        ("unpushed", (ISSUE, OTHER, CLASH)),
        ("conflict", (CLASH,)),
        ('"conflict"', (BROKEN,)),
        ("broken", (BROKEN,)),
        ("edited -conflict", (ISSUE,)),
        ("-unpushed", (BROKEN,)),
        ("-index", (OTHER, CLASH, BROKEN)),
        (r'"said \"no"', (CLASH,)),
        ("it's", (ISSUE,)),
        ("text=a=b", ()),
    ],
)
def test_a_filter_selects_what_fits_every_term(text: str, found: tuple[Candidate, ...]) -> None:
    parsed = parse_filter(text)

    assert parsed.select(ALL) == list(found)
    assert [each for each in ALL if parsed.matches(each)] == list(found)


@pytest.mark.parametrize(
    ("text", "position", "problem"),
    [
        ("-", 0, "what an issue must not have has to follow -"),
        ("index - x", 6, "what an issue must not have has to follow -"),
        ("=done", 0, "the name of a field has to be before ="),
        ("-=done", 1, "the name of a field has to be before ="),
        ('""=done', 2, "the name of a field has to be before ="),
        ("edited @", 7, "a person's name has to follow @"),
        ('@""', 0, "a person's name has to follow @"),
        ("@ soren", 0, "a person's name has to follow @"),
        ('"in pro', 0, "this quote is not closed"),
        ('status="in pro', 7, "this quote is not closed"),
        ('@"', 1, "this quote is not closed"),
        ('status=in" pro"', 9, "quotes go around a whole word, name or value"),
        ('"in"pro', 4, "quotes go around a whole word, name or value"),
        ('in"pro"', 2, "quotes go around a whole word, name or value"),
    ],
)
def test_a_wrong_filter_says_what_is_wrong_and_where(
    text: str, position: int, problem: str
) -> None:
    with pytest.raises(InvalidFilter) as raised:
        parse_filter(text)

    error = raised.value
    assert (error.text, error.position, error.problem) == (text, position, problem)


def test_a_filter_is_a_value_that_keeps_what_was_typed() -> None:
    parsed = parse_filter(" status=done  -@amara ")

    assert parsed.text == "status=done  -@amara"
    assert parsed == parse_filter("status=done  -@amara")
    assert hash(parsed) == hash(parse_filter(parsed.text))


def test_every_flag_is_a_word_of_the_language() -> None:
    assert set(FILTER_WORDS) == FLAGS | {"unpushed"}
    for word in FILTER_WORDS:
        every = Candidate("A-1", "x", flags=FLAGS)
        assert parse_filter(word).matches(every)
        assert not parse_filter(word).matches(Candidate("A-1", word))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ABC", "abc"),
        ("Zoë", "zoe"),
        ("Zoe\u0308", "zoe"),
        ("Łódź", "lodz"),
        ("ÆØÅ", "aeoa"),
        ("İstanbul", "istanbul"),
        ("Weiß", "weiss"),
        ("陈美玲", "陈美玲"),
        ("हिन्दी", "हिन्दी"),
        ("ﬁne", "fine"),
    ],
)
def test_folding_takes_case_and_accents_away(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_a_word_is_looked_up_in_a_few_bytecodes_an_issue() -> None:
    fields = {"Status": "In Progress", "Assignee": "Søren Ångström", "Priority": "High"}
    issues = [Candidate(f"AB-{n}", f"Issue {n}", fields, "A text. " * 60) for n in range(1_000)]
    parsed = parse_filter("999")
    bytecodes = Bytecodes()

    assert [each.key for each in parsed.select(issues)] == ["AB-999"]  # it folds their texts, once
    with bytecodes.counted():
        assert [each.key for each in parsed.select(issues)] == ["AB-999"]

    assert 1 < bytecodes.count / len(issues) < 100
