"""memlane export: everything out, and in again somewhere else, under the same versions."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from memlane.testing.demo.system import running_memlane
from tests.acceptance.conftest import MakeShell
from tests.acceptance.shell import Shell

PATIENT = ("--deadline", "30s")


@pytest.fixture
def fresh(make_shell: MakeShell) -> Iterator[Shell]:
    """Another deployment, which holds nothing."""
    shell = make_shell()
    with running_memlane(shell.place) as memlane:
        memlane.wait_until_ready()
        yield shell
        assert memlane.stop() == 0


# Any: what JSON can say.
def digests(*shells: Shell) -> list[Any]:
    """Of every sink of these deployments."""
    states = [shell.run("status", "--json").records[0] for shell in shells]
    return [sink["digest"] for state in states for sink in state["sinks"].values()]


def test_what_is_exported_is_imported_as_it_was(make_shell: MakeShell, fresh: Shell) -> None:
    """Without and with what was deleted: the second time both deployments have the same digests."""
    origin = make_shell()
    with running_memlane(origin.place) as memlane:
        memlane.wait_until_ready()
        lines = [
            {"user_id": f"u{n % 5}", "key": f"k{n}", "namespace": f"a/b{n % 3}", "value": {"n": [n, 1.5]},
             "tags": ["t"], "importance": n % 10 + 1, "metadata": {"ä": n}, "session_id": "s",
             "expires_at": "2099-01-01T00:00:00Z", "created_at": "2001-01-01T00:00:00Z"}
            for n in range(700)
        ]  # fmt: skip
        given = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        assert origin.run("import", "jsonl", "-", "--wait", "all", *PATIENT, stdin=given).code == 0
        listed = origin.run("list", "u1", "--all", "--json").records

        done = origin.run("export", "--out", "all.jsonl")
        assert (done.code, done.out) == (0, "")
        assert "exported 700 entries (everything)" in done.err
        path = origin.place.folder / "all.jsonl"
        assert fresh.run("import", "jsonl", str(path), "--wait", "all", *PATIENT).code == 0
        same = digests(origin, fresh)
        assert same == [same[0]] * 4

        only = origin.run("export", "--user", "u1", "--namespace", "a/b1")
        assert {(line["user_id"], line["namespace"]) for line in only.records} == {("u1", "a/b1")}
        by_key = {line["key"]: line for line in only.records}
        assert [line for line in listed if line["key"] in by_key] == [
            by_key[line["key"]] for line in listed if line["key"] in by_key
        ]

        origin.run("delete", "u1", "k1", "--namespace", "a/b1", "--wait", "all", *PATIENT)
        origin.run("delete", "u2", "--namespace", "a/b2", "--all", "--yes", "--wait", "all", *PATIENT)
        origin.run("forget", "u3", "--yes", "--wait", "all", *PATIENT)
        everything = origin.run("export", "--with-deleted", "--sink", "redis")
        assert {line.get("type") for line in everything.records} == {None, "delete"}
        assert origin.run("export").out.count("\n") < everything.out.count("\n")
        # Without the deletes nothing is revived either: the sinks know better.
        assert origin.run("import", "jsonl", str(path), "--wait", "all", *PATIENT).code == 0
        assert origin.run("get", "u1", "k1", "--namespace", "a/b1").code == 4
        sent = fresh.run("import", "jsonl", "-", "--wait", "all", *PATIENT, stdin=everything.out.encode())
        assert sent.code == 0, sent.err
        same = digests(origin, fresh)
        assert same == [same[0]] * 4
        assert memlane.stop() == 0


def test_a_file_that_cannot_be_written_is_told(system: Shell) -> None:
    """And nothing half is left of one that could not be completed."""
    done = system.run("export", "--out", "no/such/folder.jsonl")
    assert done.code == 1
    assert "can't be written" in done.err
    away = system.having(MEMLANE_AMQP_URL="amqp://guest:guest@127.0.0.1:1/")
    assert away.run("export", "--out", "broken.jsonl").code == 5
    assert [path.name for path in system.place.folder.glob("*broken*")] == []
    assert system.run("export", "--user", "\x01").code == 2
