#!lua flags=allow-oom
-- LEFTOVERS_TAKE: trees that are gone, and texts that they derived, hidden from others for a lease.
local found = {}
for _, entry in ipairs(call('ZRANGEBYSCORE', LEFTOVERS, '-inf', now, 'LIMIT', 0, a.limit)) do
  call('ZADD', LEFTOVERS, now + a.lease_ms, entry)
  found[#found + 1] = { entry, call('SRANDMEMBER', derived_key(entry), BATCH) }
end
return { 'ok', found }
