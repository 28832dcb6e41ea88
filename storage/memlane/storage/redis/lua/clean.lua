-- Removes from an index of a user what finds no row, a bounded step of the way.
--
-- ARGV: u, `recent` or `terms`, the last member that was looked at or "" at the start, how many to look at.
-- Returns the last member, or "" at the end.

local key, most_looked = user_key(ARGV[2], ARGV[1]), tonumber(ARGV[4])

local function version_and_address(member)
  if ARGV[2] == "recent" then
    return sub(member, 1, 36), sub(member, -32)
  end
  return sub(member, -71, -36), sub(member, -35, -4)
end

local low = ARGV[3] == "" and "-" or "(" .. ARGV[3]
local members = call("ZRANGEBYLEX", key, low, "+", "LIMIT", 0, most_looked)
for _, member in ipairs(members) do
  local version, a = version_and_address(member)
  local row = call("HMGET", row_key(a), "version", "kind")
  if row[1] ~= version or row[2] ~= LIVE then
    call("ZREM", key, member)
  end
end
return #members == most_looked and members[#members] or ""
