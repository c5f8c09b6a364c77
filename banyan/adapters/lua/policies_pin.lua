#!lua
-- PIN: keep a version for a tree, unless the registry has moved on since it was chosen.
local revision = tonumber(call('HGET', a.tag .. ':registry', 'revision') or 0)
if a.revision >= 0 and revision ~= a.revision then return { 'ok', 0 } end
call('ZADD', a.tag .. ':pins:' .. a.version, 'GT', now + a.ttl_ms, a.pinned)
return { 'ok', 1 }
