"""store without a broker, and outbox list, flush and drop: what waits is seen, sent, or dropped."""

import json
from datetime import datetime

from pydantic import SecretStr

from memlane.client import SyncMemoryClient
from memlane.producers.settings import ClientSettings
from tests.acceptance.shell import Shell

NOBODY = "amqp://guest:guest@127.0.0.1:1/"


def queued(shell: Shell, *keys: str) -> list[str]:
    """Has a bot store these keys while nothing answers; their versions."""
    settings = ClientSettings(amqp_url=SecretStr(NOBODY), state_dir=shell.place.folder / "state")
    with SyncMemoryClient(settings=settings) as memory:
        return [memory.store("u", key, f"secret-{key}").version for key in keys]


def test_a_store_without_a_broker_waits_in_the_outbox(shell: Shell) -> None:
    """Exit code 0, and it is said where it is; reading still fails with 5."""
    done = shell.run("store", "u", "k", "v", "--url", NOBODY)
    assert done.code == 0, done
    assert done.out.startswith("stored u:k  (queued in the outbox, version ")
    assert "queued in the outbox; the broker is away" in done.err
    assert shell.run("delete", "u", "k", "--json", "--url", NOBODY).records[0]["queued"] is True
    assert shell.run("outbox", "flush", "--url", NOBODY).code == 5
    done = shell.run("status", "--url", NOBODY)
    assert done.code == 5
    assert "2 commands (" in done.err
    assert "wait in the outbox of this machine" in done.err


def test_what_waits_is_listed_without_its_values(shell: Shell) -> None:
    """Type, address, version, age and size; for people and for programs."""
    assert "the outbox is empty" in shell.run("outbox", "list").err
    versions = queued(shell, "a", "b")
    shell.run("delete", "u", "a", "--url", NOBODY)
    done = shell.run("outbox", "list")
    assert done.code == 0, done
    assert [(row[0], row[2], row[3]) for row in done.rows] == [
        ("waiting", "store", "u:a"),
        ("waiting", "store", "u:b"),
        ("waiting", "delete address", "u:a"),
    ]
    assert [row[4] for row in done.rows[:2]] == versions
    assert "secret" not in done.out
    done = shell.run("outbox", "list", "--json", "--limit", "1")
    (record,) = done.records
    assert record["for"] == "guest@127.0.0.1:1/"
    assert record["error"] is None
    assert record["bytes"] > 50
    assert 0 <= record["age_seconds"] < 60
    assert datetime.fromisoformat(record["queued_at"]).tzinfo is not None
    assert "the oldest 1 shown" in done.err


def test_flush_sends_what_waits_for_this_broker(shell: Shell) -> None:
    """With --all, also what was meant for another one."""
    shell.run("topology", "apply")
    assert shell.run("outbox", "flush").out == "sent 0 commands\n"
    queued(shell, "a", "b", "c")
    done = shell.run("outbox", "flush", "--json")
    assert done.records == [{"sent": 0, "waiting": 0, "aside": 0}]
    assert "3 commands for guest@127.0.0.1:1/, left where they are: memlane outbox flush --all" in done.err
    assert len(shell.run("outbox", "list").rows) == 3
    assert shell.run("outbox", "flush", "--all").out == "sent 3 commands\n"
    assert shell.run("outbox", "list").out == ""
    state = json.loads(shell.run("status", "--json", "--deadline", "300ms").out)
    assert state["sinks"]["sqlite"]["backlog"] == 1
    assert state["outbox"] == {"waiting": 0, "bytes": 0, "oldest": None, "aside": 0}
    assert state["blocked"] is None


def test_without_the_topology_flush_says_what_to_do(shell: Shell) -> None:
    """Nothing is lost."""
    queued(shell, "a")
    done = shell.run("outbox", "flush", "--all")
    assert done.code == 1
    assert "To do: start `memlane up`" in done.err
    assert len(shell.run("outbox", "list").rows) == 1


def test_what_is_dropped_is_gone(shell: Shell) -> None:
    """By version, or all of it; it asks first, and says what is meant."""
    first, second, _third = queued(shell, "a", "b", "c")
    assert shell.run("outbox", "drop").code == 2
    assert shell.run("outbox", "drop", first).code == 2
    assert shell.run("outbox", "drop", first, "--yes").out == "dropped 1 command\n"
    done = shell.run("outbox", "drop", first, "--yes")
    assert (done.code, f"no command {first}" in done.err) == (4, True)
    assert next(row[4] for row in shell.run("outbox", "list").rows) == second
    done = shell.run("outbox", "drop", "--all", "--yes")
    assert (done.out, "2 commands for guest@127.0.0.1:1/" in done.err) == ("dropped 0 commands\n", True)
    done = shell.run("outbox", "drop", "--all", "--for", "guest@127.0.0.1:1/", "--yes", "--json")
    assert done.records[0]["dropped"] == 2
    assert done.records[0]["left"]["waiting"] == 0


def test_the_status_shows_what_waits(shell: Shell) -> None:
    """A note: the rest of the system is not worse for it. What --wait outbox left is sent at once."""
    done = shell.run("store", "u", "k", "v", "--wait", "outbox")
    assert (done.code, done.err.count("queued in the outbox")) == (0, 0)
    done = shell.run("status", "--deadline", "300ms")
    assert "note: 1 command (" in done.out
    assert "problem: sqlite has no queue" in done.out


def test_without_an_outbox_a_store_fails_as_ever(shell: Shell) -> None:
    """Exit code 5."""
    done = shell.having(MEMLANE_OUTBOX="false").run("store", "u", "k", "v", "--url", NOBODY)
    assert done.code == 5


def test_a_full_outbox_is_told(shell: Shell) -> None:
    """With the file and what to do; exit code 1."""
    done = shell.having(MEMLANE_OUTBOX_BYTES="100").run("store", "u", "k", "v" * 100, "--url", NOBODY)
    assert done.code == 1
    assert "outbox.db is full" in done.err
    assert "MEMLANE_OUTBOX_BYTES" in done.err
