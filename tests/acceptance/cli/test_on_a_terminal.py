"""What a person sees: tables, questions, a bar."""

from tests.acceptance.shell import Shell


def test_a_list_is_a_table(system: Shell, user: str) -> None:
    """With a head, and without empty columns; a stored escape sequence is not obeyed."""
    system.run("store", user, "k", "\x1b[2Jblue", "--wait", "all")
    done = system.on_terminal("list", user)
    assert done.code == 0
    assert "namespace" in done.out
    assert "\\u001b[2Jblue" in done.out
    assert "\x1b[2J" not in done.out
    assert "tags" not in done.out


def test_a_person_is_asked_before_a_user_is_forgotten(system: Shell, user: str) -> None:
    """And may say no."""
    system.run("store", user, "k", "v", "--wait", "all")
    refused = system.on_terminal("forget", user, typed=b"n\n")
    assert f"Forget everything of {user}, in all namespaces?" in refused.out
    assert refused.code != 0
    assert system.run("get", user, "k").code == 0

    assert system.on_terminal("forget", user, "--wait", "all", typed=b"y\n").code == 0
    assert system.run("get", user, "k").code == 4


def test_an_import_shows_a_bar(system: Shell, user: str) -> None:
    """Which is gone when it is done."""
    path = system.place.folder / "lines.jsonl"
    path.write_text(f'{{"user_id": "{user}", "key": "k", "value": 1}}\n' * 2000)
    done = system.on_terminal("import", "jsonl", str(path))
    assert "importing" in done.out
    assert "imported 2,000 of 2,000 lines" in done.out


def test_the_status_is_a_picture(system: Shell) -> None:
    """A column a sink."""
    done = system.on_terminal("status")
    assert done.code == 0, done.out
    assert "sqlite" in done.out
    assert "backlog" in done.out
    assert "healthy, the sinks agree" in done.out
