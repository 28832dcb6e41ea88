-- The hashes of rows and marks of a bucket by their members: ARGV. Of what is gone, none.

local answer = {}

local function read_hash(member)
  if sub(member, 1, 1) == "r" then
    return call("HGET", row_key(sub(member, 2, 33)), "hash")
  end
  return read_mark(member)[3]
end

for at = 1, #ARGV do
  local hash = read_hash(ARGV[at])
  if hash then
    answer[#answer + 1] = hash
  end
end
return answer
