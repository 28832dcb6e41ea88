"""SQL functions that SQLite does not have."""

from memlane.contracts.fingerprint import weight
from memlane.storage.filters import metadata_matches

__all__ = ["has_metadata", "weight_of"]


def has_metadata(metadata: str | None, wanted: str) -> bool:
    """`has_metadata(metadata, wanted)`: see `memlane.storage.filters`."""
    return metadata is not None and metadata_matches(metadata, wanted)


def weight_of(hash_: str) -> int:
    """`weight_of(hash)`: what a row adds to a digest."""
    return weight(hash_)
