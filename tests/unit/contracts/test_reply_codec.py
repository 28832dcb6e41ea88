"""Replies travel like commands do: values as the text that they are."""

from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.command import StoreCommand
from memlane.contracts.entry import Entry
from memlane.contracts.instants import from_microseconds
from memlane.contracts.query import Cursor
from memlane.contracts.reply import (
    AnyAnswer,
    AnySinkAnswer,
    DigestModel,
    Fetched,
    GetAnswer,
    Hit,
    Page,
    PageAnswer,
    Refusal,
    SinkReply,
    SinkReport,
    SinkStats,
    SinkStatsReport,
    StatsAnswer,
)
from memlane.contracts.reply_codec import decode_reply, decode_sink_reply, encode_reply, encode_sink_reply
from memlane.storage.conformance.strategies import any_store, texts, versions


def _entry(command: StoreCommand) -> Entry:
    fields = command.model_dump(exclude={"type", "id", "created_at"})
    return Entry.model_construct(
        **fields, version=command.id, created_at=from_microseconds(command.created_us)
    )


_entries = any_store().map(_entry)
_counts = st.integers(0, 2**62)
_digests = st.builds(DigestModel, count=_counts, sum=_counts)
_hits = st.lists(
    st.builds(Hit, entry=_entries, score=st.floats(allow_nan=False, allow_infinity=False)), max_size=3
)
_reasons = st.none() | texts()
_statuses = st.sampled_from(["ok", "timeout", "unavailable", "rebuilding", "skipped"])
_stats = st.builds(
    SinkStats,
    live=_counts,
    deleted=_counts,
    expired=_counts,
    refused=_counts,
    marks=_counts,
    digest=_digests,
    incarnation=texts(),
    changes=_counts,
    durable=st.booleans(),
    bytes=st.none() | _counts,
)
_found = st.one_of(
    st.builds(Fetched, state=st.sampled_from(["gone", "unknown"]), version=st.none() | versions()),
    _entries.map(lambda entry: Fetched(state="entry", version=entry.version, entry=entry)),
)
_sink_answers: st.SearchStrategy[AnySinkAnswer] = st.one_of(
    _found, st.builds(Page, hits=_hits, more=st.booleans(), digest=_digests), _stats
)
_reports = st.dictionaries(
    texts(),
    st.builds(SinkReport, status=_statuses, ms=st.floats(0, 1e6), hits=st.integers(0, 500), reason=_reasons),
    max_size=2,
)
_answers: st.SearchStrategy[AnyAnswer] = st.one_of(
    st.builds(
        lambda found, complete, sinks: GetAnswer(
            state=found.state, version=found.version, entry=found.entry, complete=complete, sinks=sinks
        ),
        _found,
        st.booleans(),
        _reports,
    ),
    st.builds(
        PageAnswer,
        hits=_hits,
        complete=st.booleans(),
        sinks=_reports,
        cursor=st.none()
        | _entries.map(lambda e: Cursor(version=e.version, namespace=e.namespace, key=e.key)),
    ),
    st.builds(
        StatsAnswer,
        complete=st.booleans(),
        sinks=st.dictionaries(
            texts(), st.builds(SinkStatsReport, status=_statuses, stats=st.none() | _stats), max_size=2
        ),
    ),
    st.builds(Refusal, field=texts(), problem=texts(), hint=texts()),
)


@given(answers=st.lists(_sink_answers, max_size=3), status=_statuses, reason=_reasons)
def test_a_sinks_reply_comes_back_as_it_was_sent(
    answers: list[AnySinkAnswer], status: str, reason: str | None
) -> None:
    """All kinds of answers, and entries byte for byte."""
    reply = SinkReply.model_validate(
        {"sink": "memory", "status": status, "reason": reason, "answers": answers}
    )
    assert decode_sink_reply(encode_sink_reply(reply)) == reply


@given(answers=st.lists(_answers, max_size=3))
def test_a_reply_comes_back_as_it_was_sent(answers: list[AnyAnswer]) -> None:
    """Likewise."""
    assert decode_reply(encode_reply(answers)).answers == answers
