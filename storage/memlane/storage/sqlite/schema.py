"""The SQLite sink's tables.

`rows` holds a version row an address, `marks` the scope marks. `users` and `buckets` hold the digests
and counts, changed in the same transaction as the rows. `terms` is the full-text index of the live rows,
kept by triggers. Its terms come from `memlane.storage.analysis` and carry a hash of the user in front,
so that a search reads only that user's part of the index, however many others there are.
"""

from typing import Final

SCHEMA_NUMBER: Final = 1

WHOLE_USER: Final = ""
"""The namespace of a mark that covers a whole user (a real namespace is not empty)."""

TABLES: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS rows (
  id INTEGER PRIMARY KEY,
  user_id TEXT NOT NULL,
  namespace TEXT NOT NULL,
  key TEXT NOT NULL,
  version TEXT NOT NULL,
  hash TEXT NOT NULL,
  kind INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  value TEXT,
  metadata TEXT,
  tags TEXT,
  importance INTEGER,
  session_id TEXT,
  project_id TEXT,
  created_us INTEGER,
  expires_us INTEGER,
  label TEXT,
  body TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS rows_address ON rows (user_id, namespace, key);
CREATE INDEX IF NOT EXISTS rows_recent ON rows (user_id, version) WHERE kind = 1;
DROP INDEX IF EXISTS rows_bucket;
CREATE INDEX IF NOT EXISTS rows_bucket_hash ON rows (bucket, hash);
CREATE INDEX IF NOT EXISTS rows_due ON rows (expires_us) WHERE kind = 1 AND expires_us IS NOT NULL;

CREATE TABLE IF NOT EXISTS marks (
  user_id TEXT NOT NULL,
  namespace TEXT NOT NULL,
  version TEXT NOT NULL,
  hash TEXT NOT NULL,
  bucket INTEGER NOT NULL,
  purging INTEGER NOT NULL,
  PRIMARY KEY (user_id, namespace)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS marks_bucket ON marks (bucket);
CREATE INDEX IF NOT EXISTS marks_purging ON marks (purging) WHERE purging = 1;

CREATE TABLE IF NOT EXISTS users (
  user_id TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  live INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  expired INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  marks INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS buckets (
  bucket INTEGER PRIMARY KEY,
  count INTEGER NOT NULL,
  sum INTEGER NOT NULL
);

CREATE VIRTUAL TABLE IF NOT EXISTS terms
  USING fts5 (label, body, content = 'rows', content_rowid = 'id', tokenize = 'ascii');

CREATE TRIGGER IF NOT EXISTS rows_inserted AFTER INSERT ON rows WHEN new.kind = 1 BEGIN
  INSERT INTO terms (rowid, label, body) VALUES (new.id, new.label, new.body);
END;
CREATE TRIGGER IF NOT EXISTS rows_updated AFTER UPDATE ON rows WHEN old.kind = 1 OR new.kind = 1 BEGIN
  INSERT INTO terms (terms, rowid, label, body)
    SELECT 'delete', old.id, old.label, old.body WHERE old.kind = 1;
  INSERT INTO terms (rowid, label, body) SELECT new.id, new.label, new.body WHERE new.kind = 1;
END;
CREATE TRIGGER IF NOT EXISTS rows_deleted AFTER DELETE ON rows WHEN old.kind = 1 BEGIN
  INSERT INTO terms (terms, rowid, label, body) VALUES ('delete', old.id, old.label, old.body);
END;
"""

ROW_COLUMNS: Final = (
    "user_id", "namespace", "key", "version", "hash", "kind", "bucket", "value", "metadata", "tags",
    "importance", "session_id", "project_id", "created_us", "expires_us", "label", "body",
)  # fmt: skip

_INTO_ROWS: Final = f"INSERT INTO rows ({', '.join(ROW_COLUMNS)})"
_REPLACING: Final = "ON CONFLICT (user_id, namespace, key) DO UPDATE SET " + ", ".join(
    f"{column} = excluded.{column}" for column in ROW_COLUMNS[3:]
)

UPSERT_ROW: Final = f"{_INTO_ROWS} VALUES ({', '.join('?' * len(ROW_COLUMNS))}) {_REPLACING}"
"""One row, with a value for each of `ROW_COLUMNS`."""

UPSERT_ROWS: Final = f"""
{_INTO_ROWS} SELECT {", ".join(f"j.value ->> {at}" for at in range(len(ROW_COLUMNS)))}
FROM json_each(?) AS j WHERE TRUE {_REPLACING}
"""
"""All rows of a batch, as one JSON array of arrays. As fast as row by row, but one step of SQLite: the
interpreter's lock is given back once a batch and not once a row, so parsing goes on meanwhile."""

IN_SCOPE: Final = """(
  {mark}.namespace = '' OR {namespace} = {mark}.namespace
  OR substr({namespace}, 1, length({mark}.namespace) + 1) = {mark}.namespace || '/'
)"""
"""Whether a mark's scope takes in a namespace: whole parts, by code points, case counts."""
