-- A mark as it is listed: {user_id, version, hash, "mark", namespace}; {} where it is gone.
local function read_mark(member)
  local u, namespace = sub(member, 2, 33), sub(member, 34)
  local record = call("HGET", user_key("marks", u), namespace)
  local user_id = call("HGET", user_key("user", u), "user_id")
  return record and { user_id, sub(record, 1, 36), sub(record, 37, 68), "mark", namespace } or {}
end
