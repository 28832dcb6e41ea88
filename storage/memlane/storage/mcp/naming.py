"""One text for an address, so that different addresses never meet in a server that knows only names."""

from memlane.contracts.address import Address


def name_of(address: Address) -> str:
    """The parts, each with its length in characters in front: `2:u1|7:default|5:color`.

    Joined by a separator alone, `a`, `b/c` and `a/b`, `c` would be one.
    """
    return "|".join(f"{len(part)}:{part}" for part in address)


def hex_name_of(address: Address) -> str:
    """The same in hexadecimal digits, for servers that fold case or take only plain characters."""
    return name_of(address).encode().hex()


def hex_of(text: str) -> str:
    """A text's UTF-8 in hexadecimal digits."""
    return text.encode().hex()
