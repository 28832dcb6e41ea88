-- Sets a user's counts to what was added up, if nothing has changed them since.
--
-- ARGV: u; the counts that were kept when the adding began; what they should be; by how much the totals are
-- wrong (of each as many as `FIELDS`); then members without a row.
-- Returns 1 if they were set.

local FIELDS = { "count", "sum", "live", "deleted", "expired", "refused", "marks" }

local u = ARGV[1]
local user = user_key("user", u)
local present = call("HMGET", user, unpack(FIELDS))
for at = 1, #FIELDS do
  if (present[at] or "0") ~= ARGV[1 + at] then
    return 0
  end
end
for at, field in ipairs(FIELDS) do
  call("HSET", user, field, ARGV[1 + #FIELDS + at])
  if at > 2 then
    call("HINCRBY", TOTALS, field, ARGV[1 + 2 * #FIELDS + at])
  end
end
for at = 2 + 3 * #FIELDS, #ARGV do
  if call("EXISTS", row_key(sub(ARGV[at], -32))) == 0 then
    call("ZREM", user_key("addresses", u), ARGV[at])
  end
end
return 1
