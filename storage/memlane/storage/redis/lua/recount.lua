-- Sets a bucket's digest to what its rows and marks add up to.
--
-- ARGV: the schema, an incarnation in case there is none, the bucket.
-- Returns {1 if it was wrong, the users whose rows and marks are in it, each once}.

local bucket = ARGV[3]
local fields = { bucket .. ":count", bucket .. ":sum" }
local kept = call("HMGET", DIGESTS, unpack(fields))
local users, seen = {}, {}

local function hash_of(member)
  if sub(member, 1, 1) == "r" then
    return call("HGET", row_key(sub(member, 2, 33)), "hash")
  end
  local record = call("HGET", user_key("marks", sub(member, 2, 33)), sub(member, 34))
  return record and sub(record, 37, 68)
end

local function note_user(u)
  if not seen[u] then
    seen[u] = true
    users[#users + 1] = u
  end
end

call("HDEL", DIGESTS, unpack(fields))
local members = call("SMEMBERS", bucket_key(bucket))
for at, member in ipairs(members) do
  local is_row = sub(member, 1, 1) == "r"
  note_user(is_row and sub(member, 34) or sub(member, 2, 33))
  local hash = hash_of(member)
  if hash then
    add(DIGESTS, fields[1], 1)
    add(DIGESTS, fields[2], tonumber(sub(hash, 1, 10), 16))
  else
    call("SREM", bucket_key(bucket), member)
  end
  if at % MANY == 0 then
    save_counts() -- what is gathered stays exact
  end
end
save_counts()

local right = call("HMGET", DIGESTS, unpack(fields))
if (kept[1] or "0") == (right[1] or "0") and (kept[2] or "0") == (right[2] or "0") then
  return { 0, {} }
end
count_change(ARGV[1], ARGV[2])
return { 1, users }
