#!lua flags=allow-oom
-- LEASE: take or extend the lease under which replicas are changed.
local key = a.tag .. ':lease'
local holder = call('GET', key)
if holder and holder ~= a.token then return { 'ok', 0 } end
call('SET', key, a.token, 'PX', a.ttl_ms)
return { 'ok', 1 }
