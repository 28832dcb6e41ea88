"""import jsonl: everything good, nothing twice, what is bad by its line."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.shell import Shell


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """A file to write lines to."""
    return tmp_path / "lines.jsonl"


# Any: what JSON can say.
def write(path: Path, *lines: dict[str, Any]) -> str:
    """Writes a line of JSON each; returns the path."""
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return str(path)


def values(system: Shell, user: str) -> dict[str, Any]:
    """What is remembered of a user."""
    return {entry["key"]: entry["value"] for entry in system.run("list", user, "--all", "--json").records}


def test_the_last_line_of_an_address_wins_however_often_it_is_imported(
    system: Shell, user: str, lines: Path
) -> None:
    """The second time everything is as it was."""
    said = [{"user_id": user, "key": f"k{n % 50}", "value": n, "turn": n} for n in range(1200)]
    path = write(lines, *said)
    first = system.run("import", "jsonl", path, "--wait", "all", "--deadline", "30s", "--json")
    assert first.code == 0, first.err
    (report,) = first.records
    assert (report["read"], report["sent"], report["bad"]) == (1200, 1200, 0)
    expected = {f"k{n % 50}": n for n in range(1200)}
    assert values(system, user) == expected
    (before,) = system.run("status", "--json").records

    assert system.run("import", "jsonl", path, "--wait", "all", "--deadline", "30s").code == 0
    assert values(system, user) == expected
    (after,) = system.run("status", "--json").records
    assert [sink["digest"] for sink in after["sinks"].values()] == [
        sink["digest"] for sink in before["sinks"].values()
    ]
    (entry,) = system.run("get", user, "k7", "--json").records
    assert entry["metadata"] == {"turn": 1157}


def test_an_import_without_times_replaces_nothing_and_brings_nothing_back(
    system: Shell, user: str, lines: Path
) -> None:
    """It fills gaps; `--as-of` says otherwise."""
    system.run("store", user, "said", "by the user", "--wait", "all")
    system.run("delete", user, "deleted", "--wait", "all")
    old = [{"user_id": user, "key": key, "value": "from a file"} for key in ("said", "deleted", "new")]
    path = write(lines, *old)

    done = system.run("import", "jsonl", path, "--wait", "all")
    assert done.code == 0
    assert "  sqlite: 1 applied, 2 superseded" in done.out
    assert "3 lines without a time of their own count as older than everything else" in done.err
    assert values(system, user) == {"said": "by the user", "new": "from a file"}

    dated = system.run("import", "jsonl", path, "--as-of", "2099-01-01T00:00:00Z")
    assert dated.code == 2
    assert "is in the future" in dated.err


def test_lines_that_say_from_when_they_are_count_from_then(system: Shell, user: str, lines: Path) -> None:
    """Whatever their order."""
    newer = {"user_id": user, "key": "k", "value": "newer", "updated_at": "2021-01-01T00:00:00Z"}
    older = {"user_id": user, "key": "k", "value": "older", "updated_at": "2020-01-01T00:00:00Z"}
    done = system.run("import", "jsonl", write(lines, newer, older), "--wait", "all")
    assert (done.code, done.err) == (0, "")
    assert values(system, user) == {"k": "newer"}

    # Without a time, but of a file that is from now.
    write(lines, {"user_id": user, "key": "k", "value": "newest"})
    assert system.run("import", "jsonl", str(lines), "--as-of", "file", "--wait", "all").code == 0
    assert values(system, user) == {"k": "newest"}


def test_bad_lines_are_told_and_the_others_imported(system: Shell, user: str, lines: Path) -> None:
    """Exit code 1; at most twenty are told one by one."""
    write(lines, {"user_id": user, "key": "good", "value": 1})
    with lines.open("ab") as file:
        file.write(b'{"user_id": "u", "key": "k", "value": NaN}\n\nnot json\n' + b"[]\n" * 30)
    done = system.run("import", "jsonl", str(lines), "--wait", "all")
    assert done.code == 1
    assert done.out.startswith("imported 1 of 33 lines")
    assert "32 bad lines left out" in done.out
    told = done.err.splitlines()
    assert told[0] == "line 2: value: NaN is not a JSON number"
    assert told[1].startswith("line 4: line: not JSON")
    assert told[20] == "… and 12 more bad lines"
    assert values(system, user) == {"good": 1}


def test_a_dry_run_asks_nobody(shell: Shell, lines: Path) -> None:
    """Not even a broker that is not there."""
    path = write(lines, {"user_id": "u", "key": "k", "value": 1}, {"user_id": "u"})
    done = shell.having(MEMLANE_AMQP_URL="amqp://guest:guest@127.0.0.1:1/").run(
        "import", "jsonl", path, "--dry-run"
    )
    assert done.code == 1
    assert done.out == "dry run: 1 of 2 lines could be imported, 1 bad line left out; nothing was sent\n"


def test_an_import_that_cannot_be_sent_says_how_far_it_came(shell: Shell, lines: Path) -> None:
    """And that it may be run again."""
    path = write(lines, {"user_id": "u", "key": "k", "value": 1})
    done = shell.run("import", "jsonl", path)
    assert done.code == 1
    assert "stopped: 0 lines are stored for certain; run the same import again" in done.err
    assert "To do: start `memlane up`, or `memlane topology apply`" in done.err


def test_a_file_that_is_not_there_is_a_usage_error(shell: Shell) -> None:
    """By its name."""
    done = shell.run("import", "jsonl", "no-such-file.jsonl")
    assert done.code == 2
    assert "no-such-file.jsonl" in done.err
