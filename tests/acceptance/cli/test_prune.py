"""memlane prune: what is old goes, when somebody says so."""

import json

import pytest

from tests.acceptance.shell import Shell

PATIENT = ("--deadline", "30s")


@pytest.fixture
def aged(system: Shell, user: str) -> str:
    """A user with an entry of each age."""
    old = {"old": "2020-01-01T00:00:00Z", "older": "2019-01-01T00:00:00Z", "undated": None}
    lines = [{"user_id": user, "key": key, "value": 1, "updated_at": at} for key, at in old.items()]
    lines.append({**lines[0], "key": "below", "namespace": "a/b"})
    given = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    assert system.run("import", "jsonl", "-", "--wait", "all", *PATIENT, stdin=given).code == 0
    assert system.run("store", user, "young", "1", "--wait", "all", *PATIENT).code == 0
    return user


def keys(system: Shell, user: str) -> set[str]:
    """What is remembered of a user."""
    return {line["key"] for line in system.run("list", user, "--all", "--json").records}


def test_old_entries_are_deleted(system: Shell, aged: str) -> None:
    """Counted first, then asked for, then gone; nobody else's."""
    command = ("prune", "--older-than", "90d", "--user", aged)
    dry = system.run(*command, "--dry-run")
    assert (dry.code, dry.out) == (0, "dry run: 4 entries would be deleted; nothing was changed\n")
    assert "1 entry of unknown age among them" in dry.err
    assert system.run(*command).code == 2
    refused = system.on_terminal(*command, typed=b"n\n")
    assert f"Delete 4 entries (everything of {aged})?" in refused.out
    assert keys(system, aged) == {"old", "older", "undated", "below", "young"}

    part = system.run(*command, "--namespace", "a", "--yes", "--json", "--wait", "all", *PATIENT)
    assert part.code == 0, part.err
    assert (part.records[0]["found"], part.records[0]["deleted"]) == (1, 1)
    assert part.records[0]["sinks"] == {"redis": {"applied": 1}, "sqlite": {"applied": 1}}
    done = system.run(*command, "--yes", "--rate", "100", "--wait", "all", *PATIENT)
    assert done.code == 0, done.err
    assert done.out.startswith("deleted 3 entries, confirmed by the broker in ")
    assert "  sqlite: 3 in place" in done.out
    assert keys(system, aged) == {"young"}
    assert system.run(*command, "--yes").out.startswith("deleted 0 entries")


@pytest.mark.parametrize("time", ["90", "-1d", "soon", ""])
def test_a_time_that_is_none_is_told(shell: Shell, time: str) -> None:
    """With what one looks like."""
    done = shell.run("prune", "--older-than", time)
    assert done.code == 2
    assert "--older-than" in done.err
