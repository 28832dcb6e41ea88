"""Every kind of account can do its job with the permissions of its template, under access rules."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from memlane.testing.demo.system import Place, running_memlane
from tests.acceptance.conftest import MakeShell
from tests.acceptance.shell import Shell
from tests.house.project import DOCS

RULES: Final = """
[[rules]]
accounts = ["alice"]
users = ["alice"]
may = ["read", "write"]

[[rules]]
accounts = ["operator"]
users = ["*"]
may = ["read"]
"""


@dataclass(frozen=True)
class Ruled:
    """Shells of several accounts beside a `memlane up` that logs in as a worker."""

    worker: Shell

    def shell(self, account: str) -> Shell:
        """With the settings of this account."""
        return self.worker.having(MEMLANE_AMQP_URL=_url_of(self.worker.place, account))


def _url_of(place: Place, account: str) -> str:
    return re.sub(r"//[^@]*@", f"//{account}:secret@", place.servers.amqp_url)


@pytest.fixture(scope="module")
def ruled(make_shell: MakeShell) -> Iterator[Ruled]:
    """On a virtual host where nothing was: the worker declares it all."""
    place = make_shell().place
    place = replace(place, servers=replace(place.servers, amqp_url=_url_of(place, "worker")))
    rules = place.folder / "rules.toml"
    rules.write_text(RULES, encoding="utf-8")
    place = _WithRules(**vars(place), rules=rules)
    with running_memlane(place) as memlane:
        memlane.wait_until_ready()
        yield Ruled(Shell(place))
        assert memlane.stop() == 0


@dataclass(frozen=True, kw_only=True)
class _WithRules(Place):
    """A place whose processes read a rules file."""

    rules: Path

    def environment(self) -> dict[str, str]:
        """With the file."""
        return {**super().environment(), "MEMLANE_ACCESS_RULES": str(self.rules)}


def test_a_producer_writes_and_reads_its_own(ruled: Ruled) -> None:
    """And is told what it may not, with an exit code that is neither "not found" nor "usage"."""
    alice = ruled.shell("alice")
    stored = alice.run("store", "alice", "k", '"mine"', "--wait", "all")
    assert stored.code == 0, stored.err
    assert alice.run("get", "alice", "k").code == 0
    denied = alice.run("get", "bob", "k")
    assert (denied.code, denied.out) == (1, "")
    assert "account 'alice' may not read the memory of 'bob'" in denied.err
    assert "MEMLANE_ACCESS_RULES" in denied.err


def test_an_operator_sees_how_it_is_and_what_is_parked(ruled: Ruled) -> None:
    """The status with all numbers, the topology, the dead-letter queues; it can not store."""
    alice = ruled.shell("alice")
    assert alice.run("store", "bob", "k", "1", "--wait", "sqlite").code != 0
    operator = ruled.shell("operator")
    status = operator.run("status", "--json")
    assert status.code == 0, status.err
    assert all(sink["stats"] is not None for sink in status.records[0]["sinks"].values())
    checked = operator.run("topology", "check")
    assert checked.code == 0, checked.err
    parked = operator.run("dead", "list", "sqlite", "--json")
    assert parked.code == 0, parked.err
    assert {record["error"] for record in parked.records} == {"AccessDenied"}
    refused = alice.run("topology", "check")
    assert refused.code == 1
    assert "right to configure" in refused.err


def test_sinks_are_read_by_workers_only(ruled: Ruled) -> None:
    """Everybody else is told at once, and what to be instead: with a backup one has everybody's memory."""
    assert ruled.shell("alice").run("store", "alice", "kept", "1", "--wait", "all").code == 0
    for account, told in (("operator", "may not read sinks"), ("alice", "can't read how the sinks stand")):
        for command in (["backup", "create"], ["export"], ["prune", "--older-than", "1s", "--dry-run"]):
            refused = ruled.shell(account).run(*command)
            assert (refused.code, refused.out) == (1, ""), refused
            assert told in refused.err
            assert "docs/access.md" in refused.err
    made = ruled.worker.run("backup", "create", "--name", "by-a-worker")
    assert made.code == 0, made.err
    restored = ruled.worker.run("backup", "restore", "by-a-worker", "--deadline", "30s")
    assert restored.code == 0, restored.err
    rolled = ruled.worker.run("backup", "restore", "by-a-worker", "--as-new", "--yes", "--deadline", "30s")
    assert rolled.code == 0, rolled.err


def test_a_rules_file_is_checked_and_tried(ruled: Ruled, tmp_path: Path) -> None:
    """As a worker would read it; nobody is asked."""
    shell = ruled.shell("alice")
    path = tmp_path / "rules.toml"
    (example,) = re.findall(
        r"<!-- example: access-rules -->\n```toml\n(.*?)```", (DOCS / "access.md").read_text(), re.S
    )
    path.write_text(example, encoding="utf-8")
    assert shell.run("access", "check", str(path)).out == (
        "the file can work: 3 rules, 2 worker accounts, 1 gateway account\n"
    )
    tried = shell.run(
        "access",
        "check",
        str(path),
        "--account",
        "bot",
        "--user",
        "shop",
        "--namespace",
        "public/x",
        "--json",
    )
    assert (tried.code, tried.records) == (0, [{"read": True, "write": False}])
    assert shell.run("access", "check", str(path), "--account", "bot", "--user", "shop").code == 1
    assert shell.run("access", "check", str(path), "--account", "bot").code == 2
    path.write_text("[[rules]]\nuser = 1\n")
    wrong = shell.run("access", "check", str(path))
    assert wrong.code == 1
    assert "rules.0." in wrong.err


def test_a_rules_file_that_can_not_work_is_an_error_at_start(ruled: Ruled, tmp_path: Path) -> None:
    """Before anything is declared or consumed."""
    path = tmp_path / "rules.toml"
    path.write_text("rule = []\n")
    failed = ruled.worker.having(MEMLANE_ACCESS_RULES=str(path)).run("up")
    assert failed.code == 1
    assert "rule: there is no such field" in failed.err
