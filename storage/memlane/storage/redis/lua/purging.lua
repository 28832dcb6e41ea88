-- Removing rows that a mark covers, in bounded steps. A mark's cursor (its range, and the last member that
-- was looked at) is kept behind its bucket. No row that it covers can come behind the cursor: apply obeys it.

local function ranges(namespace)
  if namespace == "" then
    return { { "-", "+" } }
  end
  return {
    { "[" .. namespace .. SEP, "(" .. namespace .. AFTER_SEP }, -- the namespace itself
    { "[" .. namespace .. "/", "(" .. namespace .. "0" }, -- all below it: "0" follows "/"
  }
end

-- Removes the row of an address member if the mark covers it. Returns how many rows went.
local function purge_member(u, member, newest)
  local a = sub(member, -32)
  local row = call("HMGET", row_key(a), "version", "hash", "kind", "namespace", "key")
  local version, hash, kind = row[1], row[2], row[3]
  if version and before(newest, version) then
    return 0
  end
  call("ZREM", user_key("addresses", u), member)
  if not version then
    return 0
  end
  if kind == LIVE then
    unindex_live(u, a, row[4], row[5], version)
  end
  call("DEL", row_key(a))
  call("SREM", bucket_key(bucket_of(a)), "r" .. a .. u)
  count(u, bucket_of(a), COUNTER[kind], hash, -1)
  return 1
end

-- Looks at up to `room` rows in the scope of one mark. Returns how many it looked at and removed.
local function purge_mark(u, namespace, record, room)
  local looked, removed = 0, 0
  local newest, at, last = sub(record, 1, 36), tonumber(sub(record, 72, 72)) or 1, sub(record, 73)
  local of_scope = ranges(namespace)
  while of_scope[at] do
    local low, high = of_scope[at][1], of_scope[at][2]
    if last ~= "" then
      low = "(" .. last
    end
    local found = call("ZRANGEBYLEX", user_key("addresses", u), low, high, "LIMIT", 0, room - looked)
    for _, member in ipairs(found) do
      removed = removed + purge_member(u, member, newest)
    end
    looked = looked + #found
    if looked >= room then
      local cursor = at .. found[#found]
      call("HSET", user_key("marks", u), namespace, sub(record, 1, 71) .. cursor)
      return looked, removed
    end
    at, last = at + 1, ""
  end
  call("HSET", user_key("marks", u), namespace, sub(record, 1, 71))
  call("ZREM", PURGING, u .. namespace)
  return looked, removed
end

-- Looks at up to `room` rows. Returns how many it removed, and whether there may be more.
local function purge(room)
  local looked, removed = 0, 0
  while true do
    local scope = call("ZRANGE", PURGING, 0, 0)[1]
    if not scope or looked >= room then
      return removed, scope ~= nil
    end
    local u, namespace = sub(scope, 1, 32), sub(scope, 33)
    local record = call("HGET", user_key("marks", u), namespace)
    if record then
      local more_looked, more_removed = purge_mark(u, namespace, record, room - looked)
      looked, removed = looked + more_looked, removed + more_removed
    else
      call("ZREM", PURGING, scope)
    end
  end
end
