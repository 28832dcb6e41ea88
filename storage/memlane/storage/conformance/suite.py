"""The suite as one class."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import given

from memlane.storage.conformance import asking
from memlane.storage.conformance.batches import Batches
from memlane.storage.conformance.convergence import check_convergence
from memlane.storage.conformance.digests import Digests, Stats
from memlane.storage.conformance.expired_stores import ExpiredStores
from memlane.storage.conformance.expiry import Expiry
from memlane.storage.conformance.fetching import Fetching
from memlane.storage.conformance.filtering import Filtering
from memlane.storage.conformance.forgetting import BelowTheFloor, Forgetting
from memlane.storage.conformance.lifecycle import Concurrency, Lifecycle
from memlane.storage.conformance.listing import Listing
from memlane.storage.conformance.marks import MarksAmongMarks, NamespaceDeletes, UserDeletes
from memlane.storage.conformance.plans import Plan, delivery_plans
from memlane.storage.conformance.profiles import on_one_sink
from memlane.storage.conformance.ranking import Ranking
from memlane.storage.conformance.searching import Searching
from memlane.storage.conformance.stores import AddressDeletes, Stores
from memlane.storage.conformance.strategies import fresh_names
from memlane.storage.conformance.users import Users
from memlane.storage.conformance.values import Values
from memlane.storage.sink import Sink


class Converging:
    """Any interleaving, duplication and reordering."""

    @on_one_sink()
    @given(plan=delivery_plans(sinks=1), users=fresh_names())
    async def test_any_deliveries_end_the_same(self, sink: Sink, plan: Plan, users: str) -> None:
        """What a sink holds, and what it answers, depends only on the set of commands it got."""
        await check_convergence([sink], plan, users=users)


@pytest.mark.asyncio
class SinkConformance(
    Stores,
    AddressDeletes,
    NamespaceDeletes,
    MarksAmongMarks,
    UserDeletes,
    Batches,
    Expiry,
    ExpiredStores,
    Forgetting,
    BelowTheFloor,
    Values,
    Fetching,
    Listing,
    Filtering,
    Searching,
    Ranking,
    Users,
    Digests,
    Stats,
    Lifecycle,
    Concurrency,
    Converging,
):
    """Everything that every sink promises.

    Subclass it, and give it the fixture `sink`: an empty sink, entered, for each test.
    """

    @pytest_asyncio.fixture(autouse=True)
    async def adds_up(self, sink: Sink) -> AsyncIterator[None]:
        """Whatever a test did: afterwards the digests are what the rows and marks add up to."""
        yield
        await asking.held(sink)
