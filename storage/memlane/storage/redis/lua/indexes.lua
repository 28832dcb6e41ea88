-- What finds a row: kept in step with it.

local function address_member(a, namespace, key)
  return namespace .. SEP .. key .. SEP .. a
end

local function recent_member(a, namespace, key, version)
  return version .. SEP .. address_member(a, namespace, key)
end

-- Adds or removes a row's terms: `<weight in three digits><term>`, with spaces between.
local function change_terms(u, a, version, terms, adding)
  local key, tail = user_key("terms", u), SEP .. version .. a
  local values, count_of = {}, 0
  for weight, term in string.gmatch(terms, "(%d%d%d)([^ ]+)") do
    if adding then
      count_of = count_of + 1
      values[count_of] = 0 -- the score
    end
    count_of = count_of + 1
    values[count_of] = term .. tail .. weight
    if count_of >= MANY then
      call(adding and "ZADD" or "ZREM", key, unpack(values, 1, count_of))
      values, count_of = {}, 0
    end
  end
  if count_of > 0 then
    call(adding and "ZADD" or "ZREM", key, unpack(values, 1, count_of))
  end
end

local function index_live(u, a, namespace, key, version, expires, terms)
  call("ZADD", user_key("recent", u), 0, recent_member(a, namespace, key, version))
  change_terms(u, a, version, terms, true)
  if expires ~= "" then
    call("ZADD", DUE, 0, expires .. a .. u)
  end
end

-- Before the row itself is changed: what it is found by is read from it.
local function unindex_live(u, a, namespace, key, version)
  local kept = call("HMGET", row_key(a), "expires", "terms")
  call("ZREM", user_key("recent", u), recent_member(a, namespace, key, version))
  change_terms(u, a, version, kept[2] or "", false)
  if kept[1] then
    call("ZREM", DUE, kept[1] .. a .. u)
  end
end
