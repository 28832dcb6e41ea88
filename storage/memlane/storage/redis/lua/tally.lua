-- Adds up a user's rows, a bounded step of the way, to compare with the counts that are kept.
--
-- ARGV: u, the last member that was looked at or "" at the start, how many members to look at.
-- Returns {the kept counts, the last member or "" at the end, hashes and kinds by turns, members without a
-- row}. The marks, as kind "mark", come with the first step.

local u, last, most_looked = ARGV[1], ARGV[2], tonumber(ARGV[3])
local kept = call("HMGET", user_key("user", u),
  "count", "sum", "live", "deleted", "expired", "refused", "marks")
local found, stale = {}, {}

local function note(hash, kind)
  found[#found + 1] = hash
  found[#found + 1] = kind
end

if last == "" then
  for _, record in ipairs(call("HVALS", user_key("marks", u))) do
    note(sub(record, 37, 68), "mark")
  end
end
local low = last == "" and "-" or "(" .. last
local members = call("ZRANGEBYLEX", user_key("addresses", u), low, "+", "LIMIT", 0, most_looked)
for _, member in ipairs(members) do
  local row = call("HMGET", row_key(sub(member, -32)), "hash", "kind")
  if row[1] then
    note(row[1], row[2])
  else
    stale[#stale + 1] = member
  end
end
return { kept, #members == most_looked and members[#members] or "", found, stale }
