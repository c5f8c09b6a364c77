#!lua
-- LOG_NODES: a page of a tree's nodes with all that was stored of them, in one round trip.
local found = {}
for _, path in ipairs(call('LRANGE', tree_key(a.tree, ':nodes'), a.offset, a.offset + a.limit - 1)) do
  local node = call('HMGET', node_key(a.tree, path), 'packed', 'queued_at', 'claimed_at',
    'finished_at', 'outcome')
  if not node[1] then return { 'missing', path } end
  found[#found + 1] = { path, node, call('LRANGE', turns_key(a.tree, path), 0, -1) }
end
return { 'ok', found }
