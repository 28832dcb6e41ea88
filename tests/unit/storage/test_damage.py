"""What tells a row that can be trusted from one that can't, and what becomes of the latter."""

import pytest

from memlane.contracts.command import AnyCommand, DeleteNamespace, DeleteUser
from memlane.contracts.fingerprint import command_hash
from memlane.contracts.version import successor
from memlane.storage.conformance.commands import address, delete, delete_namespace, forget, store, version
from memlane.storage.damage import (
    NO_HASH,
    OLDEST,
    counted,
    demoted,
    is_intact,
    mark_is_intact,
)
from memlane.storage.rows import Head, Kind, Mark, Scope


def _head(command: AnyCommand, kind: Kind) -> Head:
    return Head(command.id, command_hash(command), kind)


def test_a_live_row_is_what_its_content_gives() -> None:
    """Nothing else, and not what can't be read."""
    head = _head(store(), Kind.LIVE)
    assert is_intact(address(), head, head.hash)
    assert not is_intact(address(), head, command_hash(store(value="another")))
    assert not is_intact(address(), head, None)


def test_a_deleted_row_is_what_its_delete_gives() -> None:
    """Of that address, at that version."""
    head = _head(delete(at=2), Kind.DELETED)
    assert is_intact(address(), head, None)
    assert not is_intact(address("other"), head, None)
    assert not is_intact(address(), head._replace(version=version(3)), None)


@pytest.mark.parametrize("kind", [Kind.EXPIRED, Kind.REFUSED])
def test_of_what_has_no_content_the_hash_is_believed(kind: Kind) -> None:
    """As long as it is one."""
    head = _head(store(), kind)
    assert is_intact(address(), head, None)
    for hash_ in ("", "none", head.hash.upper(), head.hash[1:], NO_HASH):
        assert not is_intact(address(), head._replace(hash=hash_), None)


@pytest.mark.parametrize("command", [delete_namespace("a", at=1), forget(at=1)])
def test_a_mark_is_what_its_delete_gives(command: DeleteNamespace | DeleteUser) -> None:
    """Of that scope, at that version."""
    scope = Scope("u", command.namespace if isinstance(command, DeleteNamespace) else None)
    mark = Mark(command.id, command_hash(command))
    assert mark_is_intact(scope, mark)
    assert not mark_is_intact(scope, mark._replace(version=version(2)))
    assert not mark_is_intact(Scope("v", scope.namespace), mark)


def test_a_demoted_row_is_older_than_any_other() -> None:
    """Than any that a mark on its address leaves, and so than any that another sink can hold there."""
    head = Head(version(3), "f" * 32, Kind.LIVE)
    assert demoted(head, cover=None, readable=True) == (OLDEST, NO_HASH, Kind.LIVE)
    mark = version(2)
    assert demoted(head, cover=mark, readable=True) == (successor(mark), NO_HASH, Kind.LIVE)
    assert min(NO_HASH, command_hash(store())) == NO_HASH


def test_a_row_under_a_mark_is_left_to_it() -> None:
    """It is gone for every question, and goes with the next sweeps."""
    head = Head(version(2), "f" * 32, Kind.LIVE)
    assert demoted(head, cover=version(2), readable=True) is None
    assert demoted(head, cover=version(3), readable=True) is None


def test_what_is_no_entry_serves_nothing() -> None:
    """As a refused row; a deleted one goes on to say *gone*."""
    assert demoted(Head(version(1), "f" * 32, Kind.LIVE), cover=None, readable=False) == (
        OLDEST,
        NO_HASH,
        Kind.REFUSED,
    )
    deleted = demoted(Head(version(1), "f" * 32, Kind.DELETED), cover=None, readable=False)
    assert deleted is not None
    assert deleted.kind is Kind.DELETED


def test_a_hash_that_is_none_is_counted_as_nothing() -> None:
    """What the digest has for it, the recount finds out."""
    head = _head(store(), Kind.LIVE)
    assert counted(head) == head
    assert counted(head._replace(hash="none")).hash == NO_HASH
