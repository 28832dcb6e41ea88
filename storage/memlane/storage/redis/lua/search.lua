-- A user's live rows that any of some terms is in, best first, a bounded step of the way.
--
-- A term counts by what it tells apart (inverse document frequency, as in BM25) times its weight in the row;
-- equal scores are ordered newest first. Of a term that very many rows have, only the newest are looked at:
-- rarer terms leave their share of `most_looked` to the commoner ones.
--
-- ARGV: u, user_id, JSON [term, ...], namespace or "", as of, how many ranks to skip, how many members to
-- look at, rows and bytes to return at most.
-- Returns {{count, sum}, the rank to go on from or "" at the end, 1 if members were left out, lines}.

local u, user_id, namespace, as_of = ARGV[1], ARGV[2], ARGV[4], ARGV[5]
local skip, most_looked = tonumber(ARGV[6]), tonumber(ARGV[7])

local key = user_key("terms", u)
local met, versions, moments, scores, left_out = {}, {}, {}, {}, 0

local function occurring(terms)
  local found = {}
  for at, term in ipairs(terms) do
    local frequency = call("ZLEXCOUNT", key, "[" .. term .. SEP, "(" .. term .. AFTER_SEP)
    if frequency > 0 then
      found[#found + 1] = { term = term, frequency = frequency, at = at }
    end
  end
  table.sort(found, function(left, right)
    if left.frequency ~= right.frequency then
      return left.frequency < right.frequency
    end
    return left.at < right.at
  end)
  return found
end

local function score_term(term, live, share)
  local rarity = math.log(1 + (live - term.frequency + 0.5) / (term.frequency + 0.5))
  local low, high = "[" .. term.term .. SEP, "(" .. term.term .. AFTER_SEP
  local members = call("ZREVRANGEBYLEX", key, high, low, "LIMIT", 0, share)
  for _, member in ipairs(members) do
    local a = sub(member, -35, -4)
    if not scores[a] then
      met[#met + 1] = a
      scores[a] = 0
      versions[a] = sub(member, -71, -36)
      moments[a] = tonumber(sub(member, -71, -64) .. sub(member, -62, -59), 16) -- milliseconds
    end
    scores[a] = scores[a] + rarity * tonumber(sub(member, -3)) / 100
  end
  if term.frequency > #members then
    left_out = 1
  end
  return #members
end

local function score(terms)
  local live = math.max(call("ZCARD", user_key("recent", u)), 1)
  local room = most_looked
  for at, term in ipairs(terms) do
    local share = math.max(1, math.floor(room / (#terms - at + 1)))
    room = room - score_term(term, math.max(live, term.frequency), share)
  end
end

-- Few scores differ, so rows are grouped by score, and only the groups that are reached are sorted.
local function groups()
  local by_score, distinct = {}, {}
  for _, a in ipairs(met) do
    local value = scores[a]
    local group = by_score[value]
    if not group then
      group = {}
      by_score[value] = group
      distinct[#distinct + 1] = value
    end
    group[#group + 1] = a
  end
  table.sort(distinct)
  return by_score, distinct
end

local function newer(left, right)
  if moments[left] ~= moments[right] then
    return moments[left] > moments[right]
  end
  if versions[left] ~= versions[right] then
    return before(versions[right], versions[left])
  end
  return before(right, left) -- as the index has them
end

-- Rows are met newest first within a term, so most groups are in order.
local function sort_group(group)
  for at = 2, #group do
    if newer(group[at], group[at - 1]) then
      return table.sort(group, newer)
    end
  end
end

local function in_scope(a)
  return namespace == "" or within(call("HGET", row_key(a), "namespace") or "", namespace)
end

local rows, take, full = page(tonumber(ARGV[8]), tonumber(ARGV[9]))

local function rank()
  local by_score, distinct = groups()
  local seen = 0
  for at = #distinct, 1, -1 do
    local group = by_score[distinct[at]]
    if seen + #group > skip then
      sort_group(group)
      for index = math.max(1, skip - seen + 1), #group do
        if full() then
          return tostring(seen + index - 1)
        end
        local a = group[index]
        local row = in_scope(a) and read_live(u, user_id, a, versions[a], as_of)
        if row then
          take(row, string.format("%.17g", distinct[at]))
        end
      end
    end
    seen = seen + #group
  end
  return ""
end

score(occurring(cjson.decode(ARGV[3])))
local position = rank()
return { read_digest(u), position, left_out, rows }
