"""A program in JavaScript that knows only docs/wire-format.md takes part in memlane."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from aio_pika import Message
from aiormq.exceptions import ChannelAccessRefused
from pydantic import TypeAdapter

from memlane.client import MemoryClient
from memlane.contracts.identifiers import Version
from memlane.contracts.topology import dead_queue, lane_queue
from memlane.contracts.version import version_milliseconds
from memlane.producers.broker.connection import connect
from memlane.producers.settings import ClientSettings
from tests.acceptance.wire.conftest import SINK
from tests.acceptance.wire.node import Bot, Refused

VALUE = {"dish": "rāmen 🍜", "spicy": True, "rating": 4.5, "with": [None, [], {}], "big": 2**53 - 1}


@pytest.fixture
def settings(memlane_url: str, tmp_path: Path) -> ClientSettings:
    """Of a client in Python, beside the bot."""
    return ClientSettings.model_validate(
        {"amqp_url": memlane_url, "state_dir": tmp_path, "deadline": timedelta(seconds=5)}
    )


def test_a_bot_stores_an_entry_and_gets_it_back(bot: Bot) -> None:
    """What it stored comes back as it was, under the version that it gave."""
    stored = bot.run("store", "node", "favorite", json.dumps(VALUE), "profile/food")
    answer = bot.run("get", "node", "favorite", "profile/food", stored["version"])
    assert answer["state"] == "entry"
    assert answer["complete"] is True
    assert answer["entry"]["value"] == VALUE
    assert answer["entry"]["version"] == stored["version"]


def test_a_bot_learns_that_a_sink_has_applied_its_command(bot: Bot) -> None:
    """The receipt comes back to the bot's own connection."""
    stored = bot.run("store", "node", "receipt", "1")
    assert stored["sinks"] == {SINK: {"id": stored["version"], "decision": "applied"}}


async def test_bots_in_different_languages_share_what_they_remember(
    bot: Bot, settings: ClientSettings
) -> None:
    """Each reads what the other one stored."""
    bot.run("store", "shared", "from-node", '"hello from Node"')
    async with MemoryClient(settings=settings) as memory:
        found = await memory.get("shared", "from-node")
        await memory.store("shared", "from-python", {"hello": "from Python"}, wait="all")
    assert found is not None
    assert found.value == "hello from Node"
    assert bot.run("get", "shared", "from-python")["entry"]["value"] == {"hello": "from Python"}


def test_a_bot_searches_and_lists(bot: Bot) -> None:
    """Words in their forms find the entry; a list goes on from its cursor."""
    for number in range(3):
        bot.run("store", "reader", f"note-{number}", json.dumps(f"the runner ran {number} miles"))
    (found,) = bot.run("ask", '{"type": "search", "user_id": "reader", "text": "How many mile?"}')
    assert {hit["entry"]["key"] for hit in found["hits"]} == {"note-0", "note-1", "note-2"}
    (page,) = bot.run("ask", '{"type": "list", "user_id": "reader", "limit": 2}')
    assert [hit["entry"]["key"] for hit in page["hits"]] == ["note-2", "note-1"]
    question = {"type": "list", "user_id": "reader", "limit": 2, "cursor": page["cursor"]}
    (rest,) = bot.run("ask", json.dumps(question))
    assert [hit["entry"]["key"] for hit in rest["hits"]] == ["note-0"]
    assert rest["cursor"] is None


def test_what_a_bot_deleted_is_gone(bot: Bot) -> None:
    """And the answer says so, and by which command."""
    bot.run("store", "node", "secret", '"forget me"')
    deleted = bot.run("delete", "node", "secret")
    answer = bot.run("get", "node", "secret")
    assert (answer["state"], answer["version"]) == ("gone", deleted["version"])


def test_a_bad_command_is_parked_and_the_good_one_beside_it_is_applied(bot: Bot) -> None:
    """The receipt names the field."""
    bad = '{"type": "store", "user_id": "node", "key": "", "value": 1}'
    good = '{"type": "store", "user_id": "node", "key": "good", "value": 1}'
    told = [decided[SINK] for decided in bot.run("publish", bad, good).values()]
    assert [one["decision"] for one in told] == ["parked", "applied"]
    assert "commands.0.key" in told[0]["reason"]


def test_a_bad_question_is_refused_by_name(bot: Bot) -> None:
    """The refusal names the field and the limit."""
    with pytest.raises(Refused, match=r"questions\.0\.limit: .* 500"):
        bot.run("ask", '{"type": "list", "user_id": "node", "limit": 501}')


async def test_a_bot_has_no_more_rights_than_it_needs(bot: Bot) -> None:
    """With the rights of the page, nobody reads memlane's queues or writes past its exchanges."""
    async with await connect(bot.url, "bot") as connection:
        for queue in (dead_queue(SINK), lane_queue(SINK)):
            channel = await connection.channel()
            with pytest.raises(ChannelAccessRefused):
                await (await channel.get_queue(queue, ensure=False)).get(fail=False)
        channel = await connection.channel()
        with pytest.raises(ChannelAccessRefused):
            await channel.default_exchange.publish(Message(b"{}"), lane_queue(SINK))


@pytest.mark.parametrize(
    "clock", [[], ["1750000000000"]], ids=["a clock that runs", "a clock that stands still"]
)
def test_the_versions_of_the_page_are_versions(bot: Bot, clock: list[str]) -> None:
    """As the page says to make them, they are valid and rise strictly."""
    versions = bot.run("versions", "2000", *clock)
    checked = [TypeAdapter(Version).validate_python(version) for version in versions]
    assert checked == sorted(set(checked))
    if clock:
        assert {version_milliseconds(version) for version in checked} == {int(clock[0])}
