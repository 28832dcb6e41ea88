-- Rows and marks of a bucket by their members, as many as there is room for.
--
-- ARGV: bytes to return at most, the members. Returns for each of the first of them
-- {user_id, version, hash, kind, namespace, key, value, about, seal}, a mark with kind "mark" and as far as the
-- namespace; {} where it is gone.

local answer, bytes = {}, 0

local function read_row(member)
  local row, seal = look(sub(member, 2, 33))
  if not row then
    return {}
  end
  bytes = bytes + #row[7]
  row[9] = seal
  return row
end

for at = 2, #ARGV do
  if bytes >= tonumber(ARGV[1]) then
    break
  end
  local member = ARGV[at]
  answer[#answer + 1] = sub(member, 1, 1) == "r" and read_row(member) or read_mark(member)
end
return answer
