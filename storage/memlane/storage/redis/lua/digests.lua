-- The digests of all buckets, in one snapshot: `<bucket>:count`, a number, `<bucket>:sum`, a number and so on.
-- One text with spaces between, because a client takes long over 16,384 small ones.

return table.concat(call("HGETALL", DIGESTS), " ")
