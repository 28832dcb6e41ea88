"""Commands: what is worked out of their fields."""

from memlane.contracts.address import Address
from memlane.contracts.fingerprint import command_hash
from memlane.contracts.instants import to_microseconds
from memlane.storage.conformance.commands import delete, moment, store, version


def test_values_are_parsed_on_use() -> None:
    """They are kept as text."""
    command = store(value={"b": 1, "a": [1.0]}, metadata={"m": None})
    assert command.value_json == '{"a":[1.0],"b":1}'
    assert (command.value, command.metadata) == ({"a": [1.0], "b": 1}, {"m": None})


def test_instants_are_microseconds() -> None:
    """`created_at` defaults to the version's instant, `expires_at` to never."""
    assert (store(at=5).created_us, store(at=5).expires_us) == (to_microseconds(moment(5)), None)
    command = store(created_at=moment(2.000001), expires_at=moment(3))
    assert (command.created_us, command.expires_us) == (
        to_microseconds(moment(2.000001)),
        to_microseconds(moment(3)),
    )


def test_a_copy_works_everything_out_anew() -> None:
    """As when a command is issued once more under a new version, or for another user."""
    command = store(at=1)
    assert (command.address.user_id, command.created_us) == ("u", to_microseconds(moment(1)))
    again = command.model_copy(update={"id": version(9), "user_id": "v"})
    assert again == store(at=9, user="v")
    assert again.address == Address("v", "default", "k")
    assert command_hash(again) == command_hash(store(at=9, user="v"))
    assert delete(at=1).address.key == "k"


def test_tags_are_a_set() -> None:
    """Sorted, each once."""
    assert store(tags=["b", "a", "b"]).tags == ("a", "b")
    assert store(tags=["b", "a", "b"]) == store(tags=["a", "b"])
