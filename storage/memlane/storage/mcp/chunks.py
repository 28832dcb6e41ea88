"""Cutting what is to be written into what one call may carry."""

from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

MAX_CALL_BYTES: Final = 1024 * 1024
"""Of what one call carries; a larger one may kill a server."""

MAX_CALL_ENTRIES: Final = 500

Item = TypeVar("Item")


def chunks(sizes: Mapping[Item, int]) -> Iterator[list[Item]]:
    """The items, in parts of at most 500 and 1 MiB; one that is larger is a part by itself.

    Args:
        sizes: of each item, in bytes.
    """
    part: list[Item] = []
    left = MAX_CALL_BYTES
    for item, size in sizes.items():
        if part and (size > left or len(part) == MAX_CALL_ENTRIES):
            yield part
            part, left = [], MAX_CALL_BYTES
        part.append(item)
        left -= size
    if part:
        yield part
