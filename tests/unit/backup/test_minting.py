"""New versions for a rollback: all of one instant, none twice, each behind what it replaces."""

from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.version import make_version, successor
from memlane.storage.conformance.strategies import versions
from memlane.workers.backup.minting import Minting

BEGIN = make_version(1_700_000_000_000, 1 << 72)


@given(floors=st.lists(versions() | st.just(BEGIN) | st.just(successor(BEGIN)), max_size=30))
def test_each_is_new_and_newer_than_what_it_replaces(floors: list[str]) -> None:
    """Whatever clocks those come from."""
    minting = Minting(BEGIN)
    minted = [minting.after(floor) for floor in floors]
    assert all(new > floor for new, floor in zip(minted, floors, strict=True))
    assert len(set(minted)) == len(minted)
    assert all(new > BEGIN for new in minted)


def test_what_is_written_after_it_began_is_newer() -> None:
    """Only where a clock that runs ahead is in the way, a version is from ahead; the others are not."""
    minting = Minting(BEGIN)
    ahead = make_version(1_700_000_060_000, 5)
    assert minting.after(ahead) == successor(ahead)
    later = make_version(1_700_000_000_001, 0)
    assert all(minting.after("") < later for _ in range(1000))
