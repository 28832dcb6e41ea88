"""What a Redis must be like for a sink to start on it."""

from pathlib import Path
from typing import Any

import pytest

from memlane.storage.conformance.commands import NOW, address, delete, forget, store
from memlane.storage.errors import SinkMisconfigured, SinkUnavailable
from memlane.storage.redis import RedisSink
from memlane.testing.servers import OwnServers, RedisServer

SECRET = "pass-word-of-mine"


async def _start(url: str, prefix: str = "memlane") -> None:
    async with RedisSink(url, prefix=prefix) as sink:
        await sink.health()


async def test_an_evicting_policy_is_refused(own_servers: OwnServers, tmp_path: Path) -> None:
    """Also without a memory limit: it may get one at any time. The message says what to set instead."""
    with (
        own_servers.redis(tmp_path, arguments=("--maxmemory-policy", "allkeys-lru")) as server,
        pytest.raises(SinkMisconfigured, match=r"allkeys-lru.*noeviction"),
    ):
        await _start(server.url)


async def test_a_policy_is_found_where_config_is_forbidden(own_servers: OwnServers, tmp_path: Path) -> None:
    """Hosted servers rename CONFIG away; INFO says the same."""
    with own_servers.redis(tmp_path / "a", arguments=("--rename-command", "CONFIG", "")) as server:
        await _start(server.url)
    arguments = ("--rename-command", "CONFIG", "", "--maxmemory-policy", "volatile-ttl")
    with (
        own_servers.redis(tmp_path / "b", arguments=arguments) as server,
        pytest.raises(SinkMisconfigured, match="volatile-ttl"),
    ):
        await _start(server.url)


async def test_a_wrong_password_is_a_matter_of_settings(server: RedisServer, raw: Any) -> None:
    """And no message holds the one that was tried."""
    await raw.execute_command("ACL", "SETUSER", "bot", "on", ">right", "~*", "+@all")
    url = server.url.replace("redis://", f"redis://bot:{SECRET}@")
    with pytest.raises(SinkMisconfigured) as caught:
        await _start(url)
    assert f"127.0.0.1:{server.port}" in str(caught.value)
    assert SECRET not in _whole_text(caught.value)


@pytest.mark.parametrize("missing", [["-@write"], ["-@scripting"], ["-config", "-info"], ["resetkeys"]])
async def test_missing_rights_are_a_matter_of_settings(
    server: RedisServer, raw: Any, missing: list[str]
) -> None:
    """To write, to run scripts, to see the policy, or to the prefix."""
    await raw.execute_command("ACL", "SETUSER", "weak", "reset", "on", ">weak", "~*", "+@all", *missing)
    with pytest.raises(SinkMisconfigured, match="right"):
        await _start(server.url.replace("redis://", "redis://weak:weak@"))


async def test_rights_to_the_prefix_are_enough(server: RedisServer, raw: Any, prefix: str) -> None:
    """No other key is touched, and no dangerous command is needed."""
    rights = [f"~{prefix}:*", "+@all", "-@dangerous", "-@admin", "+info"]
    await raw.execute_command("ACL", "SETUSER", "narrow", "reset", "on", ">narrow", *rights)
    async with RedisSink(server.url.replace("redis://", "redis://narrow:narrow@"), prefix=prefix) as sink:
        await sink.apply([store(), delete("k", at=2), forget(at=3), store("new", at=4)], NOW)
        await sink.sweep(NOW, recount=1)
        assert (await sink.stats(None)).live == 1
        assert (await sink.fetch([address("new")], NOW))[0].state == "entry"


async def test_a_server_that_is_down_is_unavailable(server: RedisServer) -> None:
    """The message names host and port, not the password."""
    with pytest.raises(SinkUnavailable) as caught:
        await _start(f"redis://:{SECRET}@127.0.0.1:1/0")
    assert "127.0.0.1:1" in str(caught.value)
    assert SECRET not in _whole_text(caught.value)
    assert server.running


@pytest.mark.parametrize("url", [f"redis://:{SECRET}@host:port/0", f"http://:{SECRET}@host", SECRET])
async def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    """It may hold a password, in an unexpected place."""
    with pytest.raises(SinkMisconfigured, match="redis://user:password@host") as caught:
        await _start(url)
    assert SECRET not in _whole_text(caught.value)


async def test_a_store_of_another_schema_is_refused(
    sink: RedisSink, server: RedisServer, raw: Any, prefix: str
) -> None:
    """Rather than read wrongly."""
    await sink.health()
    await raw.hset(f"{prefix}:meta", "schema", "99")
    with pytest.raises(SinkMisconfigured, match="schema 99"):
        await _start(server.url, prefix=prefix)


async def test_other_data_under_the_prefix_is_refused(server: RedisServer, raw: Any, prefix: str) -> None:
    """A prefix is for one store."""
    await raw.set(f"{prefix}:meta", "something else")
    with pytest.raises(SinkMisconfigured, match="prefix"):
        await _start(server.url, prefix=prefix)


async def test_a_sink_that_is_not_open_says_so(server: RedisServer) -> None:
    """Before and after; closing twice does no harm."""
    sink = RedisSink(server.url)
    with pytest.raises(SinkUnavailable, match="not open"):
        await sink.health()
    async with sink:
        await sink.health()
    await sink.__aexit__(None, None, None)
    with pytest.raises(SinkUnavailable, match="not open"):
        await sink.stats(None)


def _whole_text(error: BaseException) -> str:
    """The texts of an error and of all that it is chained to."""
    texts = []
    link: BaseException | None = error
    while link is not None:
        texts.append(f"{link!r} {link}")
        link = link.__cause__ or link.__context__
    return "\n".join(texts)
