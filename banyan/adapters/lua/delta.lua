#!lua flags=allow-oom
-- DELTA: a piece of the answer while it is generated.
local key = node_key(a.tree, a.path)
if not owned(a.tree, a.path, a.epoch) then return { 'stale' } end
if call('HGET', key, 'delta_op') ~= a.op then
  emit(a.tree, 'answer.delta', a.event)
  call('HSET', key, 'delta_op', a.op)
end
return { 'ok' }
