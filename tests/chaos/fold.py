"""What must be at each address when everything confirmed has had its effect: the highest version wins.

Nothing of memlane's own deciding is used here: two implementations of one rule are held against each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from memlane.contracts.address import Address
from memlane.contracts.fingerprint import Digest, digest_of
from memlane.storage.rows import Scope
from tests.chaos.journal import Said


@dataclass(frozen=True, slots=True)
class Expected:
    """What may be at one address.

    Attributes:
        top: the newest command that must have had its effect there, a covering scope delete included; None
            where there is none.
        options: newer ones that may have had it.
    """

    top: Said | None
    options: tuple[Said, ...] = ()

    def live(self, now_us: int) -> list[Said]:
        """The stores that may be visible, those that had not expired by then."""
        return [said for said in self._all() if is_live(said, now_us)]

    def may_be_gone(self, now_us: int) -> bool:
        """Whether nothing may be visible."""
        return self.top is None or any(not is_live(said, now_us) for said in self._all())

    def rows(self) -> list[Said | None]:
        """The version rows that a sink may keep; None: no row."""
        return [None if said is None or said.kind == "mark" else said for said in (self.top, *self.options)]

    def _all(self) -> Iterator[Said]:
        if self.top is not None:
            yield self.top
        yield from self.options


def is_live(said: Said, now_us: int) -> bool:
    """Whether a command leaves something visible."""
    return said.kind == "store" and (said.expires_us is None or said.expires_us > now_us)


@dataclass(slots=True)
class Fold:
    """The fold of a run's commands.

    Attributes:
        rows: the newest certain store or delete of each address.
        marks: the newest certain delete of each scope.
        options: uncertain stores and deletes, by address.
        option_marks: uncertain scope deletes, by user.
    """

    rows: dict[Address, Said] = field(default_factory=dict)
    marks: dict[Scope, Said] = field(default_factory=dict)
    options: dict[Address, list[Said]] = field(default_factory=lambda: defaultdict(list))
    option_marks: dict[str, list[Said]] = field(default_factory=lambda: defaultdict(list))

    @property
    def addresses(self) -> set[Address]:
        """All that a command named."""
        return self.rows.keys() | self.options.keys()

    @property
    def is_certain(self) -> bool:
        """Whether nothing may be one way or the other."""
        return not self.options and not self.option_marks

    def at(self, address: Address) -> Expected:
        """What may be at an address."""
        certain = [said for said in (self.rows.get(address), self._covering(address)) if said is not None]
        top = max(certain, key=_order, default=None)
        uncertain = [*self.options.get(address, ()), *self._uncertain_marks(address)]
        newer = [said for said in uncertain if top is None or _order(said) > _order(top)]
        return Expected(top, tuple(newer))

    def standing_marks(self) -> dict[Scope, Said]:
        """The certain marks that no newer one of a wider scope covers."""
        return {scope: mark for scope, mark in self.marks.items() if not self._is_covered(scope, mark)}

    def digest(self) -> Digest:
        """Of what a sink keeps when nothing is uncertain."""
        tops = (self.at(address).top for address in self.rows)
        rows = [top.hash for top in tops if top is not None and top.kind != "mark"]
        return digest_of([*rows, *(mark.hash for mark in self.standing_marks().values())])

    def _covering(self, address: Address) -> Said | None:
        found = [self.marks[scope] for scope in scopes_of(address) if scope in self.marks]
        return max(found, key=_order, default=None)

    def _uncertain_marks(self, address: Address) -> list[Said]:
        scopes = set(scopes_of(address))
        return [mark for mark in self.option_marks.get(address.user_id, ()) if mark.place in scopes]

    def _is_covered(self, scope: Scope, mark: Said) -> bool:
        wider = [Scope(scope.user_id, None)] if scope.namespace is not None else []
        wider += [Scope(scope.user_id, one) for one in _above(scope.namespace or "")[:-1]]
        return any(_order(self.marks[one]) > _order(mark) for one in wider if one in self.marks)


def fold(certain: Iterable[Said], uncertain: Iterable[Said] = ()) -> Fold:
    """Folds commands, in whatever order they are."""
    result = Fold()
    for said in certain:
        if isinstance(said.place, Scope):
            _keep_newest(result.marks, said.place, said)
        else:
            _keep_newest(result.rows, said.place, said)
    for said in uncertain:
        if isinstance(said.place, Scope):
            result.option_marks[said.place.user_id].append(said)
        else:
            result.options[said.place].append(said)
    return result


def scopes_of(address: Address) -> list[Scope]:
    """The scopes whose delete takes an address with it."""
    namespaces = [None, *_above(address.namespace)]
    return [Scope(address.user_id, namespace) for namespace in namespaces]


def _above(namespace: str) -> list[str]:
    parts = namespace.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _keep_newest(kept: "dict[Address, Said] | dict[Scope, Said]", place: Address | Scope, said: Said) -> None:
    by_place: dict[Address | Scope, Said] = kept  # type: ignore[assignment]  # each is only given its own keys
    if place not in by_place or _order(said) > _order(by_place[place]):
        by_place[place] = said


def _order(said: Said) -> tuple[str, str]:
    return said.version, said.hash
