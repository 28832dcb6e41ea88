"""What the wire does not allow is refused before anything is sent, by the name of the field and its limit."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from memlane.client import Address, Cursor, Filters, InvalidInput, MemoryClient
from memlane.contracts.topology import lane_queue
from memlane.storage.memory import FailingSink
from tests.integration.conftest import StartSystem
from tests.support.commands import version
from tests.support.system import System

Call = Callable[[MemoryClient], Awaitable[Any]]

LONG: Final = "x" * 256
NAIVE: Final = datetime(2026, 1, 31)  # noqa: DTZ001
SOON: Final = datetime(2126, 1, 31, tzinfo=UTC)


def storing(**fields: Any) -> Call:
    """A store with these arguments."""
    arguments: dict[str, Any] = {"user_id": "u", "key": "k", "value": 1, **fields}
    return lambda client: client.store(**arguments)


def deep(levels: int) -> Any:
    """Lists in lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


BAD: Final[dict[str, tuple[Call, str]]] = {
    "an empty user": (storing(user_id=""), r"^user_id: .*at least 1 character"),
    "a long user": (storing(user_id=LONG), r"^user_id: .*at most 255 characters"),
    "a number as user": (storing(user_id=7), r"^user_id: .*valid string"),
    "no user": (storing(user_id=None), r"^user_id: .*valid string"),
    "a long key": (storing(key=LONG), r"^key: .*at most 255 characters"),
    "a line end in the key": (storing(key="a\nb"), r"^key: .*no control characters"),
    "half a character in the key": (storing(key="\ud800"), r"^key: .*surrogate|^key: .*unicode"),
    "an empty part": (storing(namespace="a//b"), r"^namespace: .*single slashes"),
    "17 parts": (storing(namespace="/".join("a" * 17)), r"^namespace: .*1 to 16 parts"),
    "a set": (storing(value={1, 2}), r"^value: set is not a JSON type"),
    "bytes inside": (storing(value={"a": [b"x"]}), r"^value\.a\.0: bytes is not a JSON type"),
    "NaN": (storing(value={"a": float("nan")}), r"^value\.a: NaN and infinite"),
    "infinity": (storing(value=float("inf")), r"^value: NaN and infinite"),
    "half a character": (storing(value=["ok", "\udfff"]), r"^value\.1: a lone surrogate"),
    "a number as a name": (storing(value={1: 2}), r"^value: the key 1 is not text"),
    "65 levels": (storing(value=deep(65)), r"^value\S*: nested deeper than 64 levels"),
    "4,001 digits": (storing(value=10**4000), r"^value: .*at most 4000 digits"),
    "more than 1 MiB": (storing(value="x" * 1024 * 1024), r"^value: .*at most 1,048,576"),
    "101 tags": (storing(tags=[f"t{n}" for n in range(101)]), r"^tags: .*at most 100"),
    "a tag as text": (storing(tags="one"), r"^tags: .*tuple"),
    "a long tag": (storing(tags=["a", LONG]), r"^tags\.1: .*at most 255 characters"),
    "importance 0": (storing(importance=0), r"^importance: .*greater than or equal to 1"),
    "importance 11": (storing(importance=11), r"^importance: .*less than or equal to 10"),
    "importance as text": (storing(importance="5"), r"^importance: .*valid integer"),
    "importance true": (storing(importance=True), r"^importance: .*valid integer"),
    "an empty session": (storing(session_id=""), r"^session_id: .*at least 1 character"),
    "a long project": (storing(project_id=LONG), r"^project_id: .*at most 255"),
    "metadata as list": (storing(metadata=["a"]), r"^metadata: must be an object"),
    "NaN in metadata": (storing(metadata={"a": float("nan")}), r"^metadata\.a: NaN"),
    "created naively": (storing(created_at=NAIVE), r"^created_at: .*timezone.* \(add an offset"),
    "expires naively": (storing(expires_at=NAIVE), r"^expires_at: .*timezone.* \(add an offset"),
    "created as text": (storing(created_at="yesterday"), r"^created_at: .*RFC 3339"),
    "ttl zero": (storing(ttl=timedelta(0)), r"^ttl: .*not positive"),
    "ttl negative": (storing(ttl=-timedelta(days=1)), r"^ttl: .*not positive"),
    "ttl for ever": (storing(ttl=timedelta.max), r"^ttl: .*year 9999"),
    "both": (storing(ttl=timedelta(1), expires_at=SOON), r"^ttl: .*together with expires_at"),
    "one of many": (
        lambda client: client.store_many("u", {"good": 1, "bad": float("nan")}),
        r"^value: NaN",
    ),
    "a large one of many": (
        lambda client: client.store_many("u", {"good": 1, "bad": "x" * 1024 * 1024}),
        r"^value: .*at most 1,048,576",
    ),
    "a number among many": (lambda client: client.store_many("u", {1: 1}), r"^key: "),  # type: ignore[dict-item]
    "deleting nothing": (lambda client: client.delete("u", ""), r"^key: "),
    "deleting no namespace": (lambda client: client.delete_namespace("u", ""), r"^namespace: "),
    "a pattern as namespace": (lambda client: client.delete_namespace("u", "a/"), r"^namespace: "),
    "forgetting nobody": (lambda client: client.forget(""), r"^user_id: "),
    "getting nothing": (lambda client: client.get("u", ""), r"^key: "),
    "getting from nobody": (lambda client: client.get("", "k"), r"^user_id: "),
    "an odd consistency": (
        lambda client: client.get("u", "k", consistency="most"),  # type: ignore[arg-type]
        r"^consistency: .*first.*all",
    ),
    "an address of numbers": (
        lambda client: client.get_answer(Address("u", "default", 7)),  # type: ignore[arg-type]
        r"^key: ",
    ),
    "one of many gets": (lambda client: client.get_many("u", ["a", ""]), r"^key: "),
    "501 entries": (lambda client: client.list("u", limit=501), r"^limit: .*500"),
    "no entries": (lambda client: client.list("u", limit=0), r"^limit: .*1"),
    "an odd order": (
        lambda client: client.list("u", order="best"),  # type: ignore[arg-type]
        r"^order: ",
    ),
    "a cursor as text": (
        lambda client: client.list("u", cursor="abc"),  # type: ignore[arg-type]
        r"^cursor: ",
    ),
    "a long text": (lambda client: client.search("u", "x" * 2001), r"^text: .*at most 2000"),
    "NUL": (lambda client: client.search("u", "a\x00"), r"^text: .*NUL"),
    "filters as dict": (
        lambda client: client.search("u", filters={"tags_any": 7}),  # type: ignore[arg-type]
        r"^filters",
    ),
    "stats of nobody": (lambda client: client.stats(""), r"^user_id: "),
}


@pytest.fixture
async def quiet(start_system: StartSystem, first: FailingSink) -> System:
    """Queues, and nobody who takes from them."""
    return await start_system(first, roles=[])


async def test_bad_input_is_refused_before_anything_is_sent(quiet: System) -> None:
    """Each by the name of its argument, with the limit."""
    told: dict[str, str] = {}
    async with quiet.client(deadline="PT0.3S") as client:
        for name, (call, _) in BAD.items():
            try:
                await call(client)
            except Exception as error:  # noqa: BLE001
                told[name] = f"{type(error).__name__}: {error}"

    wrong = {
        name: told.get(name, "nothing was raised")
        for name, (_, pattern) in BAD.items()
        if not re.search(pattern, told.get(name, "").removeprefix("InvalidInput: "))
    }
    assert wrong == {}
    assert {text.split(":")[0] for text in told.values()} == {"InvalidInput"}
    assert await quiet.broker.is_empty(lane_queue("first"))


async def test_a_value_that_loops_is_refused(quiet: System) -> None:
    """It is nested deeper than anything may be."""
    value: list[Any] = []
    value.append(value)
    async with quiet.client() as client:
        with pytest.raises(InvalidInput, match="nested deeper"):
            await client.store("u", "k", value)


def test_filters_and_cursors_refuse_what_the_wire_does_not_allow() -> None:
    """When they are made."""
    for make in (
        lambda: Filters(importance_min=0),
        lambda: Filters(created_from=NAIVE),
        lambda: Filters(tags_any=("",)),
        lambda: Cursor(version="7", namespace="a", key="b"),
        lambda: Cursor(version=version(), namespace="", key="b"),
    ):
        with pytest.raises(ValueError):  # noqa: PT011
            make()


@pytest.mark.parametrize("deadline", [timedelta(0), timedelta(seconds=-1), timedelta(seconds=61)])
def test_a_deadline_has_bounds(deadline: timedelta) -> None:
    """Named before anything is connected."""
    with pytest.raises(InvalidInput, match=r"deadline: .* is not between"):
        MemoryClient("amqp://localhost", deadline=deadline)
