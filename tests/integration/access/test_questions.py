"""Nobody reads, lists, searches or counts what is another's, by any question that an account can ask."""

import asyncio
import json
from contextlib import AsyncExitStack, suppress
from typing import Any, Final
from uuid import uuid4

import pytest

from memlane.client import AccessDenied
from memlane.contracts.headers import DIRECT_REPLY_TO, ON_BEHALF_OF, PRINCIPAL
from memlane.contracts.instants import now
from memlane.contracts.topology import QUERIES
from memlane.storage.memory import MemorySink
from tests.integration.access.conftest import Hand, Ruled
from tests.support.broker import Broker
from tests.support.commands import delete, message, store, version
from tests.support.waiting import wait_until

SECRET: Final = "the orchid blooms at midnight"
FOREIGN: Final[dict[str, dict[str, Any]]] = {
    "get": {"type": "get", "user_id": "alice", "key": "secret"},
    "get of what is gone": {"type": "get", "user_id": "alice", "key": "gone"},
    "get of what is not there": {"type": "get", "user_id": "alice", "key": "nothing"},
    "get in a namespace": {"type": "get", "user_id": "alice", "namespace": "a/b", "key": "deep"},
    "get with a version": {"type": "get", "user_id": "alice", "key": "secret", "min_version": version()},
    "list": {"type": "list", "user_id": "alice"},
    "list of nobody": {"type": "list", "user_id": "nobody"},
    "list in a namespace": {"type": "list", "user_id": "alice", "namespace": "a"},
    "list behind a cursor": {
        "type": "list",
        "user_id": "alice",
        "cursor": {"version": "7fffffff-ffff-7fff-bfff-ffffffffffff", "namespace": "a", "key": "k"},
    },
    "search": {"type": "search", "user_id": "alice", "text": "orchid"},
    "search for everything": {"type": "search", "user_id": "alice"},
    "stats": {"type": "stats", "user_id": "alice"},
    "list of all that is shared": {"type": "list", "user_id": "shop"},
    "search beside what is shared": {
        "type": "search",
        "user_id": "shop",
        "text": "x",
        "namespace": "profileX",
    },
    "get beside what is shared": {"type": "get", "user_id": "shop", "key": "hidden"},
    "stats of what is shared in part": {"type": "stats", "user_id": "shop"},
    "list of a pattern": {"type": "list", "user_id": "*"},
}


@pytest.fixture(autouse=True)
async def _held(memory: MemorySink, ruled: Ruled) -> None:  # noqa: ARG001  # the sink is open then
    await memory.apply(
        [
            store(user="alice", key="secret", value=SECRET),
            store(user="alice", key="deep", value=SECRET, namespace="a/b"),
            store(user="alice", key="gone", value=SECRET),
            store(user="bob", key="mine", value="bob's"),
            store(user="shop", key="hidden", value=SECRET),
            store(user="shop", key="x", value=SECRET, namespace="profileX"),
            store(user="shop", key="open", value="for all", namespace="profile"),
        ],
        now(),
    )
    await memory.apply([delete("gone", user="alice")], now())


@pytest.mark.parametrize(
    "forged",
    [
        {"user_id": "bob"},
        {},
        {"user_id": "bob", "headers": {PRINCIPAL: "alice"}},
        {"headers": {PRINCIPAL: "worker"}},
        {"user_id": "bob", "headers": {ON_BEHALF_OF: "alice"}},
        {"headers": {PRINCIPAL: "gateway", ON_BEHALF_OF: "alice"}},
    ],
    ids=str,
)
async def test_whatever_is_asked_about_others_is_refused(bob: Hand, forged: dict[str, Any]) -> None:
    """Each by itself and all together, with the same words whether there is something or not."""
    answers = [(await bob.ask(question, **forged))[0] for question in FOREIGN.values()]
    answers += await bob.ask(*FOREIGN.values(), **forged)
    answers += [(await bob.ask(FOREIGN["get"], FOREIGN["get"], **forged))[0]]
    assert {(one["type"], one["kind"]) for one in answers} == {("refused", "denied")}
    gets = [one["problem"] for one in answers[:3]]
    assert len(set(gets)) == 1
    assert SECRET not in json.dumps(answers)


async def test_of_mixed_questions_ones_own_are_answered(bob: Hand) -> None:
    """Each in its place: the reply has as many answers as there were questions."""
    own = {"type": "get", "user_id": "bob", "key": "mine"}
    shared = {"type": "list", "user_id": "shop", "namespace": "profile"}
    asked = [FOREIGN["get"], own, FOREIGN["list"], shared, {"type": "stats"}, FOREIGN["search"], own]
    answers = await bob.ask(*asked, user_id="bob")
    assert [one["type"] for one in answers] == [
        "refused",
        "get",
        "refused",
        "page",
        "stats",
        "refused",
        "get",
    ]
    assert answers[0]["field"] == "questions.0.user_id"
    assert answers[1]["entry"]["value"] == "bob's"
    assert [hit["entry"]["key"] for hit in answers[3]["hits"]] == ["open"]
    assert SECRET not in json.dumps(answers)


async def test_own_answers_say_nothing_about_others(ruled: Ruled, bob: Hand) -> None:
    """The same digits, cursors and pages whether the others have something or nothing."""

    async def all_answers() -> list[Any]:
        questions = [
            {"type": "stats"},
            {"type": "stats", "user_id": "bob"},
            {"type": "list", "user_id": "bob", "limit": 1},
            {"type": "search", "user_id": "bob", "text": "orchid bob"},
            {"type": "list", "user_id": "shop", "namespace": "profile", "limit": 1},
        ]
        answers = await bob.ask(*questions, user_id="bob")
        for answer in answers:
            for report in answer["sinks"].values():
                report.pop("ms")
        return answers

    before = await all_answers()
    assert before[0]["sinks"]["memory"] == {"status": "ok", "hits": 0, "reason": None, "stats": None}
    stats = before[1]["sinks"]["memory"]["stats"]
    assert (stats["live"], stats["changes"], stats["bytes"]) == (1, 0, None)
    more = [store(user="alice", key=f"k{n}", value="orchid bob") for n in range(50)]
    await ruled.sink.apply([*more, store(user="shop", key="z", namespace="profile2")], now())
    assert await all_answers() == before


async def test_who_may_read_everything_sees_the_numbers(ruled: Ruled, exits: AsyncExitStack) -> None:
    """The gateway's own account may, here; on behalf of bob it may not."""
    gateway = await exits.enter_async_context(ruled.hand("gateway"))
    (answer,) = await gateway.ask({"type": "stats"}, user_id="gateway")
    assert answer["sinks"]["memory"]["stats"]["live"] == 6
    (answer,) = await gateway.ask({"type": "stats"}, user_id="gateway", headers={ON_BEHALF_OF: "bob"})
    assert answer["sinks"]["memory"]["stats"] is None
    for for_whom, kind in (("alice", "get"), ("bob", "refused"), ("", "refused"), ("stranger", "refused")):
        (answer,) = await gateway.ask(FOREIGN["get"], user_id="gateway", headers={ON_BEHALF_OF: for_whom})
        assert answer["type"] == kind


async def test_a_stranger_learns_that_the_sinks_are_well_and_no_more(ruled: Ruled) -> None:
    """An account without any rule; one that is not verified does not even learn that."""
    async with ruled.hand("stranger") as stranger:
        (answer,) = await stranger.ask({"type": "stats"}, user_id="stranger")
        assert answer["sinks"]["memory"]["stats"] is None
        (answer,) = await stranger.ask({"type": "stats"})
        assert answer["kind"] == "denied"


async def test_an_answer_goes_to_no_queue(bob: Hand, broker: Broker) -> None:
    """A reply address that is a queue, or something near a reply address, is dropped."""
    await broker.channel.queue_declare("mine")
    for address in ("mine", "", "amq.rabbitmq.reply-t", "memlane.memory.writes.v1", None):
        await bob.send_questions(
            {"type": "get", "user_id": "bob", "key": "mine"}, user_id="bob", reply_to=address
        )
    (answer,) = await bob.ask({"type": "get", "user_id": "bob", "key": "mine"}, user_id="bob")
    assert answer["state"] == "entry"
    assert await broker.is_empty("mine")
    assert await broker.is_empty("memlane.memory.dead.v1")
    assert bob.heard == []
    await broker.channel.queue_delete("mine")


async def test_answers_can_not_be_drawn_from_another(ruled: Ruled, alice: Hand, bob: Hand) -> None:
    """Who asks with another's reply address has the other hear what the asker may read, and hears nothing."""
    guessed = "amq.rabbitmq.reply-to.g1h0AAAA.key"
    await bob.send_questions(FOREIGN["get"], user_id="bob", reply_to=guessed)
    await bob.publish(message(store(user="alice")), user_id="bob", reply_to=guessed)
    # A crafted address costs the workers' connection for replies, and what was on its way by it.
    for hand, name in ((alice, "alice"), (bob, "bob")):
        own = {"type": "get", "user_id": name, "key": "mine"}

        async def is_answered(hand: Hand = hand, own: dict[str, Any] = own, name: str = name) -> bool:
            await hand.send_questions(own, user_id=name, reply_to=DIRECT_REPLY_TO)
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await hand.next()
                    return True
            return False

        await wait_until(is_answered, f"{name} is answered again")
    assert all(b"refused" not in message.body for hand in (alice, bob) for message in hand.heard)
    assert all(role.state.ready for role in ruled.system.roles)


async def test_receipts_go_to_who_sent_the_command(alice: Hand, bob: Hand) -> None:
    """A foreign command's receipt says only what its own message got."""
    command = store(user="alice", key="new")
    await alice.publish(message(command), user_id="alice", reply_to=DIRECT_REPLY_TO)
    assert json.loads(await alice.next())["receipts"][0]["decision"] == "applied"
    await bob.publish(message(command), user_id="bob", reply_to=DIRECT_REPLY_TO)
    (told,) = json.loads(await bob.next())["receipts"]
    assert told["decision"] == "parked"
    assert told.keys() == {"id", "decision", "reason"}
    unknown = command.model_copy(update={"id": version(), "key": "other"})
    await bob.publish(message(unknown), user_id="bob", reply_to=DIRECT_REPLY_TO)
    (same,) = json.loads(await bob.next())["receipts"]
    assert same["reason"] == told["reason"]


async def test_malformed_questions_say_nothing(bob: Hand) -> None:
    """They are refused for what they are, before anybody is asked."""
    for body in (b"", b"{", json.dumps({"schema": 1, "questions": [{**FOREIGN["get"], "x": 1}]}).encode()):
        await bob.publish(
            body, exchange=QUERIES, user_id="bob", reply_to=DIRECT_REPLY_TO, correlation_id=uuid4().hex
        )
        (answer,) = await bob.answers()
        assert (answer["type"], answer.get("kind")) == ("refused", None)


async def test_our_client_raises_for_what_it_may_not_ask(ruled: Ruled, exits: AsyncExitStack) -> None:
    """And only for that: gets that went out in the same message are answered."""
    client = await exits.enter_async_context(ruled.client("bob"))
    for asking in (client.get("alice", "secret"), client.list("alice"), client.search("alice", "x")):
        with pytest.raises(
            AccessDenied, match=r"'bob' may not read the memory of 'alice'.*MEMLANE_ACCESS_RULES"
        ):
            await asking
    with pytest.raises(AccessDenied):
        await client.stats("alice")
    with pytest.raises(AccessDenied):
        await client.list("shop")
    assert len((await client.list("shop", namespace="profile")).hits) == 1
    assert (await client.health()).healthy
    found = await client.get_many("bob", ["mine", "nothing"])
    assert (found["mine"] is not None, found["nothing"]) == (True, None)
