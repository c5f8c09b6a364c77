#!lua
-- LEDGER_RESERVE: count a tree of a tenant, unless it would be one too many.
local TREES, NODES, KEPT = a.tag .. ':trees', a.tag .. ':nodes', a.tag .. ':kept'
for _, gone in ipairs(call('ZRANGEBYSCORE', TREES, '-inf', now)) do
  call('ZREM', TREES, gone)
  call('HDEL', NODES, gone)
  call('SREM', KEPT, gone)
end
local num_trees, num_nodes = call('ZCARD', TREES), 0
for _, nodes in ipairs(call('HVALS', NODES)) do num_nodes = num_nodes + tonumber(nodes) end
local kept = call('SMEMBERS', KEPT)
if call('ZSCORE', TREES, a.tree) then return { 'ok', 1, 0, num_trees, num_nodes, kept } end
if (a.max_trees >= 0 and num_trees >= a.max_trees)
  or (a.max_nodes >= 0 and num_nodes + a.nodes > a.max_nodes) then
  return { 'ok', 0, 0, num_trees, num_nodes, kept }
end
call('ZADD', TREES, now + a.ttl_ms, a.tree)
call('HSET', NODES, a.tree, a.nodes)
expire_ledger()
return { 'ok', 1, 1, num_trees + 1, num_nodes + a.nodes, kept }
