-- Keeps the floor, and removes deleted and expired rows and finished marks below it, a bounded step of the way:
-- those that came late, then all buckets, once for each floor.
--
-- ARGV: the schema, an incarnation in case there is none, the floor, how many to remove at most.
-- Returns {how many went, 1 if there may be more}.

local BUCKETS = 4096
local room = tonumber(ARGV[4])
local removed, looked = 0, 0

local function forget_row(member)
  local a, u = sub(member, 2, 33), sub(member, 34)
  local row = call("HMGET", row_key(a), "version", "hash", "kind", "namespace", "key")
  local version, hash, kind = row[1], row[2], row[3]
  if not version or not is_below_floor(version) or (kind ~= DELETED and kind ~= EXPIRED) then
    return
  end
  call("DEL", row_key(a))
  call("ZREM", user_key("addresses", u), (row[4] or "") .. SEP .. (row[5] or "") .. SEP .. a)
  call("SREM", bucket_key(bucket_of(a)), member)
  if tonumber(sub(hash or "", 1, 10), 16) then -- else the recount sets the digest right
    count(u, bucket_of(a), COUNTER[kind], hash, -1)
  end
  removed = removed + 1
end

-- Returns false where rows under the mark are still to go.
local function forget_mark(member)
  local u, namespace = sub(member, 2, 33), sub(member, 34)
  local record = call("HGET", user_key("marks", u), namespace)
  if not record or not is_below_floor(sub(record, 1, 36)) then
    return true
  end
  if call("ZSCORE", PURGING, u .. namespace) then
    return false
  end
  local bucket = sub(record, 69, 71)
  call("HDEL", user_key("marks", u), namespace)
  call("SREM", bucket_key(bucket), member)
  count(u, bucket, "marks", sub(record, 37, 68), -1)
  removed = removed + 1
  return true
end

local function forget(member)
  looked = looked + 1
  if sub(member, 1, 1) == "r" then
    forget_row(member)
    return true
  end
  return forget_mark(member)
end

-- Returns whether there may be more of them.
local function forget_late()
  local late = room > 0 and call("ZRANGE", LATE, 0, room - 1) or {}
  for _, member in ipairs(late) do
    if forget(member) then
      call("ZREM", LATE, member)
    end
  end
  return room > 0 and #late == room
end

local function forget_bucket(bucket)
  for _, member in ipairs(call("SMEMBERS", bucket_key(bucket))) do
    if removed >= room then
      return false
    end
    if not forget(member) then
      note_late(member)
    end
  end
  return true
end

-- Goes on where the walk for this floor stopped. Returns whether it is at its end.
local function walk()
  local walked = call("HGET", META, "walked") or ""
  local at = sub(walked, 1, 36) == floor and tonumber(sub(walked, 37)) or 0
  while at < BUCKETS and looked < room and forget_bucket(string.format("%03x", at)) do
    at = at + 1
  end
  call("HSET", META, "walked", floor .. at)
  return at == BUCKETS
end

if not floor or before(floor, ARGV[3]) then
  floor = ARGV[3]
  call("HSET", META, "floor", floor)
end
local more_late = forget_late()
local ended = walk()
if removed > 0 then
  save_counts()
  count_change(ARGV[1], ARGV[2])
end
return { removed, (more_late or not ended) and 1 or 0 }
