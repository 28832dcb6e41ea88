-- What is at some addresses, in one snapshot.
--
-- ARGV: JSON [[u, a, namespace], ...]. Returns for each a line with SEP between: the version of the covering
-- mark, version, kind, expires, user_id, namespace, key, about, value; empty where there is none.

local answer = {}
for index, place in ipairs(cjson.decode(ARGV[1])) do
  local row = call("HMGET", row_key(place[2]),
    "version", "kind", "expires", "user_id", "namespace", "key", "about", "value")
  for at = 1, 8 do
    row[at] = row[at] or ""
  end
  answer[index] = (cover(place[1], place[3]) or "") .. SEP .. table.concat(row, SEP)
end
return answer
