-- Makes a damaged row the oldest at its address, if it is still the one that was looked at. Its content stays.
--
-- ARGV: the schema, an incarnation in case there is none, u, a, the seal of the row that was looked at, the hash
-- by which it is counted, and what it becomes: version, hash, kind.
-- Returns `demoted`, or `left`: it is another row by now, or a mark covers it and it goes anyway. Where a mark is
-- as new as the version that it should become: that mark's version.

local u, a, hash_counted = ARGV[3], ARGV[4], ARGV[6]
local version, hash, kind = ARGV[7], ARGV[8], ARGV[9]

local row, seal = look(a)
if seal ~= ARGV[5] or covered(u, row[5], row[2]) then
  return "left"
end
local newer = covered(u, row[5], version)
if newer then
  return newer
end

count(u, bucket_of(a), COUNTER[row[4]], hash_counted, -1)
if row[4] == LIVE then
  local kept = call("HMGET", row_key(a), "expires", "terms")
  unindex_live(u, a, row[5], row[6], row[2])
  if kind == LIVE then
    index_live(u, a, row[5], row[6], version, kept[1] or "", kept[2] or "")
  end
end
call("HSET", row_key(a), "version", version, "hash", hash, "kind", kind)
count(u, bucket_of(a), COUNTER[kind], hash, 1)
save_counts()
count_change(ARGV[1], ARGV[2])
return "demoted"
