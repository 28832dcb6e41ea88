-- The floor: the version below which deletes are forgotten.

local floor = call("HGET", META, "floor") -- false where none ever were

local function is_below_floor(version)
  return floor and before(version, floor)
end

-- Something comes below the floor after the walk through the buckets: the next one must look at it.
local function note_late(member)
  call("ZADD", LATE, 0, member)
end
