-- What questions may see.

-- A row if it is that user's, live as of then, of that version and not under a mark; else nil: user_id,
-- namespace, key, version, about, value.
local function read_live(u, user_id, a, version, as_of)
  local row = call("HMGET", row_key(a),
    "kind", "user_id", "version", "expires", "namespace", "key", "value", "about")
  if row[1] ~= LIVE or row[2] ~= user_id or row[3] ~= version then
    return nil
  end
  if row[4] and not before(as_of, row[4]) then
    return nil
  end
  if covered(u, row[5], version) then
    return nil
  end
  return { row[2], row[5], row[6], row[3], row[8], row[7] }
end

local function read_digest(u)
  local digest = call("HMGET", user_key("user", u), "count", "sum")
  return { digest[1] or "0", digest[2] or "0" }
end

-- Lines for an answer, as long as there is room: a score and a row, with SEP between (neither an identifier
-- nor canonical JSON holds it). One text a row, because a client takes longer over many small ones.
local function page(most_rows, most_bytes)
  local rows, bytes = {}, 0
  local function take(row, score)
    local line = score .. SEP .. table.concat(row, SEP)
    rows[#rows + 1] = line
    bytes = bytes + #line
  end
  local function full()
    return #rows >= most_rows or bytes >= most_bytes
  end
  return rows, take, full
end
