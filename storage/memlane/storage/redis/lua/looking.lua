-- A row as somebody outside judges it.

-- What is kept of a row, and the seal of all that: a row that was changed since has another one. nil where there
-- is none. What is missing is an empty text: user_id, version, hash, kind, namespace, key, value, about.
local function look(a)
  local row = call("HMGET", row_key(a),
    "user_id", "version", "hash", "kind", "namespace", "key", "value", "about")
  if not (row[2] or row[3]) then
    return nil
  end
  for at = 1, 8 do
    row[at] = row[at] or ""
  end
  return row, redis.sha1hex(table.concat(row, SEP))
end
