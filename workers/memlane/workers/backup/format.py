"""What stands in a backup: JSON Lines inside gzip.

The first line is the *header*. Then comes a command a line, as on the wire, in the order of the buckets: a
store for what was live, a delete for a tombstone or a mark, an *expired*, and an *unread* for a row whose
content no sink could give. The last line is the *trailer*: how many there are of each, and the SHA-256 of
all bytes before it. It is a gzip member of its own, so that it is found without reading the rest.
"""

from collections import Counter
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from memlane.contracts.address import Address
from memlane.contracts.canonical import Flaw, parse
from memlane.contracts.codec import encode_command
from memlane.contracts.command import COMMAND, AddressCommand, AnyCommand, DeleteNamespace, DeleteUser
from memlane.contracts.errors import InvalidInput
from memlane.contracts.fields import WireModel
from memlane.contracts.fingerprint import address_hash, bucket_of
from memlane.contracts.identifiers import CommandHash, Identifier, Namespace, Version
from memlane.contracts.instants import Instant
from memlane.contracts.limits import SCHEMA
from memlane.contracts.validation import validate
from memlane.storage.digesting import scope_bucket
from memlane.storage.rows import Scope

FORMAT: Final = 1
"""The only format that there is. A change that an older memlane could not read is a new number."""

TRAILER_START: Final = b'{"type":"end",'

Kind = Literal["stores", "deletes", "marks", "expired", "unread"]


class Header(WireModel):
    """The first line: what the backup is of."""

    type: Literal["memlane-backup"] = "memlane-backup"
    format: int = FORMAT
    schema_: Literal[1] = Field(default=SCHEMA, alias="schema", description="Of the commands.")
    name: str
    created_at: Instant = Field(description="When it was begun.")
    sink: str = Field(description="Whose rows they are.")
    incarnation: str = Field(description="Of that sink's store.")
    due: Instant | None = Field(default=None, description="Of a scheduled one: the time that it was due.")


class Counts(WireModel):
    """How many lines there are of each kind."""

    stores: int = 0
    deletes: int = 0
    marks: int = 0
    expired: int = 0
    unread: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.stores + self.deletes + self.marks + self.expired + self.unread


class Trailer(WireModel):
    """The last line."""

    type: Literal["end"] = "end"
    counts: Counts
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class Unread(WireModel):
    """There was a row at this address, and no sink could give its content."""

    type: Literal["unread"] = "unread"
    id: Version
    user_id: Identifier
    namespace: Namespace
    key: Identifier
    hash: CommandHash

    @property
    def address(self) -> Address:
        """Where it was."""
        return Address(self.user_id, self.namespace, self.key)


Record = AnyCommand | Unread
"""What stands in a line."""

_HEADER: Final[TypeAdapter[Header]] = TypeAdapter(Header)
_TRAILER: Final[TypeAdapter[Trailer]] = TypeAdapter(Trailer)
_UNREAD: Final[TypeAdapter[Unread]] = TypeAdapter(Unread)


def encode_record(record: Record) -> bytes:
    """One line, with its end.

    Raises:
        InvalidInput: it is a command that no message can carry.
    """
    if isinstance(record, Unread):
        return record.model_dump_json().encode() + b"\n"
    return encode_command(record) + b"\n"


def decode_record(line: bytes) -> Record:
    """The inverse of `encode_record`.

    Raises:
        InvalidInput: names the field that is wrong.
    """
    tree = parse(line)
    if isinstance(tree, Flaw):
        raise InvalidInput("line", tree.problem)
    if isinstance(tree, dict) and tree.get("type") == "unread":
        return validate(_UNREAD, tree, by_name=False)
    return validate(COMMAND, tree, by_name=False)


def encode_line(line: Header | Trailer) -> bytes:
    """The first or the last line, with its end."""
    return line.model_dump_json(by_alias=True).encode() + b"\n"


def decode_header(line: bytes) -> Header | str:
    """The header; or, where that is another one than this, its format.

    Raises:
        InvalidInput: it is no header.
    """
    tree = parse(line)
    if not isinstance(tree, dict) or tree.get("type") != "memlane-backup":
        raise InvalidInput("type", "it does not begin as a backup does")
    format_ = tree.get("format")
    if isinstance(format_, int) and format_ != FORMAT:
        return str(format_)
    return validate(_HEADER, tree, by_name=False)


def decode_trailer(line: bytes) -> Trailer:
    """The trailer.

    Raises:
        InvalidInput: it is none.
    """
    return validate(_TRAILER, parse(line), by_name=False)


def kind_of(record: Record) -> Kind:
    """As what it is counted."""
    if isinstance(record, DeleteUser | DeleteNamespace):
        return "marks"
    kinds: dict[str, Kind] = {
        "store": "stores", "delete": "deletes", "expired": "expired", "unread": "unread",
    }  # fmt: skip
    return kinds[record.type]


def counts_of(kinds: Counter[Kind]) -> Counts:
    """The counts that a trailer has."""
    return Counts(**{str(kind): count for kind, count in kinds.items()})


def bucket_of_record(record: Record) -> int:
    """The bucket that it is in."""
    if isinstance(record, AddressCommand | Unread):
        return bucket_of(address_hash(*record.address))
    namespace = record.namespace if isinstance(record, DeleteNamespace) else None
    return scope_bucket(Scope(record.user_id, namespace))
