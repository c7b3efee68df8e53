"""Parse a query into its syntax tree, or raise Jira's error message."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, cast

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from jira_sandbox.errors import JqlError
from jira_sandbox.jql import nodes

#: The deepest nesting of brackets and NOT.
MAX_DEPTH: Final = 60

# A word ends at white space, quotes, operators and the characters that JQL reserves. A
# keyword must not be the beginning of a word: "android" is not AND.
_GRAMMAR: Final = r"""
query: [_where] [_ORDER_BY sort ("," sort)*]
_where: or_
?or_: and_ (_OR and_)*
?and_: not_ (_AND not_)*
?not_: _NOT not_        -> negation
    | "(" or_ ")"       -> group
    | clause
clause: field operator one
    | field set_operator values
    | field state_operator nothing
    | field was_operator one predicate*
    | field was_set_operator values predicate*
    | field _CHANGED predicate*  -> changed
field: WORD | STRING | CUSTOM_FIELD
operator: COMPARISON
set_operator: _NOT _IN -> not_in
    | _IN              -> in_
state_operator: _IS _NOT -> is_not
    | _IS                -> is_
was_operator: _WAS _NOT -> was_not
    | _WAS              -> was_
was_set_operator: _WAS _NOT _IN -> was_not_in
    | _WAS _IN           -> was_in
predicate: PREDICATE value              -> predicate
    | PREDICATE "(" value ("," value)* ")" -> predicate
one: value
nothing: empty
?value: literal | function | empty
literal: WORD | STRING
function: WORD "(" [argument ("," argument)*] ")"
argument: WORD | STRING
empty: _EMPTY
values: "(" value ("," value)* ")"
    | function
sort: field [DIRECTION]

COMPARISON: "!=" | "!~" | ">=" | "<=" | "=" | ">" | "<" | "~"
_AND.2: /and(?![WORDCHAR])|&&?/i
_OR.2: /or(?![WORDCHAR])|\|\|?/i
_NOT.2: /not(?![WORDCHAR])|!(?![=~])/i
_IN.2: /in(?![WORDCHAR])/i
_IS.2: /is(?![WORDCHAR])/i
_WAS.2: /was(?![WORDCHAR])/i
_CHANGED.2: /changed(?![WORDCHAR])/i
PREDICATE.2: /(after|before|on|during|by|from|to)(?![WORDCHAR])/i
_EMPTY.2: /(empty|null)(?![WORDCHAR])/i
_ORDER_BY.2: /order\s+by(?![WORDCHAR])/i
DIRECTION.2: /(asc|desc)(?![WORDCHAR])/i
CUSTOM_FIELD.2: /cf\[[0-9]+\]/i
STRING: /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/s
WORD: /(?:\\.|[WORDCHAR])+/
%ignore /\s+/
"""
_WORD_CHARACTERS: Final = r"""^\s"'()=!<>~,\[\]{}|&+;?*\/%$#@`^\\"""
_RESERVED_WORDS: Final = frozenset(
    ("and", "or", "not", "in", "is", "empty", "null", "order", "by", "was", "changed")
)
_RESERVED: Final = frozenset("+;?*/%^$#@[]{}`,|&")
_OPERATORS: Final = (
    "'=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS', 'IS NOT', 'WAS', 'WAS IN', "
    "'WAS NOT', 'WAS NOT IN' and 'CHANGED'"
)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_CONTROL: Final = {"n": "\n", "t": "\t", "r": "\r"}


def unescape(text: str) -> str:
    """Resolve JQL's escape sequences."""

    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return _CONTROL.get(match[2], match[2])

    return _ESCAPE.sub(replace, text) if "\\" in text else text


def _content(token: Token) -> str:
    """Return the text of a word or a quoted string."""
    if token.type == "STRING":
        return unescape(str(token[1:-1]))
    if token.lower() in _RESERVED_WORDS:
        raise JqlError(
            f"Error in the JQL Query: '{token}' is a reserved JQL word. You must surround it in "
            f"quotation marks to use it in a query. (line {token.line}, character {token.column})"
        )
    return unescape(str(token))


def _always(word: str) -> Callable[[_Builder, list[Any]], str]:
    """Return a method for a rule that stands for one operator."""
    return lambda _builder, _children: word


class _Builder(Transformer[Token, nodes.Query]):
    """Builds the syntax tree from the bottom up while the parser runs."""

    def query(self, children: list[Any]) -> nodes.Query:
        where = [child for child in children if child and not isinstance(child, nodes.SortBy)]
        order = tuple(child for child in children if isinstance(child, nodes.SortBy))
        return nodes.Query(where[0] if where else None, order)

    def or_(self, children: list[nodes.JqlNode]) -> nodes.JqlNode:
        return nodes.Or(tuple(children))

    def and_(self, children: list[nodes.JqlNode]) -> nodes.JqlNode:
        return nodes.And(tuple(children))

    def negation(self, children: list[nodes.JqlNode]) -> nodes.JqlNode:
        return nodes.Not(children[0])

    def group(self, children: list[nodes.JqlNode]) -> nodes.JqlNode:
        return children[0]

    def clause(self, children: list[Any]) -> nodes.Clause:
        field, operator, values, *predicates = children
        return nodes.Clause(field, operator, values, tuple(predicates))

    def changed(self, children: list[Any]) -> nodes.Clause:
        field, *predicates = children
        return nodes.Clause(field, "changed", (), tuple(predicates))

    def predicate(self, children: list[Any]) -> tuple[str, tuple[nodes.JqlValue, ...]]:
        word, *values = children
        return str(word).lower(), tuple(values)

    def field(self, children: list[Token]) -> str:
        return _content(children[0])

    def operator(self, children: list[Token]) -> str:
        return str(children[0])

    in_ = _always("in")
    not_in = _always("not in")
    is_ = _always("is")
    is_not = _always("is not")
    was_ = _always("was")
    was_not = _always("was not")
    was_in = _always("was in")
    was_not_in = _always("was not in")

    def literal(self, children: list[Token]) -> nodes.JqlLiteral:
        return nodes.JqlLiteral(_content(children[0]))

    def function(self, children: list[Any]) -> nodes.Function:
        name, *arguments = children
        return nodes.Function(_content(name), tuple(text for text in arguments if text is not None))

    def argument(self, children: list[Token]) -> str:
        return _content(children[0])

    def empty(self, _: list[Any]) -> nodes.Empty:
        return nodes.Empty()

    def values(self, children: list[nodes.JqlValue]) -> tuple[nodes.JqlValue, ...]:
        return tuple(children)

    one = nothing = values

    def sort(self, children: list[Any]) -> nodes.SortBy:
        field, direction = children
        return nodes.SortBy(field, descending=direction is not None and direction.lower() == "desc")


_PARSER: Final = Lark(
    # [^...] matches a word character, in a look-ahead, too.
    _GRAMMAR.replace("WORDCHAR", _WORD_CHARACTERS),
    start="query",
    parser="lalr",
    transformer=_Builder(),
    maybe_placeholders=True,
)


def parse(text: str) -> nodes.Query:
    """Parse a query.

    Raises:
        JqlError: The query is not in the part of JQL that the sandbox supports.
    """
    _check_depth(text)
    try:
        return cast("nodes.Query", _PARSER.parse(text))
    except UnexpectedInput as error:
        raise JqlError(f"Error in the JQL Query: {_syntax_error(text, error)}") from None


def _check_depth(text: str) -> None:
    """Refuse a query whose tree is too deep for recursion."""
    if text.count("(") <= MAX_DEPTH and len(re.findall("not|!", text, re.IGNORECASE)) <= MAX_DEPTH:
        return
    depth = deepest = nots = 0
    plain = re.sub(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', "x", text)
    for word in re.findall(r"[()]|\bnot\b|!|[^\s()!]+", plain, re.IGNORECASE):
        depth += (word == "(") - (word == ")")
        nots = nots + 1 if word.lower() in {"not", "!", "("} else 0
        deepest = max(deepest, depth, nots)
    if deepest > MAX_DEPTH:
        raise JqlError("Error in the JQL Query: The query is nested too deeply.")


def _syntax_error(text: str, error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedToken):
        return _unexpected_token(error)
    if isinstance(error, UnexpectedCharacters):
        return _unexpected_character(text, error)
    return "The query is not complete."


def _unexpected_character(text: str, error: UnexpectedCharacters) -> str:
    position = cast("int", error.pos_in_stream)
    character = text[position]
    where = f"(line {error.line}, character {error.column})"
    if character in "\"'":
        rest = text[position + 1 :]
        return f"The quoted string '{rest}' has not been completed. {where}"
    if character in _RESERVED:
        return (
            f"The character '{character}' is a reserved JQL character. You must enclose it in a "
            f"string or use the escape '\\u{ord(character):04x}' instead. {where}"
        )
    return f"{_wanted(error.allowed or set(), character)} {where}"


def _unexpected_token(error: UnexpectedToken) -> str:
    expected = set(error.expected)
    if error.token.type == "$END":
        if "COMPARISON" in expected:
            return (
                "Expecting operator before the end of the query. "
                f"The valid operators are {_OPERATORS}."
            )
        if "_EMPTY" in expected or ("LPAR" in expected and "CUSTOM_FIELD" not in expected):
            return "Expecting either a value, list or function before the end of the query."
        if "RPAR" in expected:
            return "Expecting ')' before the end of the query."
        return "Expecting a field name at the end of the query."
    return f"{_wanted(expected, error.token)} (line {error.line}, character {error.column})"


def _wanted(expected: set[str], got: str) -> str:
    if "COMPARISON" in expected:
        return f"Expecting operator but got '{got}'. The valid operators are {_OPERATORS}."
    if "CUSTOM_FIELD" in expected:
        return f"Expecting a field name but got '{got}'."
    if expected & {"_AND", "_OR", "_ORDER_BY"}:
        return f"Expecting either 'OR' or 'AND' but got '{got}'."
    if "_EMPTY" in expected or "LPAR" in expected:
        return (
            f"Expecting either a value, list or function but got '{got}'. You must surround "
            f"'{got}' in quotation marks to use it as a value."
        )
    return f"Unexpected '{got}'."
