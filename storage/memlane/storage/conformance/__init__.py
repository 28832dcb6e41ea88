"""The suite that holds every sink to its contract. Add yours by a class with a fixture.

```python
class TestMySink(SinkConformance):
    @pytest_asyncio.fixture
    async def sink(self) -> AsyncIterator[Sink]:
        async with MySink(...) as sink:
            yield sink
```

A sink that can't take every value also passes `RefusalConformance`; one whose store a test can damage,
`DamageConformance`. `check_convergence` and `convergence_machine` compare several sinks with each other.
"""

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from memlane.storage.conformance.convergence import check_convergence
    from memlane.storage.conformance.damage import DamageConformance
    from memlane.storage.conformance.machine import convergence_machine
    from memlane.storage.conformance.plans import Plan, Step, delivery_plans
    from memlane.storage.conformance.refusals import RefusalConformance
    from memlane.storage.conformance.suite import SinkConformance

__all__ = [
    "DamageConformance",
    "Plan",
    "RefusalConformance",
    "SinkConformance",
    "Step",
    "check_convergence",
    "convergence_machine",
    "delivery_plans",
]

_HOMES = {
    "DamageConformance": "damage",
    "Plan": "plans",
    "RefusalConformance": "refusals",
    "SinkConformance": "suite",
    "Step": "plans",
    "check_convergence": "convergence",
    "convergence_machine": "machine",
    "delivery_plans": "plans",
}
_WITH_ASSERTIONS = (
    "asking", "batches", "convergence", "damage", "digests", "expired_stores", "expiry", "fetching",
    "filtering", "forgetting", "lifecycle", "listing", "marks", "ranking", "refusals", "searching",
    "stores", "users", "values",
)  # fmt: skip
pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in _WITH_ASSERTIONS))


def __getattr__(name: str) -> object:
    # Imported when it is asked for: the suite takes its number of examples from the profile that a
    # conftest.py has loaded from `profiles` by then.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
