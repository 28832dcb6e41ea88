-- Live rows of a user by (version, namespace, key), a bounded step of the way.
--
-- ARGV: u, user_id, `newest` or `oldest`, the lowest and the highest member as ZRANGEBYLEX takes them,
-- namespace or "", as of, how many members to look at, rows and bytes to return at most.
-- Returns {{count, sum}, the last member that was looked at or "" at the end, 0, lines with the score 0}.

local u, user_id, order, low, high = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local namespace, as_of, most_looked = ARGV[6], ARGV[7], tonumber(ARGV[8])

local recent = user_key("recent", u)
local members
if order == "newest" then
  members = call("ZREVRANGEBYLEX", recent, high, low, "LIMIT", 0, most_looked)
else
  members = call("ZRANGEBYLEX", recent, low, high, "LIMIT", 0, most_looked)
end

local rows, take, full = page(tonumber(ARGV[9]), tonumber(ARGV[10]))
local position = #members == most_looked and members[#members] or ""
for at, member in ipairs(members) do
  local place = sub(member, 38, -34)
  if within(sub(place, 1, string.find(place, SEP, 1, true) - 1), namespace) then
    local row = read_live(u, user_id, sub(member, -32), sub(member, 1, 36), as_of)
    if row then
      take(row, "0")
    end
  end
  if full() and at < #members then
    position = member
    break
  end
end
return { read_digest(u), position, 0, rows }
