"""The Redis sink: a fast cache of everything, with search; not durable."""

from memlane.storage.redis.sink import RedisSink

__all__ = ["RedisSink"]
