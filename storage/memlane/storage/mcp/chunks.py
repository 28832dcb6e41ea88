"""Cutting what is to be written into what one call may carry."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from memlane.storage.mcp.profile import MAX_CALL_BYTES

NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


def chunks(
    texts: Mapping[str, str], most: int = MAX_CALL_BYTES, also: Mapping[str, int] = NOTHING
) -> Iterator[dict[str, str]]:
    """The texts, by name, in parts of at most so many bytes; one that is larger is a part by itself.

    Args:
        texts: by name.
        most: bytes of a part.
        also: further bytes that go with a text.
    """
    part: dict[str, str] = {}
    size = 0
    for name, text in texts.items():
        own = len(name.encode()) + len(text.encode()) + also.get(name, 0)
        if part and size + own > most:
            yield part
            part, size = {}, 0
        part[name] = text
        size += own
    if part:
        yield part
