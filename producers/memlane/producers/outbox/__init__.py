"""The outbox: commands on this machine's disk that the broker has not confirmed yet.

`outbox.py` is what a client sees; `file.py` and `schema.py` keep it in SQLite; `drainer.py` brings it to the
broker, message by message (`draining.py`), one process at a time (`lock.py`); `status.py` says what waits.
"""
