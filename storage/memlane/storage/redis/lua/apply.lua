-- Applies a batch by the rules of `memlane.storage.decide`. Everything is checked before the first write:
-- Redis takes nothing back.
--
-- ARGV: the schema, an incarnation in case there is none, how many rows to purge at most, the plan, and then
-- the value and the further content of each live store, in order. The plan is JSON:
--   {"users": [[u, user_id], ...], "commands": [...], "repair": whether the floor does not count} with, for a row,
--   [kind, user's index from 0, a, version, hash, namespace, key, expires or "", weighted terms]
--   and for a mark ["mark", user's index, bucket, version, hash, namespace or ""].
-- Returns {1 if anything changed, then for each command that was not simply applied: its index from 0,
-- `superseded`, `refused` or `below floor`, the newer version or ""}.

local FIRST_CONTENT = 5

local plan = cjson.decode(ARGV[4])
local users, commands = plan.users, plan.commands
local heads = {}
local answer = { 0 }
local marked = false

local function check_user(user)
  assert(#user[1] == 32 and type(user[2]) == "string", "memlane: malformed user")
  local present = call("HGET", user_key("user", user[1]), "user_id")
  assert(not present or present == user[2], "memlane: a key of another user")
  -- Each raises where the key holds something else.
  cover(user[1], "")
  call("ZCARD", user_key("addresses", user[1]))
  call("ZCARD", user_key("recent", user[1]))
  call("ZCARD", user_key("terms", user[1]))
  user.known = present and true
end

local function check_command(command, buckets)
  local user = users[command[2] + 1]
  assert(user and #command[4] == 36 and #command[5] == 32, "memlane: malformed command")
  assert(tonumber(sub(command[5], 1, 10), 16), "memlane: malformed hash")
  local bucket = command[3]
  if command[1] ~= "mark" then
    assert(#command[3] == 32 and COUNTER[command[1]] and command[9], "memlane: malformed row")
    bucket = bucket_of(command[3])
    if heads[command[3]] == nil then
      local head = call("HMGET", row_key(command[3]), "version", "hash", "kind")
      heads[command[3]] = head[1] and { version = head[1], hash = head[2], kind = head[3] }
    end
  end
  if not buckets[bucket] then
    buckets[bucket] = call("SCARD", bucket_key(bucket))
  end
end

local function check()
  call("HLEN", META)
  call("HLEN", DIGESTS)
  call("HLEN", TOTALS)
  call("ZCARD", DUE)
  call("ZCARD", PURGING)
  call("ZCARD", LATE)
  for _, user in ipairs(users) do
    check_user(user)
  end
  local buckets, contents = {}, FIRST_CONTENT
  for _, command in ipairs(commands) do
    check_command(command, buckets)
    if command[1] == LIVE then
      command.content = contents
      contents = contents + 2
    end
  end
  assert(contents == #ARGV + 1, "memlane: contents without a command")
end

local function say(index, decision, newer)
  answer[#answer + 1] = index - 1
  answer[#answer + 1] = decision
  answer[#answer + 1] = newer
end

local function changed(user)
  answer[1] = 1
  if not user.known then
    call("HSET", user_key("user", user[1]), "user_id", user[2])
    user.known = true
  end
end

local function write_row(user, command)
  local kind, u, a, version, hash = command[1], user[1], command[3], command[4], command[5]
  local namespace, key, expires = command[6], command[7], command[8]
  local head, bucket = heads[a], bucket_of(a)
  if head then
    count(u, bucket, COUNTER[head.kind], head.hash, -1)
    if head.kind == LIVE then
      unindex_live(u, a, namespace, key, head.version)
    end
    call("DEL", row_key(a)) -- a refused row may have content, if it was damaged
  else
    call("ZADD", user_key("addresses", u), 0, address_member(a, namespace, key))
    call("SADD", bucket_key(bucket), "r" .. a .. u)
  end
  local row = row_key(a)
  call("HSET", row, "version", version, "hash", hash, "kind", kind, "user_id", user[2],
    "namespace", namespace, "key", key)
  if kind == LIVE then
    local value, about, terms = ARGV[command.content], ARGV[command.content + 1], command[9]
    call("HSET", row, "value", value, "about", about, "terms", terms)
    if expires ~= "" then
      call("HSET", row, "expires", expires)
    end
    index_live(u, a, namespace, key, version, expires, terms)
  end
  count(u, bucket, COUNTER[kind], hash, 1)
  if kind ~= LIVE and is_below_floor(version) then
    note_late("r" .. a .. u)
  end
  heads[a] = { version = version, hash = hash, kind = kind }
  changed(user)
end

-- Whether a live row is there, that no mark covers.
local function lives(user, command, head)
  return head and head.kind == LIVE and not covered(user[1], command[6], head.version)
end

local function apply_row(index, command)
  local user, a, version, hash = users[command[2] + 1], command[3], command[4], command[5]
  local newer = covered(user[1], command[6], version)
  if newer then
    return say(index, "superseded", newer)
  end
  local head = heads[a]
  if head and head.version == version and head.hash == hash then
    if head.kind == REFUSED then
      say(index, "refused", "")
    end
    return
  end
  if head and (before(version, head.version) or version == head.version and before(hash, head.hash)) then
    return say(index, "superseded", head.version)
  end
  if command[1] == LIVE and not plan.repair and is_below_floor(version) and not lives(user, command, head) then
    return say(index, "below floor", "")
  end
  write_row(user, command)
end

local function drop_covered_marks(u, namespace, version)
  local key = user_key("marks", u)
  local present = call("HGETALL", key)
  for at = 1, #present, 2 do
    local scope, record = present[at], present[at + 1]
    if within(scope, namespace) and not before(version, sub(record, 1, 36)) then
      local bucket = sub(record, 69, 71)
      call("HDEL", key, scope)
      call("SREM", bucket_key(bucket), "m" .. u .. scope)
      call("ZREM", PURGING, u .. scope)
      count(u, bucket, "marks", sub(record, 37, 68), -1)
    end
  end
end

local function apply_mark(index, command)
  local user, bucket, version, hash = users[command[2] + 1], command[3], command[4], command[5]
  local u, namespace = user[1], command[6]
  local key = user_key("marks", u)
  local newer = covered(u, namespace, version)
  if newer then
    if sub(call("HGET", key, namespace) or "", 1, 68) ~= version .. hash then
      say(index, "superseded", newer)
    end
    return
  end
  drop_covered_marks(u, namespace, version)
  call("HSET", key, namespace, version .. hash .. bucket)
  call("SADD", bucket_key(bucket), "m" .. u .. namespace)
  call("ZADD", PURGING, 0, u .. namespace)
  count(u, bucket, "marks", hash, 1)
  if is_below_floor(version) then
    note_late("m" .. u .. namespace)
  end
  covers[u] = {}
  marked = true
  changed(user)
end

check()
for index, command in ipairs(commands) do
  if command[1] == "mark" then
    apply_mark(index, command)
  else
    apply_row(index, command)
  end
end
if marked then
  purge(tonumber(ARGV[3]))
end
if answer[1] == 1 then
  save_counts()
  count_change(ARGV[1], ARGV[2])
end
return answer
