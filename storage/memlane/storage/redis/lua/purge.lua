-- Removes rows under marks.
--
-- ARGV: the schema, an incarnation in case there is none, how many rows to look at.
-- Returns {how many went, 1 if there may be more}.

local removed, more = purge(tonumber(ARGV[3]))
if removed > 0 then
  save_counts()
  count_change(ARGV[1], ARGV[2])
end
return { removed, more and 1 or 0 }
