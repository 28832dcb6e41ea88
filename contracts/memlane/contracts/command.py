"""Commands: what a producer publishes. A *store*, or a *delete* whose scope is said outright.

*expired* is what repairs and restores say of a store whose content nobody keeps any longer.
"""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, TypeAdapter

from memlane.contracts.address import Address
from memlane.contracts.canonical import Json
from memlane.contracts.entry import Entry
from memlane.contracts.fields import (
    EMPTY_OBJECT,
    CanonicalObject,
    CanonicalValue,
    Importance,
    Tags,
    WireModel,
    parse_text,
)
from memlane.contracts.identifiers import CommandHash, Identifier, Namespace, Version
from memlane.contracts.instants import Instant, to_microseconds
from memlane.contracts.limits import DEFAULT_IMPORTANCE, DEFAULT_NAMESPACE
from memlane.contracts.version import version_instant, version_milliseconds


class StoreCommand(WireModel):
    """Remember a value at an address, in place of whatever older version is there."""

    type: Literal["store"] = "store"
    id: Version = Field(description="The version: orders all commands, and is the idempotency key.")
    user_id: Identifier
    namespace: Namespace = DEFAULT_NAMESPACE
    key: Identifier
    value_json: CanonicalValue = Field(alias="value", description="Any JSON value.")
    tags: Tags = ()
    importance: Importance = DEFAULT_IMPORTANCE
    session_id: Identifier | None = None
    project_id: Identifier | None = None
    metadata_json: CanonicalObject = Field(
        default=EMPTY_OBJECT, alias="metadata", json_schema_extra={"default": {}}
    )
    created_at: Instant | None = Field(default=None, description="When absent: the version's instant.")
    expires_at: Instant | None = Field(default=None, description="From then on it is not returned.")

    @property
    def address(self) -> Address:
        """Where it is to be remembered."""
        return Address(self.user_id, self.namespace, self.key)

    @property
    def value(self) -> Json:
        """The value, parsed."""
        return parse_text(self.value_json)

    @property
    def metadata(self) -> dict[str, Json]:
        """The metadata, parsed."""
        parsed: dict[str, Json] = parse_text(self.metadata_json)
        return parsed

    @property
    def created_us(self) -> int:
        """Microseconds since 1970 of `created_at`, which defaults to the version's instant."""
        created = self.created_at
        return version_milliseconds(self.id) * 1000 if created is None else to_microseconds(created)

    @property
    def expires_us(self) -> int | None:
        """Microseconds since 1970 of `expires_at`; None for never."""
        return None if self.expires_at is None else to_microseconds(self.expires_at)


class ExpiredStore(WireModel):
    """There was a store at this address under this version, and its time has come: its content is gone.

    What is left of it in the sinks goes from one to another in this form, so that they hold the same.
    """

    type: Literal["expired"] = "expired"
    id: Version
    user_id: Identifier
    namespace: Namespace = DEFAULT_NAMESPACE
    key: Identifier
    hash: CommandHash = Field(description="The command hash of that store.")

    @property
    def address(self) -> Address:
        """Where it was remembered."""
        return Address(self.user_id, self.namespace, self.key)


class _Delete(WireModel):
    type: Literal["delete"] = "delete"
    id: Version
    user_id: Identifier


class DeleteAddress(_Delete):
    """Forget what is at one address."""

    scope: Literal["address"] = "address"
    namespace: Namespace = DEFAULT_NAMESPACE
    key: Identifier

    @property
    def address(self) -> Address:
        """What is to be forgotten."""
        return Address(self.user_id, self.namespace, self.key)


class DeleteNamespace(_Delete):
    """Forget everything that a user has in a namespace and below it. The namespace has no default."""

    scope: Literal["namespace"] = "namespace"
    namespace: Namespace


class DeleteUser(_Delete):
    """Forget everything of a user."""

    scope: Literal["user"] = "user"


ScopeDelete = DeleteNamespace | DeleteUser
"""The deletes that set a scope mark."""

DeleteCommand = Annotated[DeleteAddress | DeleteNamespace | DeleteUser, Discriminator("scope")]

Command = Annotated[StoreCommand | ExpiredStore | DeleteCommand, Discriminator("type")]
AnyCommand = StoreCommand | ExpiredStore | DeleteAddress | DeleteNamespace | DeleteUser
"""The same as `Command`, for annotations outside of models."""

AddressCommand = StoreCommand | ExpiredStore | DeleteAddress
"""The commands about one address; the others set a scope mark."""

COMMAND: TypeAdapter[AnyCommand] = TypeAdapter(Command)
"""Validates one command of an envelope."""


class CommandEnvelope(WireModel):
    """A message to the exchange `memlane.commands`: 1 to 500 commands, at most 1 MiB in all.

    Only the source of the published schema: `codec.py` reads an envelope command by command, so that
    one bad command does not take the others with it.
    """

    schema_: Literal[1] = Field(alias="schema", description="The number of this format.")
    commands: Annotated[list[Command], Field(min_length=1, max_length=500)]


def store_of(entry: Entry) -> StoreCommand:
    """The store that an entry comes from, or another one that says the same, as short as it can be."""
    made_at = version_instant(entry.version)
    return StoreCommand.model_construct(
        id=entry.version,
        user_id=entry.user_id,
        namespace=entry.namespace,
        key=entry.key,
        value_json=entry.value_json,
        tags=entry.tags,
        importance=entry.importance,
        session_id=entry.session_id,
        project_id=entry.project_id,
        metadata_json=entry.metadata_json,
        created_at=None if entry.created_at == made_at else entry.created_at,
        expires_at=entry.expires_at,
    )
