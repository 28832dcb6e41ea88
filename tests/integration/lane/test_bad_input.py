"""What can't be taken is parked with the reason; everything else is applied, and the lane goes on."""

import json
from datetime import timedelta
from typing import Any, Final

from memlane.contracts.limits import MAX_MESSAGE_BYTES
from memlane.contracts.topology import dead_queue
from memlane.storage.memory import MemorySink
from tests.integration.conftest import StartSystem
from tests.support.commands import message, raw_message, raw_store, store, version
from tests.support.system import LANE
from tests.support.waiting import wait_until

GOOD: Final = raw_store(key="good")

MALFORMED: Final[dict[str, tuple[bytes, str]]] = {
    "nothing": (b"", "not JSON"),
    "no JSON": (b'{"schema":1,', "not JSON"),
    "bytes of a picture": (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", "not UTF-8"),
    "UTF-16": ('{"schema":1}'.encode("utf-16"), "not UTF-8"),
    "a list": (b"[]", "must be a JSON object"),
    "a number": (b"1", "must be a JSON object"),
    "null": (b"null", "must be a JSON object"),
    "no schema": (json.dumps({"commands": [GOOD]}).encode(), "unknown schema"),
    "another schema": (json.dumps({"schema": 2, "commands": [GOOD]}).encode(), "unknown schema '2'"),
    "a schema as text": (json.dumps({"schema": "1", "commands": [GOOD]}).encode(), "unknown schema"),
    "a schema that is true": (json.dumps({"schema": True, "commands": [GOOD]}).encode(), "unknown schema"),
    "a field too many": (json.dumps({"schema": 1, "commands": [GOOD], "x": 1}).encode(), "unknown field"),
    "a field twice": (b'{"schema":1,"schema":1,"commands":[{}]}', "twice"),
    "no commands": (b'{"schema":1}', "must be a list"),
    "an empty list": (b'{"schema":1,"commands":[]}', "1 to 500"),
    "an object of commands": (b'{"schema":1,"commands":{"0":{}}}', "must be a list"),
    "501 commands": (raw_message(*[GOOD] * 501), "501 of them"),
    "more than 1 MiB": (raw_message(raw_store(value="x" * MAX_MESSAGE_BYTES)), "at most 1,048,576"),
    "a deep tower": (b"[" * 200_000, "nested deeper"),
}

BAD: Final[dict[str, tuple[Any, str]]] = {
    "no object": (7, "valid dictionary"),
    "no type": ({"id": version(), "user_id": "u", "key": "k"}, "type: field required"),
    "an unknown type": (raw_store(type="merge"), "type: unknown"),
    "an unknown scope": (raw_store(type="delete", scope="everything"), "scope: unknown"),
    "a delete without a scope": (
        {"type": "delete", "id": version(), "user_id": "u"},
        "scope: field required",
    ),
    "a namespace delete without one": (
        {"type": "delete", "scope": "namespace", "id": version(), "user_id": "u"},
        "namespace: field required",
    ),
    "no user": ({"type": "store", "id": version(), "key": "k", "value": 1}, "user_id: field required"),
    "no value": ({"type": "store", "id": version(), "user_id": "u", "key": "k"}, "value: field required"),
    "an empty key": (raw_store(key=""), "key: "),
    "a long key": (raw_store(key="k" * 256), "key: string should have at most 255 characters"),
    "a long user": (raw_store(user_id="u" * 256), "user_id: string should have at most 255 characters"),
    "a control character": (raw_store(key="a\nb"), "key: does not follow the rule"),
    "an empty part": (raw_store(namespace="a//b"), "namespace: does not follow the rule"),
    "17 parts": (raw_store(namespace="/".join("a" * 17)), "namespace: does not follow the rule"),
    "a number as key": (raw_store(key=7), "key: "),
    "text as importance": (raw_store(importance="5"), "importance: "),
    "importance 11": (raw_store(importance=11), "importance: "),
    "101 tags": (raw_store(tags=[f"t{n}" for n in range(101)]), "tags: "),
    "a tag as text": (raw_store(tags="one"), "tags: "),
    "a list as metadata": (raw_store(metadata=[]), "metadata: must be an object"),
    "a naive datetime": (raw_store(created_at="2026-01-31T08:30:00"), "created_at: "),
    "a datetime as number": (raw_store(expires_at=1_700_000_000), "expires_at: "),
    "a version of another kind": (raw_store(id="01890a5d-ac96-474b-bcce-b302099a8057"), "id: "),
    "a version in upper case": (raw_store(id=version().upper()), "id: "),
    "a field too many": (raw_store(ttl=5), "ttl: "),
    "Python's name of a field": ({**raw_store(), "value_json": 1}, "value_json: "),
    "a lone surrogate in the value": (raw_store(value=["\ud800"]), "value.0: a lone surrogate"),
    "a lone surrogate in the key": (raw_store(key="\ud800"), "key: "),
    "NaN": (raw_store(value={"a": float("nan")}), "value.a: NaN"),
    "infinity": (raw_store(value=float("inf")), "value: Infinity"),
    "a value too deep": (raw_store(value=json.loads("[" * 65 + "]" * 65)), "nested deeper than 64"),
    "a version from the future": (raw_store(id=version(timedelta(hours=6))), "ahead of this worker"),
}


async def test_a_malformed_message_is_parked_whole(start_system: StartSystem, memory: MemorySink) -> None:
    """As it came, with what is wrong about it; the next message is applied as if nothing had been."""
    system = await start_system(memory, roles=[LANE])
    for body, _ in MALFORMED.values():
        await system.broker.publish(body)
    await system.broker.publish(message(store("next")))
    await system.until_applied("memory", 1)
    parked = {one.body: one for one in await system.broker.parked("memory")}
    told = {name: parked[body].error_text for name, (body, _) in MALFORMED.items()}
    assert {name: text for name, (_, text) in MALFORMED.items() if text not in told[name]} == {}, told
    assert {one.error_class for one in parked.values()} == {"MalformedMessage"}
    assert len(parked) == len(MALFORMED)
    assert (await memory.stats(None)).live == 1


async def test_a_bad_command_is_parked_alone(start_system: StartSystem, memory: MemorySink) -> None:
    """With the field and what is wrong; the good commands of the same message are applied."""
    system = await start_system(memory, roles=[LANE])
    for number, (command, _) in enumerate(BAD.values()):
        await system.broker.publish(
            raw_message(raw_store(key=f"before-{number}"), command, raw_store(key=f"after-{number}"))
        )
    await system.until_applied("memory", 2 * len(BAD))
    await wait_until(lambda: system.broker.holds(dead_queue("memory"), len(BAD)), "all of them are parked")
    parked = await system.broker.parked("memory")
    told = dict(zip(BAD, (one.error_text for one in parked), strict=True))
    assert {name: text for name, (_, text) in BAD.items() if text not in told[name]} == {}, told
    assert (await memory.stats("u")).live == 2 * len(BAD)


async def test_what_is_parked_can_be_read_again(start_system: StartSystem, memory: MemorySink) -> None:
    """A bad command stands in an envelope of its own, exactly as it was sent."""
    system = await start_system(memory, roles=[LANE])
    bad = raw_store(key="", value={"text": "naïve 🙂", "list": [1, 2.5, None]})
    await system.broker.publish(raw_message(raw_store(), bad))
    await system.until_applied("memory", 1)
    (parked,) = await system.broker.parked("memory")
    assert json.loads(parked.body) == {"schema": 1, "commands": [bad]}
    assert parked.headers["origin-lane"] == "memory"


async def test_what_json_can_not_say_again_is_parked_with_its_message_once(
    start_system: StartSystem, memory: MemorySink
) -> None:
    """A hundred commands with NaN or a key twice do not become a hundred copies of a large message."""
    system = await start_system(memory, roles=[LANE])
    nan = [raw_store(value=float("nan")) for _ in range(99)]
    twice = b'{"type":"store","user_id":"u","user_id":"v"}'
    body = raw_message(raw_store(), *nan, "TWICE").replace(b'"TWICE"', twice)
    await system.broker.publish(body)
    await system.until_applied("memory", 1)
    parked = await system.broker.parked("memory")
    assert [one.body for one in parked] == [body]
    assert "NaN" in parked[0].error_text


async def test_an_overflowing_number_is_no_number(start_system: StartSystem, memory: MemorySink) -> None:
    """1e999 reads as infinite; what is parked of it is still JSON."""
    system = await start_system(memory, roles=[LANE])
    body = raw_message(raw_store(), raw_store(value="HUGE")).replace(b'"HUGE"', b"1e999")
    await system.broker.publish(body)
    await system.until_applied("memory", 1)
    (parked,) = await system.broker.parked("memory")
    assert b"Infinity" not in parked.body
    assert "value" in parked.error_text


async def test_arbitrary_bytes_do_no_harm(start_system: StartSystem, memory: MemorySink) -> None:
    """A valid message cut short at any place, or with any byte changed, is parked, or is still valid."""
    system = await start_system(memory, roles=[LANE])
    body = message(store("victim"))
    damaged = [body[:end] for end in range(0, len(body), 7)]
    damaged += [
        body[:at] + bytes([byte]) + body[at + 1 :] for at in range(0, len(body), 11) for byte in (0, 34, 255)
    ]
    for one in damaged:
        await system.broker.publish(one)
    await system.broker.publish(message(store("next", user="valid")))
    await wait_until(lambda: _has(memory, "valid"), "the valid message is applied")

    async def all_are_decided() -> bool:
        parked = (await system.broker.depth(dead_queue("memory"))).messages
        return parked + system.lane.applied == len(damaged) + 1

    await wait_until(all_are_decided, "each is applied or parked, once")


async def _has(sink: MemorySink, user: str) -> bool:
    return (await sink.stats(user)).live == 1
