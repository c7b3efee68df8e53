"""Generate random documents that follow Atlassian's schema, and change them at random."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

from sandbox_specs import load

_PATTERNS = {
    "^#[0-9a-fA-F]{6}$": ["#00ff00", "#ABCDEF"],
    "^#[0-9a-fA-F]{8}$|^#[0-9a-fA-F]{6}$": ["#00ff00", "#00ff0080"],
    "^(neutral|purple|blue|red|yellow|green|#[0-9a-fA-F]{6})$": ["neutral", "green", "#00ff00"],
}
ANYTHING: tuple[Any, ...] = (
    *("", "x", "TODO", "wide", "info", "#00ff00", "\n", 0, 1, 2.5, 100, 101, -1),
    *(True, None, [], {}, [1], ["a"], {"type": "strong"}, [{"type": "strong"}]),
)
_KEYS = ("type", "content", "attrs", "marks", "text", "localId", "width", "title", "new", "layout")
_MAX_DEPTH = 12


class FromSchema:
    """A generator of documents from the schema.

    Args:
        rng: The source of chance.
        as_sent: Whether to leave out what the schema accepts and no Jira sends: numbers that are not
            whole, days that are no numbers, and task lists that begin with a further list.
    """

    def __init__(self, rng: Random, *, as_sent: bool = False) -> None:
        self._rng = rng
        self._as_sent = as_sent
        self._definitions = load("adf-schema.json")["definitions"]

    def document(self) -> Any:
        """Return a document that the schema accepts."""
        return self._of({"$ref": "#/definitions/doc_node"}, 0)

    def node(self, kind: str) -> Any:
        """Return a small node of some kind that the schema accepts, without marks."""
        made = self._of(definition(kind), _MAX_DEPTH)
        made.pop("marks", None)
        return made

    def mark(self, kind: str) -> Any:
        """Return a mark of some kind that the schema accepts."""
        return self._of({"$ref": f"#/definitions/{kind}_mark"}, 0)

    def spoil(self, document: Any) -> None:
        """Change one random place of a document."""
        rng = self._rng
        part, key = rng.choice(list(_places(document)))
        match rng.randrange(4):
            case 0:
                del part[key]
            case 1:
                part[key] = rng.choice(ANYTHING)
            case 2 if isinstance(part, dict):
                part[rng.choice(_KEYS)] = rng.choice(ANYTHING)
            case _:  # a value from another place
                other, name = rng.choice(list(_places(document)))
                part[key] = _copy(other[name])

    def _of(self, schema: Any, depth: int) -> Any:
        schema = self._resolved(schema)
        if "anyOf" in schema:
            return self._of(self._rng.choice(schema["anyOf"]), depth)
        if "enum" in schema:
            return self._rng.choice(schema["enum"])
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                words = ["x", "Some words", "ü"] + [""] * ("minLength" not in schema)
                return self._rng.choice(_PATTERNS.get(schema.get("pattern"), words))
            case "number":
                low, high = schema.get("minimum", 0), schema.get("maximum", 100)
                middle = (low + high) // 2 if self._as_sent else (low + high) / 2
                return self._rng.choice([low, high, middle])
            case "boolean":
                return self._rng.random() < 0.5
            case _:
                return self._rng.choice(ANYTHING)

    def _resolved(self, schema: Any) -> Any:
        """Follow references, and merge the schemas that must all hold."""
        if "$ref" in schema:
            return self._resolved(self._definitions[schema["$ref"].rpartition("/")[2]])
        if "allOf" not in schema:
            return schema
        first, second = map(self._resolved, schema["allOf"])
        known = first["properties"]
        more = second["properties"]
        if not first["additionalProperties"]:
            more = {name: more[name] for name in more if name in known}
        return {**first, **second, "properties": {**known, **more}}

    def _object(self, schema: Any, depth: int) -> Any:
        required = set(schema.get("required", ())) | {"type"}
        often = 0.3 if depth < _MAX_DEPTH else 0.0
        made = {
            name: self._of(part, depth + 1)
            for name, part in schema.get("properties", {}).items()
            if name in required or self._rng.random() < (0.7 if name == "content" else often)
        }
        if self._as_sent and "timestamp" in made:
            made["timestamp"] = "1700000000000"
        if self._as_sent and made.get("type") == "taskList":
            first = made["content"][0]
            if first["type"] == "taskList":
                made["content"][:1] = first["content"]
        return made

    def _array(self, schema: Any, depth: int) -> Any:
        least = schema.get("minItems", 0)
        most = schema.get("maxItems", max(least, 3 if depth < _MAX_DEPTH else 0))
        items = schema.get("items", {})
        if isinstance(items, list):
            return [self._of(item, depth + 1) for item in items[: self._rng.randint(least, 2)]]
        return [self._of(items, depth + 1) for _ in range(self._rng.randint(least, most))]


_WHOLE = {"layoutSection": "layoutSection_full_node", "mediaSingle": "mediaSingle_caption_node"}


@cache
def definition(kind: str) -> Any:
    """Return the schema of one kind of node, in any place."""
    found = [
        name
        for name, schema in load("adf-schema.json")["definitions"].items()
        if name.endswith("_node")
        and schema.get("properties", {}).get("type", {}).get("enum") == [kind]
    ]
    # A code block and an expand may have more marks right in the document.
    return {"$ref": f"#/definitions/{_WHOLE.get(kind) or min(found, key=len)}"}


def _places(value: Any) -> Any:
    todo = [value]
    while todo:
        part = todo.pop()
        for key in list(part) if isinstance(part, dict) else range(len(part)):
            yield part, key
            if isinstance(part[key], dict | list):
                todo.append(part[key])


def _copy(value: Any) -> Any:
    match value:
        case dict():
            return {key: _copy(one) for key, one in value.items()}
        case list():
            return [_copy(one) for one in value]
        case _:
            return value
