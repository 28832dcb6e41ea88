"""Reading a message never raises, whatever is in it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiormq import spec
from aiormq.abc import DeliveredMessage
from hypothesis import example, given
from hypothesis import strategies as st
from pamqp.header import ContentHeader

from memlane.contracts import headers
from memlane.contracts.errors import MalformedMessage, VersionFromFuture
from memlane.workers.lane.delivery import MAX_ATTEMPTS, Delivery, newest_allowed, read_delivery
from tests.support.commands import message, raw_message, raw_store, store

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4)
    ),
    max_leaves=12,
)

commands = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["store", "delete", "merge"]) | json_values,
        "scope": st.sampled_from(["address", "namespace", "user"]) | json_values,
        "id": st.just("01890a5d-ac96-774b-bcce-b302099a8057") | json_values,
        "user_id": st.just("u") | json_values,
        "key": st.just("k") | json_values,
        "namespace": st.just("a/b") | json_values,
        "value": json_values,
        "tags": json_values,
        "metadata": json_values,
        "created_at": st.just("2026-01-31T08:30:00Z") | json_values,
        "expires_at": json_values,
    },
)


# Any: properties as AMQP has them, right or wrong.
def delivered(body: bytes, **properties: Any) -> DeliveredMessage:
    """A message as the driver hands it over."""
    header = ContentHeader(body_size=len(body), properties=spec.Basic.Properties(**properties))
    channel: Any = None
    return DeliveredMessage(
        delivery=spec.Basic.Deliver(delivery_tag=7), header=header, body=body, channel=channel
    )


def read(body: bytes, **properties: Any) -> Delivery:
    """What a message says now."""
    return read_delivery(delivered(body, **properties), newest_allowed(datetime.now(UTC)))


@given(st.binary())
@example(b"")
@example(b"[" * 100_000)
@example(b'{"schema":1,"commands":[' + b"[" * 990 + b"]" * 990 + b"]}")
@example(b'{"schema":1,"commands":[' + b'{"a":' * 400 + b"1" + b"}" * 400 + b"]}")
@example(b"1" * 5000)
def test_any_bytes_are_read(body: bytes) -> None:
    """As a malformed message, where they are none."""
    delivery = read(body)
    assert delivery.malformed is None or isinstance(delivery.malformed, MalformedMessage)
    assert delivery.body == body


@given(st.lists(commands | json_values, min_size=1, max_size=4))
def test_any_commands_are_read(raw: list[Any]) -> None:
    """Each is good, or bad for a reason."""
    delivery = read(raw_message(*raw))
    assert len(delivery.commands) + len(delivery.bad) == len(raw)
    assert all(str(bad.error) and bad.error.field for bad in delivery.bad)


@given(json_values)
def test_any_envelope_is_read(raw: object) -> None:
    """However little it is one."""
    assert read(json.dumps(raw).encode()).commands == []


def test_a_good_message_is_its_commands() -> None:
    """In their order."""
    sent = [store("a"), store("b", {"x": [1.5, None, "naïve"]})]
    delivery = read(message(*sent))
    assert (delivery.commands, delivery.bad, delivery.malformed) == (sent, [], None)


def test_a_bad_command_does_not_take_the_others_along() -> None:
    """It is told by its place, with its field."""
    delivery = read(raw_message(raw_store(), raw_store(key=""), raw_store()))
    assert len(delivery.commands) == 2
    assert [(bad.index, bad.error.field) for bad in delivery.bad] == [(1, "commands.1.key")]


def test_a_version_from_the_future_is_bad() -> None:
    """More than five minutes ahead of this worker; exactly five are allowed."""
    allowed, ahead = timedelta(minutes=4, seconds=58), timedelta(minutes=5, seconds=2)
    delivery = read(message(store(ahead=allowed), store(ahead=ahead)))
    assert len(delivery.commands) == 1
    assert [type(bad.error) for bad in delivery.bad] == [VersionFromFuture]


@pytest.mark.parametrize(
    ("said", "counts"),
    [(None, 0), (0, 0), (2, 2), (-1, 0), (2**40, 0), ("2", 0), (2.0, 0), (MAX_ATTEMPTS, MAX_ATTEMPTS)],
)
def test_an_attempt_counts_where_a_lane_can_have_written_it(said: object, counts: int) -> None:
    """Anything else counts as none."""
    fields = {} if said is None else {headers.ATTEMPT: said}
    assert read(b"", headers=fields).attempt == counts


@pytest.mark.parametrize(
    ("address", "is_taken"),
    [
        (None, False),
        ("", False),
        ("queue", False),
        ("amq.rabbitmq.reply-to", False),
        ("amq.rabbitmq.reply-to.g1h.key", True),
    ],
)
def test_only_a_direct_reply_address_is_one(address: str | None, is_taken: bool) -> None:
    """Anything else would be a way to write into queues."""
    assert (read(b"", reply_to=address).reply_to == address) == (is_taken or address is None)


def test_clients_of_one_account_are_different_producers() -> None:
    """Told apart by what they call themselves."""
    names = {read(b"", user_id="bot", app_id=app).producer for app in ("a", "b", None)}
    assert len(names) == 3
