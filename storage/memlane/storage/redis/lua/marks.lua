-- Scope marks, as far as rows have to obey them.

local covers = {} -- by user: false where there is no mark, else versions (or false) by namespace

local function read_cover(u, namespace)
  local scopes = { "", namespace }
  for at = #namespace, 1, -1 do
    if byte(namespace, at) == 47 then -- a slash
      scopes[#scopes + 1] = sub(namespace, 1, at - 1)
    end
  end
  local best = false
  for _, mark in ipairs(call("HMGET", user_key("marks", u), unpack(scopes))) do
    if mark and (not best or before(best, sub(mark, 1, 36))) then
      best = sub(mark, 1, 36)
    end
  end
  return best
end

-- The version of the newest mark that covers a namespace of a user; false if there is none.
local function cover(u, namespace)
  local known = covers[u]
  if known == nil then
    known = call("HLEN", user_key("marks", u)) > 0 and {}
    covers[u] = known
  end
  if not known then
    return false
  end
  if known[namespace] == nil then
    known[namespace] = read_cover(u, namespace)
  end
  return known[namespace]
end

-- The version of a mark that covers a version in a namespace; false if there is none.
local function covered(u, namespace, version)
  local newest = cover(u, namespace)
  return newest and not before(newest, version) and newest
end
