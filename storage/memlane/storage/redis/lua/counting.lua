-- Digests and counts: gathered while a script runs, written by `save_counts`.

local deltas = {}
local counted = 0

local function add(key, field, amount)
  local fields = deltas[key]
  if not fields then
    fields = {}
    deltas[key] = fields
  end
  fields[field] = (fields[field] or 0) + amount
end

local function save_counts()
  for key, fields in pairs(deltas) do
    for field, amount in pairs(fields) do
      if amount ~= 0 then
        call("HINCRBY", key, field, string.format("%.0f", amount))
      end
    end
  end
  deltas, counted = {}, 0
end

-- A row moves from one kind to another: no digest changes by that.
local function recount_kind(u, from, to)
  local user = user_key("user", u)
  add(user, from, -1)
  add(user, to, 1)
  add(TOTALS, from, -1)
  add(TOTALS, to, 1)
end

-- A row or a mark comes (sign 1) or goes (-1). The counter is its kind's name, or `marks`.
local function count(u, bucket, counter, hash, sign)
  local weight = tonumber(sub(hash, 1, 10), 16) * sign
  local user = user_key("user", u)
  add(user, "count", sign)
  add(user, "sum", weight)
  add(user, counter, sign)
  add(TOTALS, counter, sign)
  add(DIGESTS, bucket .. ":count", sign)
  add(DIGESTS, bucket .. ":sum", weight)
  counted = counted + 1
  if counted == 4096 then -- of 40 bits each: a double is exact up to 53
    save_counts()
  end
end

-- Counts one change of the store; one that was flushed gets its identity anew.
local function count_change(schema, incarnation)
  if call("HSETNX", META, "incarnation", incarnation) == 1 then
    call("HSETNX", META, "schema", schema)
  end
  call("HINCRBY", META, "changes", 1)
end
