#!lua flags=allow-oom
-- TURN: store what a model call gave and cost, and the node's new state, before it takes effect.
local key = node_key(a.tree, a.path)
if not owned(a.tree, a.path, a.epoch) then return { 'stale' } end
if call('HGET', key, 'turn_op') ~= a.op then
  charge(a.tree, a.path, a.log)
  call('HSET', key, 'packed', a.packed, 'turn_op', a.op)
end
return { 'ok', unpack(call('HMGET', key, 'tokens', 'nodes', 'nano_usd')) }
