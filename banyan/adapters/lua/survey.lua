#!lua flags=no-writes
-- SURVEY: what waits and what runs in a shard, and what has been counted there.
local oldest = call('ZRANGE', READY, 0, 0, 'WITHSCORES')
return { 'ok', call('ZCARD', READY), oldest[2] and math.max(0, now - tonumber(oldest[2])) or 0,
  call('ZCARD', LEASES), call('ZCARD', LOG), call('ZCARD', OUTBOX),
  tonumber(call('HGET', TOTALS, 'expired_leases') or 0),
  tonumber(call('HGET', TOTALS, 'lost_trees') or 0) }
