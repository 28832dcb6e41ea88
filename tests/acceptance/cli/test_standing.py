"""`memlane sink pause|resume|level`: said once, known everywhere."""

from tests.acceptance.shell import Shell, wait_for


def test_a_sink_is_paused_and_resumed(system: Shell, user: str) -> None:
    """Status says who, why and since when; what came meanwhile is applied afterwards."""
    done = system.run("sink", "pause", "redis", "--reason", "a new disk")
    assert (done.code, done.out) == (0, "")
    assert "redis: paused" in done.err
    wait_for(lambda: _lanes(system) == 0, "the lane has stopped")
    assert system.run("store", user, "k", "v", "--wait", "sqlite").code == 0
    status = system.run("status")
    assert status.code == 1
    assert "problem: redis is paused since" in status.out
    assert "a new disk" in status.out
    assert "nobody takes redis's commands" not in status.out

    assert "redis: goes on" in system.run("sink", "resume", "redis").err
    wait_for(lambda: system.run("status").code == 0, "the system is healthy")
    (record,) = system.run("status", "--json").records
    assert record["agree"] is True
    assert record["sinks"]["redis"]["paused"] is False


def test_who_is_not_paused_can_be_resumed(system: Shell) -> None:
    """It changes nothing, and says so."""
    done = system.run("sink", "resume", "redis")
    assert (done.code, done.err.strip()) == (0, "redis: was not paused")
    done = system.run("sink", "level", "redis")
    assert (done.code, done.err.strip()) == (0, "redis: was not rebuilding")


def test_a_sink_that_is_not_there_is_an_error(system: Shell) -> None:
    """It names those that are."""
    done = system.run("sink", "pause", "reddis")
    assert done.code == 2, done.err
    assert "there are: " in done.err


def _lanes(system: Shell) -> int:
    (record,) = system.run("status", "--json").records
    consumers: int = record["sinks"]["redis"]["lane_consumers"]
    return consumers
