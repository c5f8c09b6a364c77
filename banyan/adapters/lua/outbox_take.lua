#!lua flags=allow-oom
-- OUTBOX_TAKE: notices that are due, hidden from other couriers for a lease, with their attempts.
local found = {}
for _, entry in ipairs(call('ZRANGEBYSCORE', OUTBOX, '-inf', now, 'LIMIT', 0, a.limit)) do
  call('ZADD', OUTBOX, now + a.lease_ms, entry)
  -- Counted before the attempt: one that kills its courier does not come back for ever.
  found[#found + 1] = { entry, call('HINCRBY', OUTBOX .. '_attempts', entry, 1) }
end
return { 'ok', found }
