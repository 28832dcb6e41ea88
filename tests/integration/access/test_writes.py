"""Nobody writes or deletes what is another's, by any message that an account can publish."""

import json
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Final

import pytest

from memlane.client import AccessDenied, MemoryClient
from memlane.contracts.address import Address
from memlane.contracts.codec import MAX_COMMAND_BYTES
from memlane.contracts.command import AnyCommand
from memlane.contracts.headers import (
    ATTEMPT,
    DIRECT_REPLY_TO,
    ON_BEHALF_OF,
    ORIGIN_LANE,
    PRINCIPAL,
    REPAIR,
)
from memlane.contracts.instants import now
from memlane.contracts.topology import dead_queue
from memlane.storage.memory import FailingSink, MemorySink
from memlane.workers.sweeper import floor_at
from tests.integration.access.conftest import Hand, Ruled, StartRuled, url_of
from tests.support.broker import Parked, connected_broker
from tests.support.commands import (
    delete,
    delete_namespace,
    forget,
    message,
    raw_message,
    raw_store,
    store,
    version,
)
from tests.support.system import LANE
from tests.support.waiting import wait_until

FORGED: Final[dict[str, dict[str, Any]]] = {
    "nothing": {},
    "a principal": {PRINCIPAL: "alice"},
    "the workers' account as principal": {PRINCIPAL: "worker"},
    "a principal that is empty": {PRINCIPAL: ""},
    "on behalf of the owner": {ON_BEHALF_OF: "alice"},
    "on behalf of the workers": {ON_BEHALF_OF: "worker"},
    "both": {PRINCIPAL: "gateway", ON_BEHALF_OF: "alice"},
    "as from a retry queue": {PRINCIPAL: "alice", ATTEMPT: 1, ORIGIN_LANE: "memory"},
    "a repair": {PRINCIPAL: "alice", REPAIR: True},
    "an x-death": {PRINCIPAL: "alice", "x-death": [{"queue": "memlane.memory.retry.50ms.v1", "count": 1}]},
}


async def parked(ruled: Ruled, count: int) -> list[Parked]:
    """What is parked, once it is so much."""
    broker = ruled.system.broker
    await wait_until(lambda: broker.holds(dead_queue("memory"), count), f"{count} are parked")
    return await broker.parked("memory")


async def held(sink: MemorySink, user: str, key: str = "k", namespace: str = "default") -> str:
    """What the sink has at an address: `entry`, `gone` or `unknown`."""
    (found,) = await sink.fetch([Address(user, namespace, key)], now())
    return found.state


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("user_id", ["bob", None])
async def test_a_header_makes_nobody_another(
    ruled: Ruled, bob: Hand, forged: str, user_id: str | None
) -> None:
    """Whatever bob writes into it, and also where he leaves out who he is."""
    await ruled.sink.apply([store(user="alice", key="kept")], now())
    commands: list[AnyCommand] = [store(user="alice"), forget("alice"), delete("kept", user="alice")]
    await bob.publish(message(*commands), user_id=user_id, headers=FORGED[forged])
    found = await parked(ruled, 3)
    assert {one.error_class for one in found} == {"AccessDenied"}
    assert {one.headers[PRINCIPAL] for one in found} == {user_id or ""}
    stats = await ruled.sink.stats(None)
    assert (stats.live, stats.deleted, stats.refused, stats.marks) == (1, 0, 0, 0)


async def test_nobody_but_a_worker_brings_what_is_below_the_floor(ruled: Ruled, bob: Hand) -> None:
    """By calling it a repair, although he may write there. In the dead-letter queue it is none either."""
    await ruled.sink.sweep(now(), floor=floor_at(now(), timedelta(days=90)))
    old = store(user="bob", ahead=timedelta(days=-100))
    await bob.publish(message(old), user_id="bob", headers={REPAIR: True})
    (found,) = await parked(ruled, 1)
    assert found.error_class == "RefusedBySink"
    assert REPAIR not in found.headers
    assert (await ruled.sink.stats(None)).live == 0


async def test_without_an_account_nothing_is_written(ruled: Ruled, alice: Hand) -> None:
    """Not even one's own: nobody knows that it is."""
    await alice.publish(message(store(user="alice")))
    (found,) = await parked(ruled, 1)
    assert "without a verified account" in found.error_text
    assert "AMQP property user_id" in found.error_text
    assert (await ruled.sink.stats(None)).live == 0


async def test_of_a_mixed_message_ones_own_is_applied(ruled: Ruled, bob: Hand) -> None:
    """The rest is parked alone, each with who, what and where; the receipts say so."""
    mine, hers, shop = store(user="bob"), store(user="alice"), store(user="shop", namespace="profile/x")
    bad = raw_store(user_id="bob", key="")
    body = json.dumps(
        {
            "schema": 1,
            "commands": [json.loads(message(one))["commands"][0] for one in (mine, hers, shop)] + [bad],
        }
    ).encode()
    await bob.publish(body, user_id="bob", reply_to=DIRECT_REPLY_TO)
    told = {one["id"]: one for one in json.loads(await bob.next())["receipts"]}
    assert {one: told[one]["decision"] for one in told} == {
        mine.id: "applied",
        hers.id: "parked",
        shop.id: "applied",
        bad["id"]: "parked",
    }
    assert (
        "account 'bob' may not write the memory of 'alice' (namespace 'default')" in told[hers.id]["reason"]
    )
    found = {one.error_class: one for one in await parked(ruled, 2)}
    assert json.loads(found["AccessDenied"].body)["commands"] == json.loads(message(hers))["commands"]
    assert await held(ruled.sink, "alice") == "unknown"
    assert await held(ruled.sink, "bob") == "entry"


@pytest.mark.parametrize(
    "command",
    [
        store(user="shop", namespace="profileX"),
        store(user="shop", namespace="profile2/x"),
        store(user="shop"),
        store(user="shop", namespace="x/profile"),
        delete(user="shop", namespace="profilE"),
        delete_namespace("default", user="shop"),
        delete_namespace("profileX", user="shop"),
        forget("shop"),
        store(user="Bob"),
        store(user="bob "),
        store(user="bobby"),
        store(user="b"),
        store(user="bob", namespace="profile").model_copy(update={"user_id": "team-red"}),
        delete_namespace("profile", user="team-red"),
        store(user="*"),
        forget("*"),
    ],
)
async def test_no_trick_with_names_widens_a_right(ruled: Ruled, bob: Hand, command: AnyCommand) -> None:
    """Parts are compared whole, users whole; a scope must lie in the right as a whole."""
    await bob.publish(message(command), user_id="bob")
    (found,) = await parked(ruled, 1)
    assert found.error_class == "AccessDenied"
    assert (await ruled.sink.stats(None)).digest.count == 0


async def test_what_is_ones_own_is_written_and_deleted(ruled: Ruled, alice: Hand, bob: Hand) -> None:
    """By each account its own, also under a prefix and in a namespace of a user that is shared."""
    await alice.publish(
        message(store(user="alice"), store(user="team-red"), forget("team-blue")), user_id="alice"
    )
    await bob.publish(
        message(
            store(user="bob"),
            store(user="shop", namespace="profile"),
            delete_namespace("profile/x", user="shop"),
            delete(user="shop", namespace="profile", key="other"),
        ),
        user_id="bob",
    )
    await ruled.system.until_applied("memory", 7)
    for user, namespace in (
        ("alice", "default"),
        ("team-red", "default"),
        ("bob", "default"),
        ("shop", "profile"),
    ):
        assert await held(ruled.sink, user, namespace=namespace) == "entry"
    assert await ruled.system.broker.is_empty(dead_queue("memory"))


async def test_the_retry_path_keeps_whose_it_is(start_ruled: StartRuled, memory: MemorySink) -> None:
    """What a worker publishes again is neither the worker's nor whose its header said before."""
    failing = FailingSink(memory)
    ruled = await start_ruled(sink=failing, roles=[LANE])
    mine = store(user="bob")
    failing.poison(mine.id)
    async with ruled.hand("bob") as bob:
        await bob.publish(message(mine), user_id="bob", headers={PRINCIPAL: "alice", ON_BEHALF_OF: "alice"})
    (found,) = await parked(ruled, 1)
    assert (found.headers[PRINCIPAL], found.headers[ON_BEHALF_OF], found.attempts) == ("bob", "alice", 3)
    # Into the lane by a worker's hand again, with more in it than bob may: it is judged anew, as his.
    async with connected_broker(url_of(ruled.guest_url, "worker")) as worker:
        more = message(store(user="bob", key="again"), store(user="alice"))
        await worker.publish(
            more, exchange="", routing_key="memlane.memory.writes.v1", user_id="worker", headers=found.headers
        )
    (denied,) = await parked(ruled, 1)
    assert (denied.error_class, denied.headers[PRINCIPAL]) == ("AccessDenied", "bob")
    assert await held(memory, "bob", "again") == "entry"


async def test_what_had_no_account_does_not_gain_the_workers(ruled: Ruled, alice: Hand) -> None:
    """Neither by being parked nor by being sent again."""
    await alice.publish(message(store(user="alice")))
    (found,) = await parked(ruled, 1)
    async with connected_broker(url_of(ruled.guest_url, "worker")) as worker:
        await worker.publish(found.body, user_id="worker", headers=found.headers)
    assert [one.error_class for one in await parked(ruled, 1)] == ["AccessDenied"]


async def test_a_worker_writes_in_its_own_name_and_in_others(ruled: Ruled) -> None:
    """For repairs and replays: the header is believed from workers, and from them only."""
    async with connected_broker(url_of(ruled.guest_url, "worker")) as worker:
        await worker.publish(message(store(user="anybody")), user_id="worker")
        await worker.publish(message(store(user="alice")), user_id="worker", headers={PRINCIPAL: "alice"})
        await worker.publish(
            message(store(user="alice", key="x")), user_id="worker", headers={PRINCIPAL: "bob"}
        )
    (found,) = await parked(ruled, 1)
    assert found.headers[PRINCIPAL] == "bob"
    assert [await held(ruled.sink, user) for user in ("anybody", "alice")] == ["entry", "entry"]
    assert await held(ruled.sink, "alice", "x") == "unknown"


async def test_a_gateway_acts_for_others_and_no_further(ruled: Ruled) -> None:
    """Its rights are those that both have; for somebody without an account it has none."""
    async with ruled.hand("gateway") as gateway:
        for for_whom in ("alice", "bob", "stranger", "", 7):
            await gateway.publish(
                message(store(user="alice", key=f"by {for_whom}")),
                user_id="gateway",
                headers={ON_BEHALF_OF: for_whom},
            )
    found = await parked(ruled, 4)
    assert sorted(one.headers[ON_BEHALF_OF] for one in found) == ["", "", "bob", "stranger"]
    assert await held(ruled.sink, "alice", "by alice") == "entry"
    assert (await ruled.sink.stats(None)).digest.count == 1


async def test_versions_from_the_future_by_strangers_do_not_stop_a_lane(ruled: Ruled, bob: Hand) -> None:
    """What is denied says nothing about whose clock is wrong, whatever the clients call themselves."""
    for number in range(5):
        ahead = raw_message(raw_store(user_id="alice", id="7fffffff-ffff-7fff-bfff-ffffffffffff"))
        await bob.publish(ahead, user_id="bob", app_id=f"client {number}")
    await bob.publish(message(store(user="bob")), user_id="bob")
    await ruled.system.until_applied("memory", 1)
    assert {one.error_class for one in await parked(ruled, 5)} == {"AccessDenied"}


async def test_the_same_id_as_anothers_command_changes_nothing_of_it(ruled: Ruled, bob: Hand) -> None:
    """Neither at the other's address nor at one's own."""
    theirs = store(user="alice", value="hers")
    await ruled.sink.apply([theirs], now())
    same = theirs.model_copy(update={"value_json": '"zzz"'})
    own = theirs.model_copy(update={"user_id": "bob", "value_json": '"mine"'})
    await bob.publish(message(same, own), user_id="bob", reply_to=DIRECT_REPLY_TO)
    decisions = [one["decision"] for one in json.loads(await bob.next())["receipts"]]
    assert sorted(decisions) == ["applied", "parked"]
    (found,) = await ruled.sink.fetch([Address("alice", "default", "k")], now())
    assert found.entry is not None
    assert found.entry.value_json == '"hers"'


async def test_a_message_that_can_not_be_split_is_judged_whole_again(ruled: Ruled, bob: Hand) -> None:
    """A command that fills a message by itself, and is denied, is parked as it came."""
    value = "x" * (MAX_COMMAND_BYTES - 200)
    await bob.publish(message(store(user="alice", value=value)), user_id="bob")
    (found,) = await parked(ruled, 1)
    assert found.error_class == "AccessDenied"
    assert await held(ruled.sink, "alice") == "unknown"


async def test_our_client_says_what_was_denied(ruled: Ruled, exits: AsyncExitStack) -> None:
    """In the receipt: the lanes decide, after the broker has confirmed."""
    client: MemoryClient = await exits.enter_async_context(ruled.client("bob"))
    receipt = await client.store("alice", "k", 1, wait="all")
    said = receipt.sinks["memory"]
    assert said is not None
    assert said.decision == "parked"
    assert "may not write the memory of 'alice'" in (said.reason or "")
    assert (await client.store("bob", "k", 1, wait="all")).applied == {"memory"}
    with pytest.raises(AccessDenied, match="may not read the memory of 'alice'"):
        await client.get("alice", "k")


async def test_without_rules_nothing_changes(start_ruled: StartRuled) -> None:
    """Everybody may do everything, as before there were any."""
    ruled = await start_ruled(access_rules=None)
    async with ruled.hand("stranger") as stranger:
        await stranger.publish(message(store(user="alice")))
        await stranger.publish(
            raw_message(raw_store(id=version(), user_id="alice", key="x")), user_id="stranger"
        )
        await ruled.system.until_applied("memory", 2)
        (answer,) = await stranger.ask({"type": "get", "user_id": "alice", "key": "k"})
        assert answer["state"] == "entry"
