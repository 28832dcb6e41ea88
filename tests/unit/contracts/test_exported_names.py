"""What bots and sinks import from the contracts: a name that goes from here breaks somebody."""

from importlib import import_module

import pytest

_NAMES = {
    "address": "Address",
    "canonical": "Json canonical parse",
    "clock": "HybridClock milliseconds_ahead",
    "codec": "BadCommand DecodedMessage decode_message encode_command encode_envelope encode_message",
    "command": (
        "AnyCommand COMMAND Command CommandEnvelope DeleteAddress DeleteNamespace DeleteUser "
        "ScopeDelete StoreCommand store_of"
    ),
    "entry": "Entry encode_entry entry_from_row",
    "errors": (
        "AccessDenied BrokerError BrokerRefused BrokerUnreachable ConfigurationError IncompleteAnswer "
        "InvalidInput MalformedMessage MemlaneError PublishFailed TopologyMismatch "
        "VersionFromFuture error_text loggable"
    ),
    "fingerprint": (
        "BUCKETS Digest address_hash bucket_of command_hash digest_of entry_hash store_hash weight"
    ),
    "identifiers": "Identifier Namespace Version is_within namespace_ancestors",
    "instants": "Instant from_microseconds now to_microseconds to_text",
    "merge": "MergedPage merge_listed merge_ranked newest sort_key without_superseded",
    "query": (
        "Cursor Filters GetQuestion ListQuestion QueryEnvelope Question SearchQuestion "
        "SinkQueryEnvelope StatsQuestion"
    ),
    "receipt": "Receipt ReceiptEnvelope SinkReceipt",
    "reply": (
        "Fetched GetAnswer Hit Page PageAnswer Refusal Reply SinkReply SinkReport SinkStats StatsAnswer"
    ),
    "reply_codec": "decode_reply decode_sink_reply encode_reply encode_sink_reply",
    "topology": "Exchange Queue Topology dead_queue lane_queue retry_queue sink_query_queue topology",
    "validation": "validate",
    "version": "make_version split_version successor version_instant version_milliseconds",
}


@pytest.mark.parametrize("module", sorted(_NAMES))
def test_a_module_offers_what_it_always_did(module: str) -> None:
    """Under the same names."""
    offered = vars(import_module(f"memlane.contracts.{module}"))
    assert [name for name in _NAMES[module].split() if name not in offered] == []


@pytest.mark.parametrize("module", sorted(_NAMES))
def test_what_is_offered_is_described(module: str) -> None:
    """Every public class and function of its own has a docstring."""
    found = import_module(f"memlane.contracts.{module}")
    own = [
        thing
        for name, thing in vars(found).items()
        if getattr(thing, "__module__", "") == found.__name__ and not name.startswith("_") and callable(thing)
    ]
    assert [thing for thing in own if not thing.__doc__] == []
