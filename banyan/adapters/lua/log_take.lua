#!lua flags=allow-oom
-- LOG_TAKE: finished trees to log, hidden from other writers for a lease; how many were lost.
local taken = call('ZRANGEBYSCORE', LOG, '-inf', now, 'LIMIT', 0, a.limit)
for _, entry in ipairs(taken) do
  call('ZADD', LOG, now + a.lease_ms, entry)
end
local lost = tonumber(call('GET', LOG_LOST) or 0)
call('DEL', LOG_LOST)
return { 'ok', taken, lost }
