"""Whose message it is: what the broker verified, never what somebody says."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.headers import ON_BEHALF_OF, PRINCIPAL, REPAIR
from memlane.workers.access import Principal, is_repair, principal_headers, principal_of

WORKERS: Final = frozenset({"worker"})

anything = st.none() | st.integers() | st.booleans() | st.text() | st.binary() | st.lists(st.text())


@given(user_id=st.none() | st.text(), claimed=anything, for_whom=anything)
def test_nobody_but_a_worker_is_believed(user_id: str | None, claimed: Any, for_whom: Any) -> None:
    """Whatever the headers say, an account stays itself."""
    if user_id in WORKERS:
        return
    found = principal_of(user_id, {PRINCIPAL: claimed, ON_BEHALF_OF: for_whom}, WORKERS)
    assert found.account == (user_id or None)


@pytest.mark.parametrize(
    ("headers", "account"),
    [
        ({}, "worker"),
        ({PRINCIPAL: "alice"}, "alice"),
        ({PRINCIPAL: ""}, None),
        ({PRINCIPAL: None}, None),
        ({PRINCIPAL: 7}, None),
        ({PRINCIPAL: "a" * 256}, None),
    ],
)
def test_a_worker_that_names_nobody_readable_gives_no_rights(
    headers: dict[str, Any], account: str | None
) -> None:
    """It is the worker itself only where it names nobody at all."""
    assert principal_of("worker", headers, WORKERS).account == account


@given(account=st.none() | st.text(min_size=1, max_size=255), for_whom=st.none() | st.text(max_size=255))
def test_a_principal_survives_the_hands_of_a_worker(account: str | None, for_whom: str | None) -> None:
    """Also the one that is nobody: it does not become the worker."""
    before = Principal(account, for_whom)
    assert principal_of("worker", principal_headers(before), WORKERS) == before


def test_a_claim_that_can_be_nobodys_name_names_nobody() -> None:
    """So a gateway that sends it has no rights, rather than all of its own."""
    assert principal_of("gateway", {ON_BEHALF_OF: 7}, WORKERS) == Principal("gateway", "")
    assert principal_of("gateway", {ON_BEHALF_OF: "a" * 256}, WORKERS) == Principal("gateway", "")


@given(user_id=st.none() | st.text(), claimed=anything)
def test_nobody_but_a_worker_repairs(user_id: str | None, claimed: Any) -> None:
    """And it says so by nothing but `true`."""
    assert is_repair("worker", {REPAIR: True}, WORKERS)
    assert not is_repair("worker", {}, WORKERS)
    assert claimed is True or not is_repair("worker", {REPAIR: claimed}, WORKERS)
    assert user_id in WORKERS or not is_repair(user_id, {REPAIR: True}, WORKERS)
