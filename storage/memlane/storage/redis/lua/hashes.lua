-- The hashes of the rows and marks of a bucket: ARGV[1], three digits.
--
-- One text with spaces between, because a client takes long over many small ones.

local answer = {}

local function read_hash(member)
  if sub(member, 1, 1) == "r" then
    return call("HGET", row_key(sub(member, 2, 33)), "hash")
  end
  return read_mark(member)[3]
end

for _, member in ipairs(call("SMEMBERS", bucket_key(ARGV[1]))) do
  local hash = read_hash(member)
  if hash then
    answer[#answer + 1] = hash
  end
end
return table.concat(answer, " ")
