"""A stretch of the log in few messages: a sink that is filled with it holds the same."""

from datetime import UTC, datetime
from typing import Final

from aio_pika.abc import HeadersType
from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.codec import decode_message, encode_message
from memlane.contracts.command import AnyCommand, DeleteAddress, DeleteNamespace, DeleteUser, StoreCommand
from memlane.contracts.version import make_version
from memlane.producers.broker.stream import StreamMessage
from memlane.storage.memory import MemorySink
from memlane.workers.parcels import Parcel
from memlane.workers.rebuilder.window import Window

_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
_LIMIT_MS: Final = 1000
_WORKERS: Final = frozenset({"worker"})

_versions: Final = st.integers(0, 30).map(lambda at: make_version(at, at))
_users: Final = st.sampled_from(["u", "v"])
_namespaces: Final = st.sampled_from(["a", "a/b", "c"])
_keys: Final = st.sampled_from(["k", "l"])


def _command(kind: int, version: str, user: str, namespace: str, key: str) -> AnyCommand:
    """One of the four kinds; of a store, the kind is the value."""
    if kind == 0:
        return DeleteAddress(id=version, user_id=user, namespace=namespace, key=key)
    if kind == 1:
        return DeleteNamespace(id=version, user_id=user, namespace=namespace)
    if kind == 2:
        return DeleteUser(id=version, user_id=user)
    return StoreCommand(id=version, user_id=user, namespace=namespace, key=key, value_json=str(kind))


_commands: Final = st.builds(_command, st.integers(0, 9), _versions, _users, _namespaces, _keys)


def message(*commands: AnyCommand, account: str = "a", body: bytes | None = None) -> StreamMessage:
    """A message of the log."""
    return StreamMessage(0, body or encode_message(commands), {}, account, None)


def parcels_of(*messages: StreamMessage) -> list[Parcel]:
    """What comes of them."""
    window = Window(_WORKERS)
    for one in messages:
        window.add(one)
    return window.parcels(_LIMIT_MS)


def store(at: int, key: str = "k", value: str = "x") -> StoreCommand:
    """A store at this version."""
    return StoreCommand(id=make_version(at, 0), user_id="u", namespace="a", key=key, value_json=value)


@given(st.lists(_commands, min_size=1, max_size=30))
async def test_a_sink_holds_the_same_as_by_all_commands(commands: list[AnyCommand]) -> None:
    """Rows, marks and digests: in whatever order the log has them."""
    async with MemorySink() as wanted, MemorySink() as found:
        await wanted.apply(commands, _NOW)
        for parcel in parcels_of(*map(message, commands)):
            await found.apply(decode_message(parcel.body).commands, _NOW)
        assert await found.digests() == await wanted.digests()


def test_what_is_superseded_is_left_out() -> None:
    """Whatever the order."""
    (parcel,) = parcels_of(message(store(1)), message(store(3), store(2)), message(store(1, "other")))
    assert parcel.versions == {store(3).id, store(1).id}
    assert len(decode_message(parcel.body).commands) == 2


def test_somebody_else_supersedes_nothing() -> None:
    """Who may have no right to it."""
    parcels = parcels_of(message(store(1), account="a"), message(store(2), account="b"))
    assert {(_account(parcel), *parcel.versions) for parcel in parcels} == {
        ("a", store(1).id),
        ("b", store(2).id),
    }


def test_a_version_from_the_future_supersedes_nothing() -> None:
    """It will be parked."""
    (parcel,) = parcels_of(message(store(1), store(_LIMIT_MS + 1)))
    assert parcel.versions == {store(1).id, store(_LIMIT_MS + 1).id}


def test_the_messages_keep_to_the_bounds_of_the_wire() -> None:
    """500 commands, 1 MiB."""
    many = parcels_of(*(message(store(1, f"k{n}")) for n in range(1200)))
    assert [len(parcel.versions) for parcel in many] == [1, 1, 1]
    assert [len(decode_message(parcel.body).commands) for parcel in many] == [500, 500, 200]
    large = parcels_of(*(message(store(1, f"k{n}", "x" * 400_000)) for n in range(5)))
    assert [len(decode_message(parcel.body).commands) for parcel in large] == [2, 2, 1]


def test_what_only_its_own_message_can_say_goes_as_it_came() -> None:
    """In canonical form it would be too large for a message."""
    numbers = ",".join(["1e15"] * 150_000)
    version = make_version(2, 2)
    command = f'{{"type":"store","id":"{version}","user_id":"u","key":"k","value":[{numbers}]}}'
    body = f'{{"schema":1,"commands":[{command}]}}'.encode()
    whole, small = parcels_of(message(body=body), message(store(1)))
    assert (whole.body, whole.versions) == (body, frozenset({version}))
    assert small.versions == {store(1).id}


def test_what_can_not_be_read_is_passed_over() -> None:
    """It was parked when it came."""
    assert parcels_of(message(body=b"no JSON")) == []


def test_a_workers_word_on_the_principal_is_believed() -> None:
    """And nobody else's."""
    fields: HeadersType = {"principal": "somebody"}
    told = [
        StreamMessage(0, encode_message([store(1)]), fields, account, None) for account in ("worker", "a")
    ]
    assert [_account(parcel) for parcel in parcels_of(*told)] == ["somebody", "a"]


def _account(parcel: Parcel) -> str | None:
    return None if parcel.principal is None else parcel.principal.account
