#!lua flags=allow-oom
-- SPAWN: record the turn, create the children out of the node's budget, put the node away.
local id, path, key = a.tree, a.path, node_key(a.tree, a.path)
local ready = {}
if applied(id, path, a.epoch, 'suspended', 'queued') then
  for index = 0, tonumber(call('HGET', key, 'num_children')) - 1 do
    add_if_queued(ready, id, path .. '.' .. index)
  end
  return { 'ok', ready }
end
if not owned(id, path, a.epoch) then return { 'stale' } end

local node = call('HMGET', key, 'tokens', 'nodes', 'nano_usd', 'num_children')
local log = a.log or { tokens = 0, spent = { nano_usd = 0 } }
local held_tokens = math.max(0, tonumber(node[1]) - log.tokens)
local held_nano_usd = math.max(0, tonumber(node[3]) - log.spent.nano_usd)
local tokens, nodes, nano_usd = held_tokens, tonumber(node[2]) - #a.children, held_nano_usd
for _, child in ipairs(a.children) do
  tokens, nodes, nano_usd = tokens - child[2], nodes - child[3], nano_usd - child[4]
end
if tokens < a.kept_tokens or nodes < a.kept_nodes or nano_usd < a.kept_nano_usd then
  return { 'conflict', held_tokens, node[2], held_nano_usd }
end

local tree = call('HMGET', tree_key(id), 'tenant', 'generation', 'max_depth', 'nodes')
if a.log then charge(id, path, a.log) end
retire(id, path, tree[1])
call('HSET', key, 'status', 'suspended', 'packed', a.packed, 'tokens', tokens, 'nodes', nodes,
  'nano_usd', nano_usd, 'open_children', #a.children, 'suspended_epoch', a.epoch)
if a.shared then call('HSET', tree_key(id, ':shared'), a.shared[1], a.shared[2]) end
emit(id, 'node.spawned', a.event)
local first, serial, depth = tonumber(node[4]), tonumber(tree[4]) - 1, depth_of(path) + 1
call('HINCRBY', key, 'num_children', #a.children)
call('HINCRBY', tree_key(id), 'nodes', #a.children)
call('HSET', tree_key(id), 'max_depth', math.max(depth, tonumber(tree[3])))
for start = 1, #a.children, BATCH do
  local paths, open, backlog = {}, {}, {}
  for index = start, math.min(start + BATCH - 1, #a.children) do
    local child, below = a.children[index], path .. '.' .. (first + index - 1)
    call('HSET', node_key(id, below), 'packed', child[1], 'tokens', child[2], 'nodes', child[3],
      'nano_usd', child[4], 'policy', child[5], 'status', 'queued', 'queued_at', now,
      'continuation', 0, 'generation', tree[2], 'epoch', 0, 'attempts', 0, 'num_children', 0, 'open_children', 0, 'reserve_tokens', 0,
      'reserve_nano_usd', 0, 'dispatched', 0, 'serial', serial + index)
    paths[#paths + 1] = below
    open[#open + 1] = depth
    open[#open + 1] = below
    backlog[#backlog + 1] = rank(below, false, serial + index)
    backlog[#backlog + 1] = below
  end
  call('RPUSH', tree_key(id, ':nodes'), unpack(paths))
  call('ZADD', tree_key(id, ':open'), unpack(open))
  call('ZADD', tree_key(id, ':backlog'), unpack(backlog))
end
update_waiting(id, tree[1])
return { 'ok', dispatch(tree[1], ready) }
