"""Replies: from one sink's responder to the aggregator, and from the aggregator to the client."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, TypeAdapter

from memlane.contracts.entry import Entry
from memlane.contracts.fields import WireModel
from memlane.contracts.identifiers import Version
from memlane.contracts.query import Cursor

SinkStatus = Literal["ok", "timeout", "unavailable", "rebuilding", "skipped"]
"""How a sink answered. `skipped`: not asked, because another one's answer was enough."""

FetchState = Literal["entry", "gone", "unknown"]
"""`gone`: deleted, expired, or under a scope mark. `unknown`: this sink can't say what is there."""


class DigestModel(WireModel):
    """See `memlane.contracts.fingerprint.Digest`."""

    count: int
    sum: int


class Fetched(WireModel):
    """What a sink has at one address."""

    type: Literal["get"] = "get"
    state: FetchState
    version: Version | None = Field(
        default=None, description="Of the row, or of the mark that covers it; null: no trace of the address."
    )
    entry: Entry | None = None


class Hit(WireModel):
    """An entry in a sink's or in a merged page."""

    entry: Entry
    score: float = Field(default=0.0, description="Higher is better; comparable within one answer only.")


class Page(WireModel):
    """One sink's part of a list or a search, in order, best or newest first."""

    type: Literal["page"] = "page"
    hits: list[Hit]
    more: bool = Field(description="The sink holds further entries behind the last hit.")
    digest: DigestModel = Field(description="Of the user, read in the same snapshot.")


class SinkStats(WireModel):
    """How much a sink holds, of one user or in all."""

    type: Literal["stats"] = "stats"
    live: int
    deleted: int
    expired: int
    refused: int
    marks: int
    digest: DigestModel
    incarnation: str = Field(description="New when the store was made anew.")
    changes: int = Field(
        description="Counts the store's changes; never goes back by itself. 0: the asker may not know."
    )
    durable: bool = Field(description="False for a cache.")
    bytes: int | None = Field(default=None, description="What the store takes, where it can say.")


class SinkDigests(WireModel):
    """The digests of all buckets, in their order, and which store they are of."""

    type: Literal["digests"] = "digests"
    counts: list[int]
    sums: list[int]
    incarnation: str
    changes: int
    floor: Version | None = Field(
        default=None, description="Below this version it may have forgotten its deletes; null: it keeps all."
    )


TraceRow = tuple[str, str | None, str | None, str, str, int, bool]
"""User, namespace, key (null: it is a mark), version, hash, kind (0: a mark), intact."""


class SinkHashes(WireModel):
    """The hashes of the rows and marks of one bucket, in no order."""

    type: Literal["hashes"] = "hashes"
    bucket: int
    hashes: list[str]


class SinkVersions(WireModel):
    """The rows and marks of one bucket."""

    type: Literal["versions"] = "versions"
    bucket: int
    rows: list[Annotated[TraceRow, Field(strict=False)]]


SinkAnswer = Annotated[
    Fetched | Page | SinkStats | SinkDigests | SinkHashes | SinkVersions, Discriminator("type")
]
AnySinkAnswer = Fetched | Page | SinkStats | SinkDigests | SinkHashes | SinkVersions


class SinkReply(WireModel):
    """A responder's reply: an answer for each question, in order; none where the sink can't answer.

    Answers that would be over 8 MiB together are left out from the end: the others have to be asked again.
    """

    schema_: Literal[1] = Field(default=1, alias="schema")
    sink: str
    status: SinkStatus
    reason: str | None = Field(default=None, description="Why, where the status is not ok.")
    answers: list[SinkAnswer] = Field(default_factory=list)


class SinkReport(WireModel):
    """How one sink took part in an answer."""

    status: SinkStatus
    ms: float = Field(default=0.0, description="From asking to its answer.")
    hits: int = 0
    reason: str | None = None


class GetAnswer(WireModel):
    """The merged answer to a get."""

    type: Literal["get"] = "get"
    state: Literal["entry", "gone", "unknown", "unanswered"] = Field(
        description="unknown: the sinks that answered have no trace of it; unanswered: nobody could say."
    )
    version: Version | None = None
    entry: Entry | None = None
    complete: bool
    sinks: dict[str, SinkReport]


class PageAnswer(WireModel):
    """The merged answer to a list or a search. A short page isn't the end: only a null cursor is."""

    type: Literal["page"] = "page"
    hits: list[Hit]
    cursor: Cursor | None = None
    complete: bool
    sinks: dict[str, SinkReport]


class SinkStatsReport(SinkReport):
    """How one sink took part, and what it holds."""

    stats: SinkStats | None = None


class StatsAnswer(WireModel):
    """The answer to stats: by sink, not merged."""

    type: Literal["stats"] = "stats"
    complete: bool
    sinks: dict[str, SinkStatsReport]


class Refusal(WireModel):
    """A question that is not answered: it is not a valid one, or its asker may not read there.

    `invalid` is the only answer of its reply; `denied` stands in the place of its question.
    """

    type: Literal["refused"] = "refused"
    kind: Literal["invalid", "denied"] = "invalid"
    field: str
    problem: str
    hint: str = ""


Answer = Annotated[GetAnswer | PageAnswer | StatsAnswer | Refusal, Discriminator("type")]
AnyAnswer = GetAnswer | PageAnswer | StatsAnswer | Refusal


class Reply(WireModel):
    """The aggregator's reply: an answer for each question, in order.

    Answers that would be over 8 MiB together are left out from the end: the others have to be asked again.
    """

    schema_: Literal[1] = Field(default=1, alias="schema")
    answers: list[Answer]


SINK_REPLY: TypeAdapter[SinkReply] = TypeAdapter(SinkReply)
REPLY: TypeAdapter[Reply] = TypeAdapter(Reply)
