-- The head of every script. KEYS[1] is `<prefix>:meta`; all other keys are made here from the prefix.
-- `u` is the hash of a user, `a` the hash of an address: no key holds a user's text.
--
--   row:<a>         hash   a version row; while it is live, its content too
--   addresses:<u>   zset   <namespace> SEP <key> SEP <a>, of every row
--   recent:<u>      zset   <version> SEP <namespace> SEP <key> SEP <a>, of the live rows
--   terms:<u>       zset   <term> SEP <version> <a> <weight>, of the live rows: newest last within a term
--   marks:<u>       hash   <namespace> (empty: the whole user) to <version> <hash> <bucket> <purge cursor>
--   user:<u>        hash   user_id, count and sum of the digest, and how many rows by kind and marks
--   bucket:<b>      set    r<a><u> of its rows, m<u><namespace> of its marks
--   digests         hash   <b>:count and <b>:sum
--   totals          hash   how many rows by kind and marks, in all
--   due             zset   <expires> <a> <u>, of the live rows that expire
--   purging         zset   <u> <namespace> of the marks whose rows are not all removed yet
--   late            zset   <member of a bucket> of what came below the floor, and may be forgotten
--   meta            hash   schema, incarnation, changes; where deletes are forgotten: floor, and <floor> <bucket>
--                          in `walked`: all before that bucket are done
--
-- All scores are 0, so that members are sorted by their bytes.

local call, sub, byte = redis.call, string.sub, string.byte

local META = KEYS[1]
local PREFIX = sub(META, 1, -5)
local DIGESTS, TOTALS = PREFIX .. "digests", PREFIX .. "totals"
local DUE, PURGING, LATE = PREFIX .. "due", PREFIX .. "purging", PREFIX .. "late"

local SEP = "\31" -- below every character of an identifier, so members sort like their parts
local AFTER_SEP = "\32"
local LIVE, DELETED, EXPIRED, REFUSED = "1", "2", "3", "4"
local COUNTER = { ["1"] = "live", ["2"] = "deleted", ["3"] = "expired", ["4"] = "refused" }
local MANY = 4000 -- values that one call may be given, below Lua's limit of some 8000

local function row_key(a)
  return PREFIX .. "row:" .. a
end

local function user_key(what, u)
  return PREFIX .. what .. ":" .. u
end

local function bucket_key(bucket)
  return PREFIX .. "bucket:" .. bucket
end

local function bucket_of(a)
  return sub(a, 1, 3)
end

-- Whether a text is strictly before another by its bytes. Lua's `<` asks the server's locale.
local function before(left, right)
  if left == right then
    return false
  end
  local start = 1
  while sub(left, start, start + 7) == sub(right, start, start + 7) do
    start = start + 8
  end
  for at = start, start + 7 do
    local one, other = byte(left, at) or -1, byte(right, at) or -1
    if one ~= other then
      return one < other
    end
  end
end

-- Whether a namespace is within a scope (empty: the whole user), by whole parts.
local function within(namespace, scope)
  return scope == "" or namespace == scope or sub(namespace, 1, #scope + 1) == scope .. "/"
end
