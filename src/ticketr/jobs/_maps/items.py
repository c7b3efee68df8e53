"""The items of a map: drawing them from an iterable of either kind, and closing it.

All this runs the user's own code, so nothing here is protected from KeyboardInterrupt.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Generator
from typing import TYPE_CHECKING, Any, Final

from trio.lowlevel import disable_ki_protection

from ticketr.jobs._values import safe_repr

if TYPE_CHECKING:
    from typing import TypeGuard

END: Final = object()
"""What is drawn when there are no more items."""
CLOSE_SECONDS: Final = 5.0
"""How long an async generator may take to close."""


def is_async(items: object) -> TypeGuard[AsyncIterable[object]]:
    """Return whether the items come from an async iterable."""
    return hasattr(type(items), "__aiter__")


def check_items(items: object) -> None:
    """Raise ``TypeError`` if there is nothing to iterate over."""
    kind = type(items)
    if not (is_async(items) or hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")):
        raise TypeError(
            f"the items of a map must be an iterable or an async iterable, not {safe_repr(items)}"
        )


@disable_ki_protection
def iterator_of(items: Any) -> tuple[Any, bool]:
    """Return an iterator over the items, and whether it is an async one."""
    return (aiter(items), True) if is_async(items) else (iter(items), False)


@disable_ki_protection
async def draw_async(iterator: Any) -> object:
    """Return the next item of an async iterator, or ``END``."""
    return await anext(iterator, END)


@disable_ki_protection
async def close(items: object) -> None:  # noqa: ASYNC910 - the feeder has passed a checkpoint
    """Close the items if they are a generator.

    Nothing else is closed: it may be used again.

    A nursery that an async generator holds open puts the ``GeneratorExit``, by which it is closed,
    into a group. That is not an error.
    """
    if isinstance(items, AsyncGenerator):
        try:
            await items.aclose()
        except BaseExceptionGroup as group:
            _, errors = group.split(GeneratorExit)
            if errors is not None:
                raise errors from None
    elif isinstance(items, Generator):
        items.close()
