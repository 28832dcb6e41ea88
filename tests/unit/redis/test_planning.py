"""What the script is sent, and what its answer means."""

import json
from datetime import UTC, datetime

from memlane.contracts.command import AnyCommand, DeleteAddress, DeleteNamespace, DeleteUser, StoreCommand
from memlane.contracts.fingerprint import address_hash, command_hash
from memlane.contracts.instants import to_microseconds
from memlane.storage.outcome import APPLIED, Outcome
from memlane.storage.redis.planning import plan_batch, read_outcomes
from memlane.storage.redis.rows import sortable, user_hash

VERSION = "01890a5d-ac96-774b-bcce-b302099a8057"
NOW = datetime(2026, 1, 31, tzinfo=UTC)
LATER = datetime(2026, 2, 1, tzinfo=UTC)


def _store(user: str, key: str, expires: datetime | None = None) -> StoreCommand:
    return StoreCommand(id=VERSION, user_id=user, key=key, value_json=[], expires_at=expires)  # type: ignore[arg-type]


def test_a_plan_names_each_user_once_and_holds_no_value() -> None:
    """Values go beside it, as they are, and only those that are to be kept."""
    commands: list[AnyCommand] = [
        _store("u", "live", LATER),
        _store("v", "expired", NOW),
        DeleteAddress(id=VERSION, user_id="u", key="deleted"),
        DeleteNamespace(id=VERSION, user_id="v", namespace="a/b"),
        DeleteUser(id=VERSION, user_id="u"),
    ]
    plan = plan_batch(commands, to_microseconds(NOW))
    tree = json.loads(plan.text)
    assert tree["users"] == [[user_hash("u"), "u"], [user_hash("v"), "v"]]
    assert [(line[0], line[1]) for line in tree["commands"]] == [
        ("1", 0), ("3", 1), ("2", 0), ("mark", 1), ("mark", 0),
    ]  # fmt: skip
    assert [line[4] for line in tree["commands"]] == [command_hash(command) for command in commands]
    live = tree["commands"][0]
    assert live[2:4] == [address_hash("u", "default", "live"), VERSION]
    assert live[7] == sortable(LATER)
    assert tree["commands"][3][2] == address_hash("v", "a/b")[:3]
    assert plan.contents[0] == "[]"
    assert len(plan.contents) == 2


def test_what_the_script_does_not_name_was_applied() -> None:
    """It names the others by their index."""
    assert read_outcomes(3, [1]) == [APPLIED] * 3
    assert read_outcomes(4, [0, 1, "superseded", VERSION, 3, "refused", ""]) == [
        APPLIED,
        Outcome("superseded", newer=VERSION),
        APPLIED,
        Outcome("refused", "refused before"),
    ]
