-- What is held of a user, or in all, in one snapshot.
--
-- ARGV: u, or "" for all. Returns {{incarnation, changes}, {live, deleted, expired, refused, marks},
-- the digest's {count, sum}; of all: the digests of the buckets as `digests.lua` returns them}.

local u = ARGV[1]
local counts = u == "" and TOTALS or user_key("user", u)
return {
  call("HMGET", META, "incarnation", "changes"),
  call("HMGET", counts, "live", "deleted", "expired", "refused", "marks"),
  u == "" and table.concat(call("HGETALL", DIGESTS), " ") or call("HMGET", counts, "count", "sum"),
}
