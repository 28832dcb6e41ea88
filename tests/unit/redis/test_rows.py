"""How instants and content are written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.contracts.fingerprint import command_hash
from memlane.contracts.instants import to_microseconds
from memlane.storage.damage import is_readable
from memlane.storage.redis.rows import (
    content_hash,
    decode_entry,
    encode_about,
    entry_of,
    sortable,
    sortable_us,
)
from memlane.storage.redis.scripts import APPLY, FETCH

VERSION = "01890a5d-ac96-774b-bcce-b302099a8057"


@given(st.lists(st.datetimes(timezones=st.just(UTC))))
def test_instants_sort_as_text(instants: list[datetime]) -> None:
    """From the year 1 to 9999, to the microsecond."""
    texts = [sortable(instant) for instant in instants]
    assert {len(text) for text in texts} <= {18}
    assert sorted(texts) == [sortable(instant) for instant in sorted(instants)]


def test_the_ends_of_time_do_not_break_the_order() -> None:
    """An offset can put an instant outside of the years 1 to 9999."""
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    last = datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-12)))
    assert sortable(first) == "0" * 18
    assert sortable(last) > sortable_us(to_microseconds(datetime.max.replace(tzinfo=UTC)))
    assert len(sortable(last)) == 18


def _command() -> StoreCommand:
    return StoreCommand(
        id=VERSION,
        user_id="u",
        key="k",
        value_json=["\x1f", {"a": []}],  # type: ignore[arg-type]  # taken as a value, kept as its text
        tags=("b", "a"),
        session_id="s",
        metadata_json={"big": 2**70},  # type: ignore[arg-type]
        expires_at=datetime(2030, 1, 1, tzinfo=UTC),
    )


def test_content_comes_back_whole() -> None:
    """And gives the command's hash again."""
    command = _command()
    about = encode_about(command)
    entry = decode_entry("\x1f".join(("u", "default", "k", VERSION, about, command.value_json)))
    assert (entry.value_json, entry.metadata_json) == (command.value_json, command.metadata_json)
    assert (entry.tags, entry.session_id, entry.project_id) == (("a", "b"), "s", None)
    assert entry.expires_at == command.expires_at
    found = entry_of(Address("u", "default", "k"), VERSION, command.value_json, about)
    assert content_hash(found) == command_hash(command)


@pytest.mark.parametrize("about", ["", "null", "[]", "{}", "[1,2,3,4,5,6,7]", "[1,2,3,4,5,6,7,8]", "no"])
def test_damaged_content_has_no_hash(about: str) -> None:
    """Whatever is wrong with it, nothing is raised."""
    assert content_hash(entry_of(Address("u", "default", "k"), VERSION, "1", about)) is None


def test_content_of_wrong_types_has_no_hash() -> None:
    """Nor is anything raised, now or when it is asked whether it can be read."""
    entry = entry_of(Address("u", "default", "k"), VERSION, "1", '["{}",[1],"x",2,3,4,5]')
    assert entry is not None
    assert content_hash(entry) is None
    assert not is_readable(entry)


def test_scripts_are_packaged_with_what_they_need() -> None:
    """Redis knows a script by the SHA-1 of its text."""
    assert "local function purge(" in APPLY.source
    assert len({APPLY.digest, FETCH.digest}) == 2
    assert len(APPLY.digest) == 40
