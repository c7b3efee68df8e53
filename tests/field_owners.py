"""Find the code of a package that writes a field of an object in the wrong module.

A field is written in the module of its class, or in the one other module that the docstring of the
class names: "Also written in ``_schedule``". A write is an assignment, a ``del``, a ``setattr()``,
or a change of the builtin container that the field holds.

The class of an object is found from the syntax trees alone: from the annotations of parameters,
fields, variables, properties and returned values, and from calls of classes, through assignments,
loops and ``with``. Of an object whose class is not found this way, the field may be that of any
class of the package with a field of this name, and has to be allowed for all of them. Fields of
classes from outside the package are not looked at.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

Annotation: TypeAlias = ast.expr | None

ALSO: Final = re.compile(r"[Aa]lso\s+written\s+in\s+``([\w.]+)``")
CONTAINERS: Final = {"dict", "list", "set", "deque", "defaultdict", "Counter", "OrderedDict"}
ELEMENTS: Final = {*CONTAINERS, "Iterable", "Iterator", "Sequence", "Collection", "tuple"}
MAPPINGS: Final = {"dict", "defaultdict", "Mapping", "OrderedDict"}
CHANGES: Final = {
    *("add", "append", "appendleft", "clear", "discard", "extend", "extendleft", "insert"),
    *("pop", "popitem", "popleft", "remove", "setdefault", "update"),
}
FOREIGN: Final = ast.Name("an object of another package")
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class Class:
    """A class of the package.

    Attributes:
        name: Its name.
        module: The module that it is in.
        bases: The names of its base classes.
        also: The other modules that may write its fields.
        fields: What is known of the class of each field.
        methods: What its methods and properties return.
    """

    name: str
    module: str
    bases: list[str]
    also: list[str]
    fields: dict[str, Annotation] = field(default_factory=dict)
    methods: dict[str, Annotation] = field(default_factory=dict)


@dataclass(frozen=True)
class Write:
    """A write of a field.

    Attributes:
        module: Where it is.
        line: In which line.
        classes: The classes whose field it may be.
        field: The name of the field.
    """

    module: str
    line: int
    classes: tuple[Class, ...]
    field: str

    @property
    def strangers(self) -> list[str]:
        """The classes that do not allow it in this module."""
        return [c.name for c in self.classes if self.module not in (c.module, *c.also[:1])]


def misplaced_writes(package: Path) -> dict[str, list[int]]:
    """Return the writes of fields in a wrong module, as ``module: Class.field``, with their lines.

    Raises:
        ValueError: A class names more than one other module.
    """
    trees = {
        ".".join(path.relative_to(package).with_suffix("").parts): ast.parse(
            path.read_text("utf-8")
        )
        for path in sorted(package.rglob("*.py"))
    }
    known = Names(trees)
    found: defaultdict[str, list[int]] = defaultdict(list)
    for module, tree in trees.items():
        finder = Finder(module, known)
        finder.visit(tree)
        for write in finder.writes:
            for name in write.strangers:
                found[f"{module}: {name}.{write.field}"].append(write.line)
    return dict(found)


class Names:
    """The classes and functions of a package by their names."""

    def __init__(self, trees: dict[str, ast.Module]) -> None:
        self.classes: defaultdict[str, list[Class]] = defaultdict(list)
        self.functions: dict[str, Annotation] = {}
        for module, tree in trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    self.classes[node.name].append(class_of(module, node))
            self.functions |= {
                node.name: node.returns for node in tree.body if isinstance(node, FUNCTIONS)
            }
        for module, tree in trees.items():  # now that the annotated ones are known
            Finder(module, self).visit(tree)

    def having(self, name: str) -> tuple[Class, ...]:
        """Return the classes with a field of this name."""
        return tuple(c for same in self.classes.values() for c in same if name in c.fields)

    def member(self, owner: str, name: str) -> Annotation:
        """Return what is known of the class of a field or of what a method returns."""
        for found in self.classes.get(owner, []):
            known = found.fields.get(name) or found.methods.get(name)
            known = known or next(filter(None, (self.member(b, name) for b in found.bases)), None)
            if known is not None:
                return known
        return None


def class_of(module: str, node: ast.ClassDef) -> Class:
    """Return what a class says about itself."""
    also = ALSO.findall(ast.get_docstring(node) or "")
    if len(also) > 1:
        raise ValueError(f"{module}.{node.name} names more than one other module")
    found = Class(node.name, module, [name_of(base) or "" for base in node.bases], also)
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            found.fields[part.target.id] = part.annotation
        elif isinstance(part, FUNCTIONS):
            found.methods[part.name] = part.returns
        elif isinstance(part, ast.Assign) and name_of(part.targets[0]) == "__slots__":
            slots = [one.value for one in ast.walk(part.value) if isinstance(one, ast.Constant)]
            found.fields |= {str(slot): found.fields.get(str(slot)) for slot in slots}
    return found


def plain(annotation: Annotation) -> Annotation:
    """Return an annotation without quotes, ``None`` and ``Final``."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return plain(ast.parse(annotation.value, mode="eval").body)
    if isinstance(annotation, ast.BinOp):
        left = plain(annotation.left)
        return plain(annotation.right) if name_of(left) in (None, "None") else left
    if isinstance(annotation, ast.Subscript) and name_of(annotation.value) in ("Final", "Self"):
        return plain(annotation.slice)
    return annotation


def name_of(annotation: Annotation) -> str | None:
    """Return the name of the class that an annotation stands for."""
    match plain(annotation):
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return name_of(value)
        case ast.Constant(value=None):
            return "None"
    return None


def arguments(annotation: Annotation) -> list[ast.expr]:
    """Return what stands in the brackets of an annotation."""
    annotation = plain(annotation)
    if not isinstance(annotation, ast.Subscript):
        return []
    inside = annotation.slice
    return list(inside.elts) if isinstance(inside, ast.Tuple) else [inside]


class Finder(ast.NodeVisitor):
    """Finds the writes in one module, and what is assigned to the fields of its classes."""

    def __init__(self, module: str, known: Names) -> None:
        self.module = module
        self.known = known
        self.writes: list[Write] = []
        self.within: list[str] = []  # the classes around the code that is looked at
        self.types: dict[str, Annotation] = {}  # of the variables
        self.origins: dict[str, ast.Attribute] = {}  # of variables that stand for a field
        self.imported: set[str] = set()

    # What is assigned and to what

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.imported |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}

    visit_ImportFrom = visit_Import  # noqa: N815 - the name that ast asks for

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.within.append(node.name)
        self.generic_visit(node)
        self.within.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        types, origins = self.types, self.origins
        self.types, self.origins = types.copy(), origins.copy()
        spec = node.args
        for arg in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs):
            self.types[arg.arg] = arg.annotation
            self.origins.pop(arg.arg, None)
            if arg.arg in ("self", "cls") and arg.annotation is None and self.within:
                self.types[arg.arg] = ast.Name(self.within[-1])
        self.generic_visit(node)
        self.types, self.origins = types, origins

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.assign(target, node.value, self.type_of(node.value))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
        self.assign(node.target, node.value, node.annotation)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.assign(node.target, node.value, self.type_of(node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        self.write(node.target)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.write(target)

    def visit_For(self, node: ast.For | ast.AsyncFor | ast.comprehension) -> None:
        self.assign(node.target, None, self.element(node.iter))
        self.generic_visit(node)

    visit_AsyncFor = visit_For  # noqa: N815
    visit_comprehension = visit_For

    def visit_ListComp(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    ) -> None:
        for loop in node.generators:  # before what is made in them
            self.visit(loop)
        self.generic_visit(node)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815

    def visit_withitem(self, node: ast.withitem) -> None:
        self.visit(node.context_expr)
        if node.optional_vars is not None:
            self.assign(node.optional_vars, None, self.type_of(node.context_expr))

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Attribute(value=held, attr=change) if change in CHANGES:
                self.write_container(node, held)
            case ast.Name(id="setattr"):
                owner = self.type_of(node.args[0])
                self.note(node, tuple(self.known.classes.get(name_of(owner) or "", ())), "*")
        self.generic_visit(node)

    def assign(self, target: ast.expr, value: ast.expr | None, kind: Annotation) -> None:
        """Take note of what a target is now, or of what is written."""
        if isinstance(target, ast.Name):
            self.types[target.id] = kind
            self.origins.pop(target.id, None)
            if isinstance(value, ast.Attribute):
                self.origins[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            values = value.elts if isinstance(value, ast.Tuple) else [None] * len(target.elts)
            kinds = arguments(kind) if name_of(kind) == "tuple" else []
            for place, (part, given) in enumerate(zip(target.elts, values, strict=False)):
                own = kinds[place] if place < len(kinds) else None
                self.assign(part, given, self.type_of(given) if given is not None else own)
        else:
            self.write(target, kind)

    def write(self, target: ast.expr, kind: Annotation = None) -> None:
        """Take note of a write, if it is one of a field or of the container in a field."""
        if isinstance(target, ast.Subscript):
            self.write_container(target, target.value)
        elif isinstance(target, ast.Attribute):
            owner = name_of(self.type_of(target.value))
            classes = tuple(self.known.classes.get(owner or "", ()))
            if isinstance(target.value, ast.Name) and target.value.id == "self":
                for one in classes:
                    if one.module == self.module and not one.fields.get(target.attr):
                        one.fields[target.attr] = kind
                return
            if owner is None:
                classes = self.known.having(target.attr)
            self.note(target, classes, target.attr)

    def write_container(self, node: ast.expr, held: ast.expr) -> None:
        """Take note of a change of the container that a field holds."""
        if isinstance(held, ast.Name):
            held = self.origins.get(held.id, held)
        if isinstance(held, ast.Attribute) and name_of(self.type_of(held)) in CONTAINERS:
            owner = name_of(self.type_of(held.value)) or ""
            self.note(node, tuple(self.known.classes.get(owner, ())), held.attr)

    def note(self, node: ast.expr, classes: tuple[Class, ...], name: str) -> None:
        self.writes.append(Write(self.module, node.lineno, classes, name))

    # What an expression gives

    def type_of(self, node: ast.expr) -> Annotation:
        """Return what is known of the class of an expression."""
        match node:
            case ast.Name(id=name):
                return self.types.get(name)
            case ast.Attribute(value=value, attr=name):
                owner = name_of(self.type_of(value))
                return self.known.member(owner, name) if owner else None
            case ast.Await(value=value) | ast.NamedExpr(value=value):
                return self.type_of(value)
            case ast.BoolOp(values=values):
                return next(filter(None, map(self.type_of, values)), None)
            case ast.IfExp(body=body, orelse=other):
                return self.type_of(body) or self.type_of(other)
            case ast.Subscript(value=value):
                inside = arguments(self.type_of(value))
                return inside[-1] if inside else None
            case ast.Call():
                return self.result_of(node)
        return None

    def result_of(self, call: ast.Call) -> Annotation:
        """Return what is known of the class of what a call gives."""
        match call.func:
            case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)):
                if name in self.known.classes:
                    return ast.Name(name)
                if name in ("list", "sorted", "reversed", "iter") and call.args:
                    element = self.element(call.args[0])
                    return element and ast.Subscript(ast.Name("list"), element)
                if name in self.known.functions:
                    return self.known.functions[name]
                return FOREIGN if name in self.imported else None
            case ast.Attribute(value=value, attr=name):
                if self.is_foreign(value):
                    return FOREIGN
                kind = self.type_of(value)
                inside = arguments(kind)
                if name_of(kind) in ELEMENTS | MAPPINGS and inside:
                    if name in ("values", "items"):
                        return ast.Subscript(ast.Name("list"), self.paired(inside, name))
                    return inside[-1]
                return self.known.member(name_of(kind) or "", name)
        return None

    def is_foreign(self, node: ast.expr) -> bool:
        """Tell whether an expression is a module, such as ``trio.lowlevel``."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self.imported

    @staticmethod
    def paired(inside: list[ast.expr], name: str) -> ast.expr:
        pair = ast.Subscript(ast.Name("tuple"), ast.Tuple(inside))
        return pair if name == "items" else inside[-1]

    def element(self, node: ast.expr) -> Annotation:
        """Return what is known of the class of what a loop over an expression gives."""
        if isinstance(node, (ast.List, ast.Tuple)):
            parts = [part for part in node.elts if not isinstance(part, ast.Starred)]
            stars = [part.value for part in node.elts if isinstance(part, ast.Starred)]
            found: Iterator[Annotation] = map(self.type_of, parts)
            return next(filter(None, [*found, *map(self.element, stars)]), None)
        kind = self.type_of(node)
        inside = arguments(kind)
        return inside[0] if inside and name_of(kind) in ELEMENTS | MAPPINGS else None
