"""The tables of an outbox's file."""

from typing import Final

USER_VERSION: Final = 1

# The totals are kept by triggers: a bound that costs a pass over the table would slow a full outbox down.
TABLES: Final = """
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    target TEXT NOT NULL,
    version TEXT NOT NULL,
    command BLOB NOT NULL,
    queued_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS by_target ON entries (target, state, id);
CREATE TABLE IF NOT EXISTS totals (
    target TEXT NOT NULL,
    state TEXT NOT NULL,
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (target, state)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS entry_in AFTER INSERT ON entries BEGIN
    INSERT INTO totals VALUES (new.target, new.state, 1, length(new.command))
    ON CONFLICT DO UPDATE SET entries = entries + 1, bytes = bytes + length(new.command);
END;
CREATE TRIGGER IF NOT EXISTS entry_out AFTER DELETE ON entries BEGIN
    UPDATE totals SET entries = entries - 1, bytes = bytes - length(old.command)
    WHERE target = old.target AND state = old.state;
END;
CREATE TRIGGER IF NOT EXISTS entry_moved AFTER UPDATE OF state ON entries BEGIN
    UPDATE totals SET entries = entries - 1, bytes = bytes - length(old.command)
    WHERE target = old.target AND state = old.state;
    INSERT INTO totals VALUES (new.target, new.state, 1, length(new.command))
    ON CONFLICT DO UPDATE SET entries = entries + 1, bytes = bytes + length(new.command);
END;
"""
