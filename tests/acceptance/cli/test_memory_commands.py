"""store, get, list, search, delete, forget: what each prints, and how it ends."""

from memlane.producers.cli.formatting import count_of
from tests.acceptance.shell import Shell


def test_what_is_stored_is_got(system: Shell, user: str) -> None:
    """As text; with --json, all of it."""
    stored = system.run("store", user, "favorite_color", "blue", "--tag", "taste", "--importance", "7")
    assert stored.code == 0, stored.err
    assert stored.out.startswith(f"stored {user}:favorite_color  (confirmed by the broker, version ")

    # Another process: it has not written this itself, and a confirm is not yet an apply.
    assert system.run("store", user, "fence", "x", "--wait", "all").code == 0
    got = system.run("get", user, "favorite_color")
    assert (got.code, got.out, got.err) == (0, "blue\n", "")

    (entry,) = system.run("get", user, "favorite_color", "--json").records
    assert (entry["value"], entry["tags"], entry["importance"]) == ("blue", ["taste"], 7)


def test_a_value_is_text_unless_said_otherwise(system: Shell, user: str) -> None:
    """From an argument or from stdin."""
    system.run("store", user, "text", "[1]", "--wait", "all")
    system.run("store", user, "json", "[1]", "--json-value", "--wait", "all")
    system.run("store", user, "piped", "--wait", "all", stdin=b"two\nlines\n")
    system.run("store", user, "dash", "-", "--json-value", "--wait", "all", stdin=b'{"a": null}')

    values = {entry["key"]: entry["value"] for entry in system.run("list", user, "--json").records}
    assert values == {"text": "[1]", "json": [1], "piped": "two\nlines", "dash": {"a": None}}
    assert system.run("get", user, "dash").out == '{"a":null}\n'


def test_everything_that_belongs_to_an_entry_can_be_said(system: Shell, user: str) -> None:
    """And is found by it."""
    options = ("--namespace", "work/q1", "--ttl", "7d", "--session", "s1", "--project", "p1")
    done = system.run(
        "store", user, "plan", "ship it", *options, "--metadata", '{"from": "chat"}', "--wait", "all"
    )
    assert done.code == 0, done.err
    system.run("store", user, "other", "ship it", "--wait", "all")

    (entry,) = system.run("get", user, "plan", "--namespace", "work/q1", "--json").records
    assert (entry["session_id"], entry["project_id"], entry["metadata"]) == ("s1", "p1", {"from": "chat"})
    assert entry["expires_at"] > entry["created_at"]
    for chosen in (
        ("--namespace", "work"),
        ("--session", "s1"),
        ("--metadata", '{"from": "chat"}'),
        ("--key", "pl*"),
    ):
        assert [row["key"] for row in system.run("search", user, "ship", *chosen, "--json").records] == [
            "plan"
        ]


def test_waiting_tells_what_each_sink_decided(system: Shell, user: str) -> None:
    """And a sink that does not decide in time is exit code 3."""
    both = system.run("store", user, "k", "v", "--wait", "sqlite,redis")
    assert both.code == 0
    assert both.out.splitlines()[1:] == ["  redis: applied", "  sqlite: applied"]

    (receipt,) = system.run("store", user, "k", "v", "--wait", "any", "--json").records
    assert receipt["confirmed"] is True
    assert {"decision": "applied"} in receipt["sinks"].values()

    missing = system.run("store", user, "k", "v", "--wait", "sqlite,nosuch", "--deadline", "500ms")
    assert missing.code == 3
    assert "  nosuch: has not decided yet" in missing.out


def test_what_is_not_there_is_exit_code_4(system: Shell, user: str) -> None:
    """Which is another thing than an answer that nobody could give."""
    done = system.run("get", user, "nothing", "--consistency", "all")
    assert (done.code, done.out) == (4, "")
    assert done.err == f"error: nothing is remembered at {user}:nothing\n"


def test_a_list_goes_on_page_by_page_and_comes_back_by_an_import(system: Shell, user: str) -> None:
    """`list --json` is what `import jsonl` takes."""
    lines = "".join(f'{{"user_id": "{user}", "key": "k{n}", "value": {n}}}\n' for n in range(1100))
    imported = system.run("import", "jsonl", "-", "--wait", "all", "--deadline", "30s", stdin=lines.encode())
    assert imported.code == 0, imported.err

    newest = system.run("list", user, "--limit", "600")
    assert [row[1] for row in newest.rows[:2]] == ["k1099", "k1098"]
    assert len(newest.rows) == 600
    assert newest.err == "there is more: raise --limit, or say --all\n"

    everything = system.run("list", user, "--all", "--oldest", "--json")
    assert (everything.code, everything.err) == (0, "")
    assert [entry["value"] for entry in everything.records] == list(range(1100))

    system.run("forget", user, "--yes", "--wait", "all")
    back = system.run("import", "jsonl", "-", stdin=everything.out.replace(user, f"{user}-2").encode())
    assert back.out.startswith(f"imported 1,100 of {count_of(1100, 'line')}")
    assert back.err == ""  # each line says from when it is


def test_rows_are_cells_with_tabs_between_them(system: Shell, user: str) -> None:
    """Namespace, key, value as JSON, tags, importance, updated, expires."""
    system.run("store", user, "k", "a\tb\nc", "--tag", "x", "--tag", "y", "--wait", "all")
    ((namespace, key, value, tags, importance, updated, expires),) = system.run("list", user).rows
    assert (namespace, key, value, tags, importance, expires) == (
        "default",
        "k",
        '"a\\tb\\nc"',
        "x,y",
        "5",
        "",
    )
    assert updated.endswith("Z")


def test_a_search_finds_what_any_word_is_about(system: Shell, user: str) -> None:
    """Several words without quotes; none lists the newest."""
    system.run("store", user, "drink", "mint tea without sugar", "--wait", "all")
    system.run("store", user, "pet", "a cat called Pixel", "--wait", "all")
    assert [hit["key"] for hit in system.run("search", user, "cats", "dogs", "--json").records] == ["pet"]
    assert [row[1] for row in system.run("search", user).rows] == ["pet", "drink"]
    assert system.run("search", user, "nothing of the kind").out == ""


def test_deletes_mean_what_is_said(system: Shell, user: str) -> None:
    """An address; a namespace and all below it; a user."""
    for namespace, key in (("default", "a"), ("home", "b"), ("home/cat", "c"), ("homely", "d")):
        system.run("store", user, key, "v", "--namespace", namespace, "--wait", "all")

    assert system.run("delete", user, "a", "--wait", "all").code == 0
    assert system.run("get", user, "a").code == 4

    below = system.run("delete", user, "--namespace", "home", "--all", "--yes", "--wait", "all")
    assert below.out.startswith(f"deleted everything of {user} in home  (confirmed")
    assert [row[1] for row in system.run("list", user).rows] == ["d"]

    (receipt,) = system.run("forget", user, "--yes", "--wait", "all", "--json").records
    assert receipt["sinks"] == {"redis": {"decision": "applied"}, "sqlite": {"decision": "applied"}}
    assert system.run("list", user).out == ""


def test_without_a_terminal_or_yes_nothing_is_destroyed(system: Shell, user: str) -> None:
    """Exit code 2."""
    system.run("store", user, "k", "v", "--wait", "all")
    assert system.run("forget", user).code == 2
    assert system.run("delete", user, "--namespace", "default", "--all").code == 2
    assert system.run("get", user, "k").out == "v\n"


def test_bad_input_is_exit_code_2_and_names_the_field(system: Shell, user: str) -> None:
    """Nothing is sent."""
    for arguments, told in (
        (("store", user, "", "v"), "error: key: "),
        (("store", user, "k", "v", "--importance", "11"), "error: importance: "),
        (("store", user, "k", "v", "--namespace", "a//b"), "error: namespace: "),
        (("store", user, "k", '{"a": NaN}', "--json-value"), "error: value.a: NaN"),
        (("list", user, "--importance-min", "0"), "error: importance_min: "),
    ):
        done = system.run(*arguments)
        assert done.code == 2, done
        assert done.err.startswith(told), done.err
        assert done.err.count("\n") == 1


def test_a_reader_that_left_is_no_error_message(system: Shell, user: str) -> None:
    """`memlane list … | head -1`."""
    system.run("store", user, "k", "v", "--wait", "all")
    with system.start("list", user) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 141
