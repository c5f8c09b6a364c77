#!lua flags=allow-oom
-- CLAIM: lease those of the given nodes that were dispatched and are free, with all they need.
local id = a.tree
local tree = call('HMGET', tree_key(id), 'status', 'cancelled', 'deadline_at')
if not tree[1] or is_final(tree[1]) or tree[2] == '1' then return { 'ok', now, 0, {} } end

local function outcomes(path, num_children)
  local found = {}
  for index = 0, num_children - 1 do
    found[#found + 1] = call('HGET', node_key(id, path .. '.' .. index), 'outcome')
  end
  return found
end

local function show(path)
  local node = call('HMGET', node_key(id, path), 'epoch', 'packed', 'tokens', 'nodes', 'generation',
    'attempts', 'queued_at', 'continuation', 'num_children', 'nano_usd', 'policy', 'suspended_epoch')
  local children = node[8] == '1' and outcomes(path, tonumber(node[9])) or {}
  local parent = parent_of(path)
  return { path, node[1], node[2], node[3], node[4], node[10], node[11], node[5], node[6], node[7],
    children, node[12], parent and call('HGET', node_key(id, parent), 'suspended_epoch') or false }
end

local function take(path)
  local key = node_key(id, path)
  local epoch = call('HINCRBY', key, 'epoch', 1)
  local reserve = a.reserves[call('HGET', key, 'policy')] or { 0, 0 }
  call('HSET', key, 'status', 'running', 'claimed_at', now, 'claim_op', a.op,
    'reserve_tokens', reserve[1], 'reserve_nano_usd', reserve[2])
  call('ZREM', DUE, member(id, path))
  call('ZREM', READY, member(id, path))
  call('ZADD', LEASES, now + a.lease_ms, member(id, path))
  emit(id, 'node.claimed', cjson.encode({ node = path, worker = a.worker, epoch = epoch }))
end

local claimed = {}
for _, path in ipairs(a.paths) do
  local key = node_key(id, path)
  local node = call('HMGET', key, 'status', 'attempts', 'claim_op')
  if node[1] == 'running' and node[3] ~= a.op then
    local until_ms = tonumber(call('ZSCORE', LEASES, member(id, path)))
    -- A node that would be given up is left to REAP, which hands on the hints.
    if until_ms <= now and tonumber(node[2]) < a.max_expiries then
      expire_lease(id, path, {})
      node[1] = 'queued'
    end
  end
  if node[1] == 'queued' and call('HGET', key, 'dispatched') == '1' then
    take(path)
    claimed[#claimed + 1] = show(path)
  elseif node[1] == 'running' and node[3] == a.op then
    claimed[#claimed + 1] = show(path) -- this very claim, repeated because its reply was lost
  end
end
if tree[1] == 'queued' and #claimed > 0 then set_status(id, 'running') end
return { 'ok', now, tree[3], claimed }
