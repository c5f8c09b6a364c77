#!lua flags=allow-oom
-- LEFTOVERS_SETTLE: texts of a tree that is gone are removed; what it has beyond them is due.
local key = derived_key(a.entry)
if #a.documents > 0 then call('SREM', key, unpack(a.documents)) end
if call('EXISTS', key) == 0 then
  call('ZREM', LEFTOVERS, a.entry)
else
  call('ZADD', LEFTOVERS, 'XX', now, a.entry)
end
return { 'ok' }
