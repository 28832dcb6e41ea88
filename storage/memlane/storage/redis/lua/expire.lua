-- Live rows whose time has come become expired: their content goes, the row stays.
--
-- ARGV: the schema, an incarnation in case there is none, now, how many rows at most.
-- Returns {how many expired, how many were looked at}.

local last = "(" .. ARGV[3] .. "g" -- behind all members of that instant: "g" follows the digits of a hash
local due = call("ZRANGEBYLEX", DUE, "-", last, "LIMIT", 0, ARGV[4])
local expired = 0
for _, member in ipairs(due) do
  local expires, a, u = sub(member, 1, 18), sub(member, 19, 50), sub(member, 51)
  local row = call("HMGET", row_key(a), "kind", "expires", "version", "namespace", "key")
  if row[1] == LIVE and row[2] == expires then
    unindex_live(u, a, row[4], row[5], row[3])
    call("HDEL", row_key(a), "value", "about", "terms", "expires")
    call("HSET", row_key(a), "kind", EXPIRED)
    recount_kind(u, COUNTER[LIVE], COUNTER[EXPIRED])
    if is_below_floor(row[3]) then
      note_late("r" .. a .. u)
    end
    expired = expired + 1
  else
    call("ZREM", DUE, member)
  end
end
if expired > 0 then
  save_counts()
  count_change(ARGV[1], ARGV[2])
end
return { expired, #due }
