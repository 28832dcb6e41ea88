"""What is remembered at one address, as sinks keep it and clients get it."""

from datetime import datetime
from json.encoder import encode_basestring

from pydantic import Field

from memlane.contracts.address import Address
from memlane.contracts.canonical import Json
from memlane.contracts.fields import (
    EMPTY_OBJECT,
    CanonicalObject,
    CanonicalValue,
    Importance,
    Tags,
    WireModel,
    parse_text,
)
from memlane.contracts.identifiers import Identifier, Namespace, Version
from memlane.contracts.instants import Instant, from_microseconds, to_text
from memlane.contracts.limits import DEFAULT_IMPORTANCE
from memlane.contracts.version import version_instant


class Entry(WireModel):
    """A value and its metadata. Value and metadata are kept as canonical JSON text, and parsed on use."""

    user_id: Identifier
    namespace: Namespace
    key: Identifier
    version: Version
    value_json: CanonicalValue = Field(alias="value", description="Any JSON value.")
    tags: Tags = ()
    importance: Importance = DEFAULT_IMPORTANCE
    session_id: Identifier | None = None
    project_id: Identifier | None = None
    metadata_json: CanonicalObject = Field(
        default=EMPTY_OBJECT, alias="metadata", json_schema_extra={"default": {}}
    )
    created_at: Instant
    expires_at: Instant | None = None

    @property
    def address(self) -> Address:
        """Where it is remembered."""
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
    def updated_at(self) -> datetime:
        """The version's instant."""
        return version_instant(self.version)


def entry_from_row(
    address: Address,
    *,
    version: str,
    value_json: str,
    metadata_json: str,
    tags: tuple[str, ...],
    importance: int,
    session_id: str | None,
    project_id: str | None,
    created_us: int,
    expires_us: int | None,
) -> Entry:
    """An entry from what a sink kept, which was validated when it was applied."""
    return Entry.model_construct(
        user_id=address.user_id,
        namespace=address.namespace,
        key=address.key,
        version=version,
        value_json=value_json,
        metadata_json=metadata_json,
        tags=tags,
        importance=importance,
        session_id=session_id,
        project_id=project_id,
        created_at=from_microseconds(created_us),
        expires_at=None if expires_us is None else from_microseconds(expires_us),
    )


def encode_entry(entry: Entry) -> str:
    """The entry as JSON text, its value as it was kept."""
    quote = encode_basestring
    text = (
        f'{{"user_id":{quote(entry.user_id)},"namespace":{quote(entry.namespace)},"key":{quote(entry.key)},'
        f'"version":"{entry.version}","value":{entry.value_json},"importance":{entry.importance},'
        f'"created_at":"{to_text(entry.created_at)}"'
    )
    if entry.tags:
        text += f',"tags":[{",".join(map(quote, entry.tags))}]'
    if entry.session_id is not None:
        text += f',"session_id":{quote(entry.session_id)}'
    if entry.project_id is not None:
        text += f',"project_id":{quote(entry.project_id)}'
    if entry.metadata_json != EMPTY_OBJECT:
        text += f',"metadata":{entry.metadata_json}'
    if entry.expires_at is not None:
        text += f',"expires_at":"{to_text(entry.expires_at)}"'
    return text + "}"
