"""memlane backup: made by itself and by hand, looked at, verified, and brought back."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memlane.testing.demo.system import running_memlane
from tests.acceptance.conftest import MakeShell
from tests.acceptance.shell import Shell, wait_for

PATIENT = ("--deadline", "30s")


@pytest.fixture
def name(user: str) -> str:
    """What no other test calls a backup."""
    return f"before-{user}"


# Any: what JSON can say.
def values(system: Shell, user: str) -> dict[str, Any]:
    """What is remembered of a user."""
    return {entry["key"]: entry["value"] for entry in system.run("list", user, "--all", "--json").records}


def store(system: Shell, user: str, **entries: str) -> None:
    """Stores, and waits until all sinks have it."""
    for key, value in entries.items():
        assert system.run("store", user, key, value, "--wait", "all", *PATIENT).code == 0


def backup_file(system: Shell, name: str) -> Path:
    """Where a backup is."""
    return system.place.folder / "backups" / f"{name}.jsonl.gz"


def listed(system: Shell, name: str) -> dict[str, Any]:
    """What the list says of a backup."""
    (found,) = (one for one in system.run("backup", "list", "--json").records if one["name"] == name)
    return dict(found)


def test_memlane_up_makes_the_one_that_was_missed(system: Shell) -> None:
    """The last that was due, two o'clock UTC by default."""

    def scheduled() -> list[Any]:
        return [one for one in system.run("backup", "list", "--json").records if one["due"]]

    wait_for(lambda: bool(scheduled()), "there is a backup that was due")
    found = scheduled()
    assert len(found) == 1
    assert re.fullmatch(r"scheduled-\d{8}T020000Z", found[0]["name"])
    assert found[0]["due"].endswith("T02:00:00.000000Z")
    assert found[0]["ok"]


def test_a_point_by_name_is_made_listed_and_verified(system: Shell, user: str, name: str) -> None:
    """For people and for programs."""
    store(system, user, a="1", b="2")
    system.run("delete", user, "b", "--wait", "all", *PATIENT)
    made = system.run("backup", "create", "--name", name)
    assert made.code == 0, made.err
    assert re.match(rf"made {name}: [\d,]+ entr.* [\d,]+ deletes?.* of sqlite, \d", made.out)
    found = listed(system, name)
    assert (found["sink"], found["ok"], found["due"]) == ("sqlite", True, None)
    assert found["counts"]["stores"] >= 1
    assert found["bytes"] == backup_file(system, name).stat().st_size
    assert [name, "sqlite", "ok"] in [[row[0], row[2], row[-1]] for row in system.run("backup", "list").rows]

    verified = system.run("backup", "verify", name)
    assert (verified.code, verified.out.startswith(f"{name}: ok, ")) == (0, True)
    assert system.run("backup", "verify", "--all").code == 0
    again = system.run("backup", "create", "--name", name)
    assert again.code == 1
    assert "there is a backup already" in again.err
    assert system.run("backup", "create", "--sink", "redis", "--json").records[0]["sink"] == "redis"


def test_a_restore_loses_nothing_newer_and_revives_nothing_deleted(
    system: Shell, user: str, name: str
) -> None:
    """And says what each sink made of it."""
    store(system, user, kept="then", changed="then", deleted="then")
    assert system.run("backup", "create", "--name", name).code == 0
    store(system, user, changed="now", added="now")
    system.run("delete", user, "deleted", "--wait", "all", *PATIENT)

    dry = system.run("backup", "restore", name, "--user", user, "--dry-run")
    assert (dry.code, dry.out) == (
        0,
        f"dry run: {name} holds 3 entries, 0 deletes to be sent; nothing was sent\n",
    )
    done = system.run("backup", "restore", name, "--user", user, *PATIENT)
    assert done.code == 0, done.err
    assert done.out.startswith(f"restored {name}: 3 entries, 0 deletes sent in ")
    assert "  sqlite: 1 in place, 2 already newer" in done.out
    assert "  redis: 1 in place, 2 already newer" in done.out
    assert values(system, user) == {"kept": "then", "changed": "now", "added": "now"}


def test_a_rollback_asks_and_brings_back_what_was(system: Shell, user: str, name: str) -> None:
    """With numbers to decide by."""
    store(system, user, kept="then", changed="then", deleted="then")
    assert system.run("backup", "create", "--name", name).code == 0
    store(system, user, changed="now", added="now")
    system.run("delete", user, "deleted", "--wait", "all", *PATIENT)
    command = ("backup", "restore", name, "--as-new", "--user", user, *PATIENT)

    unasked = system.run(*command)
    assert unasked.code == 2
    assert "say --yes" in unasked.err
    dry = system.run(*command, "--dry-run", "--json")
    plan = {"stored": 2, "deleted": 1, "unchanged": 1, "newer": 0}
    assert {key: dry.records[0][key] for key in plan} == plan
    refused = system.on_terminal(*command, typed=b"n\n")
    question = f"Roll everything of {user} back to {name}: 2 entries stored again, 1 deleted, 1 unchanged?"
    assert question in " ".join(refused.out.split())
    assert values(system, user) == {"kept": "then", "changed": "now", "added": "now"}

    done = system.run(*command, "--yes")
    assert done.code == 0, done.err
    assert ": 2 entries stored again, 1 deleted, 1 unchanged" in done.out
    assert "  redis: 3 in place" in done.out
    assert values(system, user) == {"kept": "then", "changed": "then", "deleted": "then"}
    nothing = system.run(*command, "--dry-run", "--json")
    assert nothing.records[0]["deleted"] == 0


@pytest.fixture
def fresh(make_shell: MakeShell) -> Iterator[Shell]:
    """Another deployment, which holds nothing."""
    shell = make_shell().having(MEMLANE_BACKUP_SCHEDULE="")
    with running_memlane(shell.place) as memlane:
        memlane.wait_until_ready()
        yield shell
        assert memlane.stop() == 0


def test_another_deployment_takes_it_all(system: Shell, fresh: Shell, user: str, name: str) -> None:
    """From the same folder; its sinks then have the same digests as those where it was made."""
    store(system, user, a="1", b="2")
    system.run("delete", user, "b", "--wait", "all", *PATIENT)
    assert system.run("backup", "create", "--name", name).code == 0
    (theirs,) = system.run("status", "--json").records
    folder = str(system.place.folder / "backups")
    done = fresh.having(MEMLANE_BACKUP_DIR=folder).run("backup", "restore", name, "--rate", "500", *PATIENT)
    assert done.code == 0, done.err
    (ours,) = fresh.run("status", "--json").records
    digests = [sink["digest"] for state in (theirs, ours) for sink in state["sinks"].values()]
    assert digests == [digests[0]] * 4
    assert values(fresh, user) == {"a": "1"}


def test_a_damaged_backup_is_told_and_refused(system: Shell, user: str, name: str) -> None:
    """Its list entry, where an end is missing; by verify and restore in any case."""
    store(system, user, a="1")
    assert system.run("backup", "create", "--name", name).code == 0
    file = backup_file(system, name)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    verified = system.run("backup", "verify", name, "--json")
    assert (verified.code, verified.records[0]["ok"]) == (1, False)
    for options in ((), ("--as-new", "--yes"), ("--dry-run",)):
        refused = system.run("backup", "restore", name, *options)
        assert refused.code == 1
        assert f"the backup {name} is damaged: " in refused.err

    file.write_bytes(content[:-10])
    assert listed(system, name)["problem"] == "it has no last line: it was cut off"
    rows = {row[0]: row[-1] for row in system.run("backup", "list").rows}
    assert rows[name] == "unreadable: it has no last line: it was cut off"
    file.unlink()


def test_a_crash_leaves_no_backup(fresh: Shell, user: str, name: str) -> None:
    """Only a file that no list shows, and that goes by itself after a day."""
    lines = "".join(f'{{"user_id": "{user}", "key": "k{n}", "value": {n}}}\n' for n in range(4000))
    assert fresh.run("import", "jsonl", "-", "--wait", "all", *PATIENT, stdin=lines.encode()).code == 0
    folder = fresh.place.folder / "backups"
    with fresh.start("backup", "create", "--name", name) as process:
        wait_for(lambda: any(folder.glob(f".{name}.*.partial")), "it writes under another name")
        process.kill()
    assert [*folder.glob(f".{name}.*.partial")]
    assert name not in {one["name"] for one in fresh.run("backup", "list", "--json").records}
    assert fresh.run("backup", "verify", "--all").code == 0
    # It is no obstacle either.
    assert fresh.run("backup", "create", "--name", name).code == 0


def test_a_sink_that_has_not_decided_is_told(system: Shell, user: str, name: str) -> None:
    """Exit code 3: the commands wait in its queue."""
    store(system, user, a="1")
    assert system.run("backup", "create", "--name", name).code == 0
    assert system.run("sink", "pause", "redis").code == 0
    try:
        done = system.run("backup", "restore", name, "--user", user, "--deadline", "1s")
    finally:
        assert system.run("sink", "resume", "redis").code == 0
    assert done.code == 3
    assert "  redis: 1 not decided yet (they wait in the queue)" in done.out
    assert "  sqlite: 1 in place" in done.out
    fence = system.run("store", user, "fence", "1", "--wait", "all", *PATIENT)
    assert fence.code == 0


def test_names_that_cannot_be_are_told(system: Shell) -> None:
    """Exit codes: 4 not there, 2 no name."""
    for verb in ("restore", "verify"):
        done = system.run("backup", verb, "no-such")
        assert (done.code, "there is no backup no-such" in done.err) == (4, True)
        assert system.run("backup", verb, "../memory").code == 2
    assert system.run("backup", "create", "--name", "scheduled-x").code == 2
    assert system.run("backup", "verify").code == 2
    done = system.run("backup", "create", "--sink", "postgres")
    assert (done.code, "'postgres' is not in MEMLANE_SINKS" in done.err) == (2, True)


def test_without_workers_nothing_can_be_read(shell: Shell) -> None:
    """Said with what to do; and without a broker, that it can't be reached."""
    shell.run("topology", "apply")
    done = shell.run("backup", "create")
    assert done.code == 1
    assert "no sink can be read (sqlite: no answer in time" in done.err
    assert "is `memlane up` running?" in done.err
    away = shell.having(MEMLANE_AMQP_URL="amqp://guest:guest@127.0.0.1:1/").run("backup", "create")
    assert away.code == 5
    empty = shell.run("backup", "list")
    assert (empty.code, empty.out, empty.err.startswith("no backups in ")) == (0, "", True)


def test_a_schedule_that_is_none_is_told_at_start(shell: Shell) -> None:
    """By the name of the setting."""
    done = shell.having(MEMLANE_BACKUP_SCHEDULE="every day").run("config", "check")
    assert done.code == 1
    assert "MEMLANE_BACKUP_SCHEDULE" in done.out + done.err
