#!lua flags=allow-oom
-- STATION: say which weights a replica has, as long as one holds the lease.
if call('GET', a.tag .. ':lease') ~= a.token then return { 'ok', 0 } end
call('HSET', a.tag .. ':stations', a.replica, a.station)
return { 'ok', 1 }
