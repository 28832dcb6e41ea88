"""reconcile and replay: bringing sinks level by hand."""

import sqlite3
from contextlib import closing

from tests.acceptance.shell import Shell, wait_for


def test_a_round_finds_that_nothing_differs(system: Shell, user: str) -> None:
    """A line a sink, or JSON."""
    system.run("store", user, "k", "v", "--wait", "all")
    done = system.run("reconcile")
    assert done.code == 0, done.err
    assert [row[:2] for row in done.rows] == [["sqlite", "source"], ["redis", "source"]]
    assert "0 buckets differed" in done.err
    (record,) = system.run("reconcile", "--json").records
    assert record["sinks"]["redis"]["lacked"] == 0


def test_a_row_that_was_removed_by_hand_is_found_and_brought_again(system: Shell, user: str) -> None:
    """Told first, by a dry run of all buckets."""
    at_once = system.having(MEMLANE_RECONCILE_GRACE="0s")
    system.run("store", user, "k", "v", "--wait", "all")
    with closing(sqlite3.connect(system.place.sqlite_path)) as file, file:
        file.execute("DELETE FROM rows WHERE user_id = ?", (user,))
    told = at_once.run("reconcile", "--full", "--dry-run")
    assert told.code == 1
    assert f"redis → sqlite: {user}" in told.err
    mended = at_once.run("reconcile", "--full", "--json")
    assert mended.code == 0, mended.err
    difference, report = mended.records
    assert difference["difference"]["to"] == "sqlite"
    assert report["sinks"]["sqlite"]["repaired"] == 1
    assert at_once.run("reconcile", "--full", "--dry-run").code == 0


def test_a_sink_that_is_not_there_makes_the_round_incomplete(shell: Shell) -> None:
    """Nobody answers for it."""
    assert shell.run("topology", "apply").code == 0
    done = shell.run("reconcile")
    assert done.code == 3, done.err
    assert "unavailable" in done.out


def test_the_log_is_replayed(system: Shell, user: str) -> None:
    """To one sink; again does no harm."""
    system.run("store", user, "k", "v", "--wait", "all")
    done = system.run("replay", "redis", "--from", "first", "--json")
    assert done.code == 0, done.err
    (record,) = done.records
    assert record["commands"] >= 1
    assert (record["gap"], record["parked"]) == (False, 0)
    assert "decided in" in system.run("replay", "redis", "--from", "1h", "--rate", "1000").err
    wait_for(lambda: system.run("get", user, "k").code == 0, "it is there")


def test_what_can_not_be_replayed_is_a_usage_error(system: Shell) -> None:
    """With what can be said."""
    nowhere = system.run("replay", "redis", "--from", "yesterday")
    assert nowhere.code == 2
    assert "no place in the log" in nowhere.err
    nobody = system.run("replay", "nobody", "--from", "first")
    assert nobody.code == 2
    assert "is not in MEMLANE_SINKS" in nobody.err
