-- Rows and marks of a bucket by their members, without their content.
--
-- ARGV: the hashes of those that are wanted, with spaces between, or "all"; the members. Returns for each that
-- is there and wanted {user_id, version, hash, kind, namespace, key}, a mark with kind "mark" and as far as the
-- namespace.

local answer, wanted = {}, {}

for hash in string.gmatch(ARGV[1], "%S+") do
  wanted[hash] = true
end
local all = ARGV[1] == "all"

local function is_wanted(hash)
  return hash and (all or wanted[hash])
end

local function read_row(member)
  local key = row_key(sub(member, 2, 33))
  if is_wanted(call("HGET", key, "hash")) then
    return call("HMGET", key, "user_id", "version", "hash", "kind", "namespace", "key")
  end
end

for at = 2, #ARGV do
  local member = ARGV[at]
  local row = sub(member, 1, 1) == "r" and read_row(member) or read_mark(member)
  if row and is_wanted(row[3]) then
    answer[#answer + 1] = row
  end
end
return answer
