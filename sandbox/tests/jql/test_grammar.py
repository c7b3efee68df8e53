from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from jira_sandbox.errors import JqlError
from jira_sandbox.jql.grammar import MAX_DEPTH, parse
from jira_sandbox.jql.nodes import (
    And,
    Clause,
    Empty,
    Function,
    JqlLiteral,
    JqlNode,
    Not,
    Or,
    Query,
    SortBy,
)


def clause(field: str, operator: str, *values: str) -> Clause:
    return Clause(field, operator, tuple(JqlLiteral(value) for value in values))


A, B, C = (clause(name, "=", "1") for name in "abc")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("project = DEMO", clause("project", "=", "DEMO")),
        ("project=DEMO", clause("project", "=", "DEMO")),
        ("a!=1", clause("a", "!=", "1")),
        ("a !~ x", clause("a", "!~", "x")),
        ("updated >= -5m", clause("updated", ">=", "-5m")),
        ("updated<2026-01-02", clause("updated", "<", "2026-01-02")),
        ('"Story Points" > 3', clause("Story Points", ">", "3")),
        ("cf[10016] <= 3", clause("cf[10016]", "<=", "3")),
        ("key in (A-1,'B-2')", clause("key", "in", "A-1", "B-2")),
        ("key NOT  IN (A-1)", clause("key", "not in", "A-1")),
        ("a is EMPTY", Clause("a", "is", (Empty(),))),
        ("a is not null", Clause("a", "is not", (Empty(),))),
        ("a = EMPTY", Clause("a", "=", (Empty(),))),
        ("a = f()", Clause("a", "=", (Function("f", ()),))),
        ('a > f(-1, "x")', Clause("a", ">", (Function("f", ("-1", "x")),))),
        ("a in f()", Clause("a", "in", (Function("f", ()),))),
        ("a=1 and b=1 AND c=1", And((A, B, C))),
        ("a=1 or b=1 && c=1", Or((A, And((B, C))))),
        ("(a=1 || b=1) and c=1", And((Or((A, B)), C))),
        ("not a=1 and b=1", And((Not(A), B))),
        ("!(a=1 & b=1)", Not(And((A, B)))),
        ("not not a=1", Not(Not(A))),
        ("((a=1))", A),
        ("android = island", clause("android", "=", "island")),
        ("order1 = nothing", clause("order1", "=", "nothing")),
        (r'a ~ "say \"hi\" \u00e9\\"', clause("a", "~", 'say "hi" é\\')),
        (r"a ~ 'it\'s'", clause("a", "~", "it's")),
        ("a = größe", clause("a", "=", "größe")),
        ("a\n=\t1", A),
    ],
)
def test_a_query_becomes_a_tree(text: str, where: JqlNode) -> None:
    assert parse(text) == Query(where, ())


def test_the_order_is_read_with_or_without_anything_before_it() -> None:
    order = (SortBy("created", descending=True), SortBy("key", descending=False))

    assert parse("a=1 ORDER BY created DESC, key asc") == Query(A, order)
    assert parse("order  by created desc, key") == Query(None, order)
    assert parse("") == parse(" \n ") == Query(None, ())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("project", "Expecting operator before the end of the query."),
        ("project =", "Expecting either a value, list or function before the end"),
        ("project DEMO", "Expecting operator but got 'DEMO'."),
        ("project DEMO", "(line 1, character 9)"),
        ("= DEMO", "Expecting a field name but got '='."),
        ("a = b c", "Expecting either 'OR' or 'AND' but got 'c'."),
        ("a = 1 and", "Expecting a field name at the end of the query."),
        ("(a = 1", "Expecting ')' before the end of the query."),
        ("a = 1)", "got ')'"),
        ("a = 50%", "The character '%' is a reserved JQL character."),
        ("a = 50%", r"'\u0025'"),
        ('a = "b', "The quoted string 'b' has not been completed."),
        ("a = b\nand %", "(line 2, character 5)"),
        ("a was", "Expecting either a value, list or function"),
        ("a changed b", "Expecting either 'OR' or 'AND' but got 'b'."),
        ("a was b after", "Expecting either a value, list or function"),
        ("a = and", "'and' is a reserved JQL word."),
        ("a in b", "Expecting either a value, list or function"),
        ("a in ()", "Expecting either a value, list or function but got ')'"),
        ("a = 1 order by", "Expecting a field name at the end of the query."),
        ("a = 1 order by a sideways", "sideways"),
    ],
)
def test_a_query_that_is_none_is_refused_in_jiras_words(text: str, complaint: str) -> None:
    with pytest.raises(JqlError) as caught:
        parse(text)

    assert caught.value.message.startswith("Error in the JQL Query: ")
    assert complaint in caught.value.message


@pytest.mark.parametrize("before", ["(", "not ", "!", "not(", "!("])
def test_deep_nesting_is_refused_and_not_followed(before: str) -> None:
    after = ")" * before.count("(")
    deep = MAX_DEPTH + 1

    with pytest.raises(JqlError, match="nested too deeply"):
        parse(before * deep + "a = 1" + after * deep)
    with pytest.raises(JqlError, match="nested too deeply"):
        parse(before * 20_000 + "a = 1" + after * 20_000)
    parse(before * (MAX_DEPTH // 2) + "a = 1" + after * (MAX_DEPTH // 2))


def test_many_brackets_side_by_side_are_not_deep() -> None:
    query = parse(" or ".join(["(not a = 1)"] * 500))

    assert query == Query(Or((Not(A),) * 500), ())


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_is_refused(text: str) -> None:
    with suppress(JqlError):
        assert isinstance(parse(text), Query)


FIELDS = st.sampled_from(["a", "Story Points", "cf[10]"])


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> tuple[str, JqlNode]:
    """A query with its expected tree."""
    kind = draw(st.sampled_from(["clause", "and", "or", "not"])) if depth else "clause"
    if kind == "clause":
        value = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
        field = draw(FIELDS)
        operator = draw(st.sampled_from(["=", "!=", "<", "~", "in", "not in"]))
        quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        written = f"({quoted})" if operator.endswith("in") else quoted
        name = field if field.startswith("cf") else f'"{field}"'
        return f"{name} {operator} {written}", clause(field, operator, value)
    if kind == "not":
        text, tree = draw(trees(depth - 1))
        return f"NOT ({text})", Not(tree)
    parts = draw(st.lists(trees(depth - 1), min_size=2, max_size=3))
    joined = f" {kind} ".join(f"({text})" for text, _ in parts)
    make = And if kind == "and" else Or
    return joined, make(tuple(tree for _, tree in parts))


@given(trees())
def test_what_is_written_with_brackets_comes_back_as_the_same_tree(
    pair: tuple[str, JqlNode],
) -> None:
    text, tree = pair

    assert parse(text).where == tree
