"""Rows that can't be trusted: what is kept of them does not give the hash that is kept with them.

Somebody changed them behind the sink's back, or a disk did. The same command again would change nothing, so
such a row is *demoted* by the recount that finds it: it becomes the oldest that there can be at its address,
and whatever another sink holds there, or a producer sends, takes its place. Until then it is served as it is.

A mark is left as it is, and only said to be damaged: what was deleted stays deleted.
"""

import re
from typing import Final

from memlane.contracts.address import Address
from memlane.contracts.canonical import parse
from memlane.contracts.command import DeleteAddress, DeleteNamespace, DeleteUser
from memlane.contracts.entry import Entry, encode_entry
from memlane.contracts.errors import InvalidInput
from memlane.contracts.fingerprint import command_hash
from memlane.contracts.version import make_version, successor
from memlane.storage.rows import Head, Kind, Mark, Scope, Trace

OLDEST: Final = make_version(0, 0)
"""The version of a row that was demoted, where there is no mark on its address."""

NO_HASH: Final = "0" * 32
"""The hash of a row that was demoted: lower than that of any command."""

_HASH: Final = re.compile("[0-9a-f]{32}")


def is_intact(address: Address, head: Head, content_hash: str | None) -> bool:
    """Whether a row is what its hash says. Of an expired or refused one, nothing is left to tell by.

    Args:
        address: of the row.
        head: as kept.
        content_hash: what the content of a live row gives; None where it can't be read.
    """
    if head.hash == NO_HASH or not _HASH.fullmatch(head.hash):
        return False
    if head.kind is Kind.LIVE:
        return head.hash == content_hash
    return head.kind is not Kind.DELETED or head.hash == _delete_hash(address, head.version)


def mark_is_intact(scope: Scope, mark: Mark) -> bool:
    """Whether a mark is what its hash says."""
    user_id, namespace = scope
    if namespace is None:
        return mark.hash == command_hash(DeleteUser.model_construct(id=mark.version, user_id=user_id))
    command = DeleteNamespace.model_construct(id=mark.version, user_id=user_id, namespace=namespace)
    return mark.hash == command_hash(command)


def is_damaged_row(trace: Trace) -> bool:
    """Whether it is a row, and not intact."""
    return not trace.intact and trace.kind is not None


def demoted(head: Head, *, cover: str | None, readable: bool) -> Head | None:
    """What becomes of a damaged row; its content stays. None where a mark covers it: it goes anyway.

    Args:
        head: as kept.
        cover: the version of the newest mark on its address: the row becomes the oldest behind that.
        readable: whether a live row's content is an entry at all. What is none is not served, as if refused.
    """
    if cover is not None and head.version <= cover:
        return None
    version = OLDEST if cover is None else successor(cover)
    return Head(version, NO_HASH, Kind.REFUSED if head.kind is Kind.LIVE and not readable else head.kind)


def counted(head: Head) -> Head:
    """A damaged row as its digest counted it, as far as that can be told: by the hash that is kept."""
    return head if _HASH.fullmatch(head.hash) else head._replace(hash=NO_HASH)


def is_readable(entry: Entry) -> bool:
    """Whether what a row keeps is an entry that a client would take."""
    try:
        text = encode_entry(entry.model_copy(update={"version": OLDEST}))
        Entry.model_validate(parse(text), by_alias=True, by_name=False)
    except (InvalidInput, ValueError, TypeError, AttributeError):
        return False
    return True


def _delete_hash(address: Address, version: str) -> str:
    user_id, namespace, key = address
    command = DeleteAddress.model_construct(id=version, user_id=user_id, namespace=namespace, key=key)
    return command_hash(command)
