"""Questions: *get*, *list*, *search* and *stats*. A query message carries 1 to 100 of them."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, TypeAdapter

from memlane.contracts.address import Address
from memlane.contracts.errors import InvalidInput
from memlane.contracts.fields import EMPTY_OBJECT, CanonicalObject, Importance, Tags, WireModel
from memlane.contracts.fingerprint import BUCKETS
from memlane.contracts.identifiers import Identifier, Namespace, Version
from memlane.contracts.instants import Instant
from memlane.contracts.limits import DEFAULT_NAMESPACE, MAX_DEADLINE_MS, MAX_PAGE, MAX_QUERY_CHARACTERS

Limit = Annotated[int, Field(ge=1, le=MAX_PAGE)]
Order = Literal["newest", "oldest"]


class Filters(WireModel):
    """Which entries are meant. Everything that is given must hold; there is no query language."""

    tags_any: Tags = ()
    tags_all: Tags = ()
    importance_min: Importance | None = None
    importance_max: Importance | None = None
    session_id: Identifier | None = None
    project_id: Identifier | None = None
    created_from: Instant | None = Field(default=None, description="At or after.")
    created_before: Instant | None = Field(default=None, description="Strictly before.")
    updated_from: Instant | None = Field(default=None, description="At or after.")
    updated_before: Instant | None = Field(default=None, description="Strictly before.")
    metadata_json: CanonicalObject = Field(
        default=EMPTY_OBJECT,
        alias="metadata",
        description="Each field must be in the entry's metadata with an equal value.",
        json_schema_extra={"default": {}},
    )
    key_pattern: Identifier | None = Field(
        default=None, description="`*` is any text, `?` any one character, all else itself; case counts."
    )


NO_FILTERS: Final = Filters()


class Cursor(WireModel):
    """A sort key: the page goes on behind it, whatever was stored or deleted since."""

    version: Version
    namespace: Namespace
    key: Identifier


class GetQuestion(WireModel):
    """What is at one address?"""

    type: Literal["get"] = "get"
    user_id: Identifier
    namespace: Namespace = DEFAULT_NAMESPACE
    key: Identifier
    min_version: Version | None = Field(
        default=None, description="An answer older than this counts as none: the asker's own last write."
    )

    @property
    def address(self) -> Address:
        """What is asked for."""
        return Address(self.user_id, self.namespace, self.key)


class ListQuestion(WireModel):
    """Which entries does a user have, by time?"""

    type: Literal["list"] = "list"
    user_id: Identifier
    namespace: Namespace | None = Field(default=None, description="It and all below it; absent: all.")
    filters: Filters = NO_FILTERS
    order: Order = "newest"
    limit: Limit = 50
    cursor: Cursor | None = None


def _searchable(text: str) -> str:
    if "\x00" in text:
        raise InvalidInput("", "may not hold the character NUL", hint="remove it")
    return text


class SearchQuestion(WireModel):
    """Which entries are about this? The text is text: it has no syntax. Empty lists the newest."""

    type: Literal["search"] = "search"
    user_id: Identifier
    text: Annotated[str, StringConstraints(max_length=MAX_QUERY_CHARACTERS), AfterValidator(_searchable)] = ""
    namespace: Namespace | None = None
    filters: Filters = NO_FILTERS
    limit: Limit = 10


class StatsQuestion(WireModel):
    """How much does each sink hold, of one user or (without a user) in all, and how is it?"""

    type: Literal["stats"] = "stats"
    user_id: Identifier | None = None


Question = Annotated[GetQuestion | ListQuestion | SearchQuestion | StatsQuestion, Discriminator("type")]
AnyQuestion = GetQuestion | ListQuestion | SearchQuestion | StatsQuestion
"""The same as `Question`, for annotations outside of models."""

QUESTION: TypeAdapter[AnyQuestion] = TypeAdapter(Question)

Consistency = Literal["first", "all"]


class DigestsQuestion(WireModel):
    """What do the rows and marks of each bucket add up to? Workers ask each other so."""

    type: Literal["digests"] = "digests"


class HashesQuestion(WireModel):
    """Which hashes do the rows and marks of a bucket have? Workers ask each other so."""

    type: Literal["hashes"] = "hashes"
    bucket: Annotated[int, Field(ge=0, lt=BUCKETS)]


class VersionsQuestion(WireModel):
    """Which rows and marks are in a bucket? Workers ask each other so."""

    type: Literal["versions"] = "versions"
    bucket: Annotated[int, Field(ge=0, lt=BUCKETS)]
    hashes: list[str] | None = Field(default=None, description="Only those with one of these; null: all.")
    check: bool = Field(default=False, description="Compare rows with their content.")
    recount: bool = Field(
        default=False, description="First set the bucket's digest right, and own up to damaged rows."
    )


SinkQuestion = Annotated[
    GetQuestion
    | ListQuestion
    | SearchQuestion
    | StatsQuestion
    | DigestsQuestion
    | HashesQuestion
    | VersionsQuestion,
    Discriminator("type"),
]
AnySinkQuestion = AnyQuestion | DigestsQuestion | HashesQuestion | VersionsQuestion
"""The same as `SinkQuestion`, for annotations outside of models."""


class QueryEnvelope(WireModel):
    """A message to the exchange `memlane.queries`."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    questions: Annotated[list[Question], Field(min_length=1, max_length=100)]
    deadline_ms: Annotated[int, Field(ge=1, le=MAX_DEADLINE_MS)] = Field(
        default=2000, description="The answer is sent by then, complete or not."
    )
    consistency: Consistency = Field(
        default="first",
        description="For get: ask the preferred sink first, or all and take the newest version.",
    )


class SinkQueryEnvelope(WireModel):
    """What the aggregator sends to a sink's responders."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    questions: Annotated[list[SinkQuestion], Field(min_length=1)]
    as_of: Instant = Field(description="One instant for all sinks: what expires by then is not returned.")


QUERY_ENVELOPE: TypeAdapter[QueryEnvelope] = TypeAdapter(QueryEnvelope)
SINK_QUERY_ENVELOPE: TypeAdapter[SinkQueryEnvelope] = TypeAdapter(SinkQueryEnvelope)
