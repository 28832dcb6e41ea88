"""The string types of the wire: user, namespace, key, tag, version."""

from typing import Annotated, Final

from pydantic import StringConstraints

from memlane.contracts.limits import MAX_IDENTIFIER, MAX_NAMESPACE_DEPTH

_CONTROL: Final = r"\u0000-\u001f\u007f-\u009f"

Identifier = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=MAX_IDENTIFIER, pattern=f"^[^{_CONTROL}]*$"),
]
"""1 to 255 characters, none of them a control character."""

Namespace = Annotated[
    str,
    StringConstraints(
        strict=True,
        min_length=1,
        max_length=MAX_IDENTIFIER,
        pattern=f"^[^/{_CONTROL}]+(/[^/{_CONTROL}]+){{0,{MAX_NAMESPACE_DEPTH - 1}}}$",
    ),
]
"""An identifier that is a path: 1 to 16 parts, separated by `/`, none of them empty."""

Version = Annotated[
    str,
    StringConstraints(
        strict=True,
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    ),
]
"""A UUIDv7 (RFC 9562) in lower case. As text it sorts like the 128-bit number that it is."""

CommandHash = Annotated[str, StringConstraints(strict=True, pattern="^[0-9a-f]{32}$")]
"""Of a command, see `memlane.contracts.fingerprint`."""


def namespace_ancestors(namespace: str) -> list[str]:
    """The namespace itself and every namespace above it: `a/b/c` gives `a/b/c`, `a/b`, `a`."""
    found = [namespace]
    while (cut := namespace.rfind("/")) >= 0:
        namespace = namespace[:cut]
        found.append(namespace)
    return found


def is_within(namespace: str, ancestor: str) -> bool:
    """Whether a namespace is the ancestor or below it. Parts are compared whole: `ab` is not below `a`."""
    return namespace == ancestor or namespace.startswith(ancestor + "/")
