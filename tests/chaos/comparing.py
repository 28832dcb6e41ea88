"""A sink's holding against the fold: what is lost, wrong or resurrected, and why that is said of it."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from memlane.contracts.address import Address
from memlane.storage.rows import Kind
from tests.chaos.fold import Expected, Fold, is_live
from tests.chaos.holdings import Holding, Row
from tests.chaos.journal import Place, Said

Fault = Literal["lost", "wrong", "resurrected"]

_KINDS = {"store": (Kind.LIVE, Kind.EXPIRED), "delete": (Kind.DELETED,)}


class Finding(NamedTuple):
    """One thing that is not as it must be.

    Attributes:
        fault: `lost`: what must be visible, or kept as a row, is not. `wrong`: another version or content,
            or something that nobody said. `resurrected`: what was deleted is visible.
        sink: where.
        place: which address or scope.
        reason: what must be there, and what is.
    """

    fault: Fault
    sink: str
    place: Place
    reason: str


def compare(fold: Fold, holding: Holding) -> list[Finding]:
    """Everything about a holding that no order, repetition or loss of unconfirmed commands explains."""
    found = [Finding("wrong", holding.name, place, "its content is damaged") for place in holding.damaged]
    for address in sorted({*fold.addresses, *holding.live, *(holding.rows or ())}):
        expected = fold.at(address)
        live = _live_problem(expected, holding, address)
        row = None if holding.rows is None else _row_problem(expected, holding.rows.get(address))
        # One thing that is not as it must be counts once, as what a reader sees of it.
        problem = live or row
        if problem is not None:
            found.append(Finding(problem[0], holding.name, address, problem[1]))
    found += _mark_problems(fold, holding)
    if holding.digest is not None and holding.digest != holding.counted():
        reason = f"the digest is {holding.digest}, the rows and marks make {holding.counted()}"
        found.append(Finding("wrong", holding.name, Address("", "", "(digest)"), reason))
    read = len(holding.rows or ()) + len(holding.marks or ())
    if holding.kept is not None and holding.kept != read:
        reason = f"it counts {holding.kept} rows and marks, {read} were read"
        found.append(Finding("wrong", holding.name, Address("", "", "(count)"), reason))
    return found


def _live_problem(expected: Expected, holding: Holding, address: Address) -> tuple[Fault, str] | None:
    found = holding.live.get(address)
    may_be = expected.live(holding.swept_us)
    if found is None:
        return (
            None if expected.may_be_gone(holding.as_of_us) else ("lost", f"{_told(may_be[0])} is not visible")
        )
    if any((said.version, said.hash) == found for said in may_be):
        return None
    top = expected.top
    if top is None:
        return "wrong", f"version {found.version}, which nobody stored there"
    if found.version <= top.version and not is_live(top, holding.swept_us):
        return "resurrected", f"version {found.version} is visible, after {_told(top)}"
    return "wrong", f"version {found.version} is visible, not {_told(top)}"


def _row_problem(expected: Expected, found: Row | None) -> tuple[Fault, str] | None:
    may_be = expected.rows()
    if found is None:
        if None in may_be:
            return None
        return "lost", f"no row of {_told(expected.top)}"
    for said in may_be:
        if said is not None and (said.version, said.hash) == found[:2] and found.kind in _KINDS[said.kind]:
            return None
    return "wrong", f"a row {found.kind.name} of version {found.version}, not {_told(expected.top)}"


def _mark_problems(fold: Fold, holding: Holding) -> Iterator[Finding]:
    if holding.marks is None:
        return
    standing = fold.standing_marks()
    uncertain = {(mark.version, mark.hash) for marks in fold.option_marks.values() for mark in marks}
    users_in_doubt = fold.option_marks.keys()
    for scope, mark in standing.items():
        found = holding.marks.get(scope)
        if found != (mark.version, mark.hash) and scope.user_id not in users_in_doubt:
            fault: Fault = "lost" if found is None else "wrong"
            yield Finding(fault, holding.name, scope, f"{_told(mark)}, and the mark there is {found}")
    for scope, found in holding.marks.items():
        if scope not in standing and tuple(found) not in uncertain:
            yield Finding("wrong", holding.name, scope, f"a mark {found.version} that nobody made")


def _told(said: Said | None) -> str:
    if said is None:
        return "nothing"
    return f"the {'scope delete' if said.kind == 'mark' else said.kind} {said.version}"
