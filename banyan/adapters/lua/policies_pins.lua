#!lua flags=allow-oom
-- PINS: trees that a version is kept for; pins that are over go.
local key = a.tag .. ':pins:' .. a.version
call('ZREMRANGEBYSCORE', key, '-inf', now)
return { 'ok', call('ZRANGE', key, 0, a.limit - 1) }
