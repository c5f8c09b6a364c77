#!lua
-- SAVE: replace the registry where nobody else has since it was read.
local key = a.tag .. ':registry'
local kept = call('HMGET', key, 'revision', 'op')
if kept[2] == a.op then return { 'ok', 1 } end
if tonumber(kept[1] or 0) ~= a.revision then return { 'ok', 0 } end
call('HSET', key, 'revision', a.revision + 1, 'op', a.op, 'data', a.data)
if a.version then call('HSET', a.tag .. ':manifests', a.version, a.manifest) end
return { 'ok', 1 }
