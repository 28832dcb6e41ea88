-- Rows and marks of a bucket, without their content.
--
-- ARGV: the bucket, three digits; the hashes of those that are wanted, or none: all. Returns for each
-- {user_id, version, hash, kind, namespace, key}, a mark with kind "mark" and as far as the namespace.

local answer, wanted = {}, {}

for at = 2, #ARGV do
  wanted[ARGV[at]] = true
end

local function is_wanted(hash)
  return hash and (#ARGV == 1 or wanted[hash])
end

local function read(member)
  if sub(member, 1, 1) ~= "r" then
    return read_mark(member)
  end
  local key = row_key(sub(member, 2, 33))
  if is_wanted(call("HGET", key, "hash")) then
    return call("HMGET", key, "user_id", "version", "hash", "kind", "namespace", "key")
  end
  return {}
end

for _, member in ipairs(call("SMEMBERS", bucket_key(ARGV[1]))) do
  local row = read(member)
  if is_wanted(row[3]) then
    answer[#answer + 1] = row
  end
end
return answer
