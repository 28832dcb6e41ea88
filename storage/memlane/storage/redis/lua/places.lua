-- Rows and marks of a bucket by their members, without their content.
--
-- ARGV: the members. Returns for each {user_id, version, hash, kind, namespace, key}, a mark with kind "mark" and as
-- far as the namespace; {} where it is gone.

local answer = {}

local function read_row(member)
  local row = call("HMGET", row_key(sub(member, 2, 33)), "user_id", "version", "hash", "kind", "namespace", "key")
  return row[2] and row or {}
end

for at = 1, #ARGV do
  local member = ARGV[at]
  answer[at] = sub(member, 1, 1) == "r" and read_row(member) or read_mark(member)
end
return answer
