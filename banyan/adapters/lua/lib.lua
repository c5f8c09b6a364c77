-- The steps that all transitions are made of; the loader puts this before each script.
--
-- `a` holds the named arguments. Every key starts with the shard's tag, so that a script stays in
-- one hash slot. `now` and all stored times are milliseconds on the server's clock.

local a = cmsgpack.unpack(ARGV[1])
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local DUE, LEASES, CANCELLING = a.tag .. ':due', a.tag .. ':leases', a.tag .. ':cancelling'
local LOG, LOG_LOST = a.tag .. ':log', a.tag .. ':log_lost'
local OUTBOX = a.tag .. ':outbox'
local READY, TOTALS = a.tag .. ':ready', a.tag .. ':totals'
local EXPIRING, LEFTOVERS = a.tag .. ':expiring', a.tag .. ':leftovers'
local BATCH = 1000 -- below Lua's limit of values on its stack
local TURN = 8 -- nodes that a tree sends in its turn, so that a message of hints is worth its price
local MAX_DOUBLINGS = 3 -- of the pause between two hints for one node

local function tree_key(id, part)
  return a.tag .. ':tree:' .. id .. (part or '')
end

local function node_key(id, path)
  return a.tag .. ':tree:' .. id .. ':node:' .. path
end

local function turns_key(id, path)
  return a.tag .. ':tree:' .. id .. ':turns:' .. path
end

local function member(id, path)
  return id .. '|' .. path
end

local function parent_of(path)
  return string.match(path, '^(.*)%.[^.]*$')
end

local function depth_of(path)
  return select(2, string.gsub(path, '%.', ''))
end

local function is_final(status)
  return status == 'completed' or status == 'partial' or status == 'failed' or status == 'cancelled'
end

-- Append an event; `data` is JSON text. The oldest go where there are more than are kept.
local function emit(id, kind, data)
  local seq = call('HINCRBY', tree_key(id), 'seq', 1)
  call('XADD', tree_key(id, ':events'), 'MAXLEN', '=', a.max_events, seq .. '-0', 'type', kind, 'at', now, 'data', data)
end

-- The list of a tenant's trees: all of them, or those with this status. Members are in the order of
-- admission.
local function list_key(tenant, status)
  return a.tag .. ':solves:' .. status .. ':' .. tenant
end

local function list_member(id, created_at)
  return string.format('%015d|%s', created_at, id)
end

local function set_status(id, status)
  local tree = call('HMGET', tree_key(id), 'tenant', 'status', 'created_at')
  local entry = list_member(id, tree[3])
  if tree[2] then call('ZREM', list_key(tree[1], tree[2]), entry) end
  call('ZADD', list_key(tree[1], status), 0, entry)
  call('HSET', tree_key(id), 'status', status)
end

local function expiring_entry(id)
  local tree = call('HMGET', tree_key(id), 'created_at', 'tenant')
  return id .. '|' .. tree[1] .. '|' .. tree[2]
end

-- The texts that a tree derived. Named by its entry: another tree may have its id by the time that
-- they are removed.
local function derived_key(entry)
  return a.tag .. ':derived:' .. entry
end

-- Take a finished tree that has gone, or is about to, off its tenant's lists, and leave its derived
-- texts to be removed, once nobody can be writing one any more.
local function unlist(entry)
  local id, created_at, tenant = string.match(entry, '^(.-)|(.-)|(.*)$')
  for _, status in ipairs({ 'all', 'completed', 'partial', 'failed', 'cancelled' }) do
    call('ZREM', list_key(tenant, status), list_member(id, created_at))
  end
  call('ZREM', EXPIRING, entry)
  if call('EXISTS', derived_key(entry)) == 1 then
    call('ZADD', LEFTOVERS, now + a.derived_kept_ms, entry)
  end
end

-- A tree stands in its tenant's `waiting` set while it has a backlog and a free slot of its own.
-- Scores are serial numbers, so that the tenant's trees take turns.
local function update_waiting(id, tenant)
  local waiting = a.tag .. ':waiting:' .. tenant
  local tree = call('HMGET', tree_key(id), 'max_parallel', 'dispatched', 'cancelled')
  local free = tonumber(tree[2]) < tonumber(tree[1]) and tree[3] == '0'
  if free and call('ZCARD', tree_key(id, ':backlog')) > 0 then
    if not call('ZSCORE', waiting, id) then
      call('ZADD', waiting, call('HINCRBY', a.tag .. ':tenant:' .. tenant, 'serial', 1), id)
    end
  else
    call('ZREM', waiting, id)
  end
end

-- Order of dispatch in a tree: continuations before children, deeper first, then by age.
local function rank(path, continuation, serial)
  return ((continuation and 0 or 1000) - depth_of(path)) * 2 ^ 32 + serial
end

local function make_ready(id, path, continuation)
  call('HSET', node_key(id, path), 'status', 'queued', 'queued_at', now,
    'continuation', continuation and 1 or 0)
  local serial = call('HGET', node_key(id, path), 'serial')
  call('ZADD', tree_key(id, ':backlog'), rank(path, continuation, serial), path)
end

-- Append (tree, path, continuation) of a node to `ready`.
local function add(ready, id, path, continuation)
  ready[#ready + 1] = id
  ready[#ready + 1] = path
  ready[#ready + 1] = continuation
end

-- How many of a tenant's nodes are dispatched, and how many of these no worker has claimed yet.
local function count(tenant, dispatched, queued)
  local account = a.tag .. ':tenant:' .. tenant
  if dispatched ~= 0 then call('HINCRBY', account, 'dispatched', dispatched) end
  if queued ~= 0 then call('HINCRBY', account, 'queued', queued) end
end

-- Dispatch from the tenant's backlogs while it has slots, and room in the queue that all tenants
-- share: what a tenant has there, others wait behind. Room is filled once half of it is free.
-- A hint is sent again after `due_at`.
local function dispatch(tenant, ready, due_at)
  local waiting = a.tag .. ':waiting:' .. tenant
  local held = call('HMGET', a.tag .. ':tenant:' .. tenant, 'dispatched', 'queued')
  local queued = tonumber(held[2] or 0)
  if queued * 2 > a.tenant_queued then return ready end
  local free = math.min(a.tenant_dispatch - tonumber(held[1] or 0), a.tenant_queued - queued)
  while free > 0 do
    local id = call('ZPOPMIN', waiting)[1]
    if not id then break end
    local tree = call('HMGET', tree_key(id), 'max_parallel', 'dispatched')
    local room = math.min(free, TURN, tonumber(tree[1]) - tonumber(tree[2]))
    local popped = call('ZPOPMIN', tree_key(id, ':backlog'), room)
    for index = 1, #popped, 2 do
      local path = popped[index]
      call('HSET', node_key(id, path), 'dispatched', 1, 'resent', 0)
      call('ZADD', DUE, due_at or now + a.queued_ms, member(id, path))
      call('ZADD', READY, now, member(id, path))
      add(ready, id, path, call('HGET', node_key(id, path), 'continuation'))
    end
    call('HINCRBY', tree_key(id), 'dispatched', #popped / 2)
    count(tenant, #popped / 2, #popped / 2)
    update_waiting(id, tenant)
    free = free - #popped / 2
  end
  return ready
end

-- The node leaves the queue or its worker: its slot is free.
local function retire(id, path, tenant)
  local node = call('HMGET', node_key(id, path), 'dispatched', 'status')
  if node[1] == '1' then
    if node[2] == 'queued' then
      call('ZREM', DUE, member(id, path))
      call('ZREM', READY, member(id, path))
    else
      call('ZREM', LEASES, member(id, path))
    end
    call('HSET', node_key(id, path), 'dispatched', 0)
    call('HINCRBY', tree_key(id), 'dispatched', -1)
    count(tenant, -1, node[2] == 'queued' and -1 or 0)
  else
    call('ZREM', tree_key(id, ':backlog'), path)
  end
  update_waiting(id, tenant)
end

-- Whether a lease is its node's present one, and its tree is not cancelled.
local function owned(id, path, epoch)
  local node = call('HMGET', node_key(id, path), 'status', 'epoch')
  return node[1] == 'running' and tonumber(node[2]) == epoch
    and call('HGET', tree_key(id), 'cancelled') == '0'
end

-- Whether the transition that ended this very lease was applied before, its reply lost. Only SPAWN
-- and FINISH end a lease without raising the epoch.
local function applied(id, path, epoch, ...)
  local node = call('HMGET', node_key(id, path), 'status', 'epoch')
  if tonumber(node[2]) ~= epoch then return false end
  for _, status in ipairs({ ... }) do
    if node[1] == status then return true end
  end
  return false
end

-- Add a node to `ready` if it was dispatched and not claimed yet.
local function add_if_queued(ready, id, path)
  local node = call('HMGET', node_key(id, path), 'status', 'dispatched', 'continuation')
  if node[1] == 'queued' and node[2] == '1' then add(ready, id, path, node[3]) end
end

-- Lower a counter of a hash. `-by` would not do: Redis 7.0 takes the zero that is written -0 for no
-- number.
local function lower(key, counter, by) call('HINCRBY', key, counter, 0 - by) end

-- Take `tokens` and `nano_usd` from what a node holds, as far as it goes; how much was taken.
local function pay(key, tokens, nano_usd)
  local held = call('HMGET', key, 'tokens', 'nano_usd')
  tokens, nano_usd = math.min(tonumber(held[1]), tokens), math.min(tonumber(held[2]), nano_usd)
  lower(key, 'tokens', tokens)
  if nano_usd > 0 then lower(key, 'nano_usd', nano_usd) end
  return tokens, nano_usd
end

-- Count what a tenant uses, by minute and by day, for its quotas.
local function meter(id, tokens, nano_usd)
  local used = a.tag .. ':used:' .. call('HGET', tree_key(id), 'tenant')
  local minute = used .. ':m' .. math.floor(now / 60000)
  local day = used .. ':d' .. math.floor(now / 86400000)
  call('INCRBY', minute, tokens)
  call('PEXPIRE', minute, 180000)
  call('HINCRBY', day, 'tokens', tokens)
  if nano_usd > 0 then call('HINCRBY', day, 'nano_usd', nano_usd) end
  call('PEXPIRE', day, 2 * 86400000)
end

-- A tenant's counted trees go by themselves when the last of them must be over.
local function expire_ledger()
  local last = call('ZRANGE', a.tag .. ':trees', -1, -1, 'WITHSCORES')[2]
  for _, part in ipairs({ ':trees', ':nodes', ':kept' }) do
    call('PEXPIREAT', a.tag .. part, last)
  end
end

-- Record a turn: pay for it, count it, also for its policy, and say so.
local function charge(id, path, log)
  local key, policy = tree_key(id), call('HGET', node_key(id, path), 'policy')
  pay(node_key(id, path), log.tokens, log.spent.nano_usd)
  meter(id, log.tokens, log.spent.nano_usd)
  if #log.record > 0 then call('RPUSH', turns_key(id, path), log.record) end
  for name, count in pairs(log.spent) do
    if count > 0 then
      call('HINCRBY', key, name, count)
      call('HINCRBY', key, 'policy:' .. policy .. ':' .. name, count)
      call('HINCRBY', node_key(id, path), 'spent:' .. name, count)
    end
  end
  emit(id, 'node.turn', log.event)
end

-- Keep a finished tree's keys for as long as promised, then let them go.
local function expire_tree(id)
  call('PEXPIRE', tree_key(id), a.retention_ms)
  for _, part in ipairs({ ':events', ':nodes', ':open', ':backlog', ':shared' }) do
    call('PEXPIRE', tree_key(id, part), a.retention_ms)
  end
  call('ZADD', EXPIRING, now + a.retention_ms, expiring_entry(id))
end

-- Forget up to BATCH nodes of a tree that is being deleted, the last ones first, and in the end the
-- tree itself; how many are left.
local function delete_batch(id)
  local nodes = tree_key(id, ':nodes')
  for _, path in ipairs(call('LRANGE', nodes, -BATCH, -1)) do
    call('UNLINK', node_key(id, path), turns_key(id, path))
  end
  call('LTRIM', nodes, 0, -BATCH - 1)
  local left = call('LLEN', nodes)
  if left == 0 then call('UNLINK', tree_key(id)) end
  return left
end

-- A finished tree waits for a writer of the trajectory log, at most for as long as it is kept. What
-- nobody has taken by then is counted and forgotten, so that the queue stays bounded.
local function queue_log(id)
  call('ZADD', LOG, now, member(id, call('HGET', tree_key(id), 'generation')))
  local lost = call('ZREMRANGEBYSCORE', LOG, '-inf', now - a.retention_ms)
  if lost > 0 then call('INCRBY', LOG_LOST, lost) end
end

-- End a node with `o`: packed, status, complete, and the tree's status should it be the root.
-- What the node has left goes to its parent; the last child wakes the parent.
local function finish(id, path, tenant, o)
  local key, parent = node_key(id, path), parent_of(path)
  retire(id, path, tenant)
  call('ZREM', tree_key(id, ':open'), path)
  call('HSET', key, 'status', 'finished', 'finished_at', now, 'outcome', o.packed,
    'outcome_status', o.status, 'complete', o.complete and 1 or 0)
  emit(id, 'node.finished', cjson.encode({ node = path, status = o.status }))
  local tree = call('HMGET', tree_key(id), 'deadline_at', 'cancelled')
  -- The tree may run until its deadline, and it needs this outcome for that long.
  local keep = a.retention_ms + math.max(0, tonumber(tree[1]) - now)
  call('PEXPIRE', key, keep)
  call('PEXPIRE', turns_key(id, path), keep)
  if not parent then
    set_status(id, o.tree_status)
    call('HSET', tree_key(id), 'finished_at', now)
    call('SREM', CANCELLING, id)
    emit(id, 'tree.finished', cjson.encode({ status = o.tree_status }))
    if a.logs then queue_log(id) end
    local notifies = call('HMGET', tree_key(id), 'notifies', 'generation')
    if notifies[1] == '1' then call('ZADD', OUTBOX, now, member(id, notifies[2])) end
    expire_tree(id)
    return
  end
  local above, left = node_key(id, parent), call('HMGET', key, 'tokens', 'nodes', 'nano_usd')
  for index, unit in ipairs({ 'tokens', 'nodes', 'nano_usd' }) do
    if left[index] ~= '0' then call('HINCRBY', above, unit, left[index]) end
  end
  call('HSET', key, 'tokens', 0, 'nodes', 0, 'nano_usd', 0)
  local open = call('HINCRBY', above, 'open_children', -1)
  if open == 0 and tree[2] == '0' and call('HGET', above, 'status') == 'suspended' then
    make_ready(id, parent, true)
    update_waiting(id, tenant)
  end
end

-- Give a running node back to the queue. It keeps its slot; its lease is void.
local function requeue(id, path, reason, ready)
  local key = node_key(id, path)
  call('HSET', key, 'status', 'queued', 'queued_at', now, 'resent', 0)
  call('HINCRBY', key, 'epoch', 1)
  count(call('HGET', tree_key(id), 'tenant'), 0, 1)
  call('ZREM', LEASES, member(id, path))
  call('ZADD', DUE, now + a.queued_ms, member(id, path))
  call('ZADD', READY, now, member(id, path))
  emit(id, 'node.requeued', cjson.encode({ node = path, reason = reason }))
  add(ready, id, path, call('HGET', key, 'continuation'))
end

-- Charge the reserve of a lease that ran out, and queue the node again or give it up.
local function expire_lease(id, path, ready)
  local key = node_key(id, path)
  local reserve = call('HMGET', key, 'reserve_tokens', 'reserve_nano_usd')
  local tokens, nano_usd = pay(key, tonumber(reserve[1]), tonumber(reserve[2]))
  call('HINCRBY', tree_key(id), 'lost_tokens', tokens)
  call('HINCRBY', tree_key(id), 'lost_nano_usd', nano_usd)
  call('HINCRBY', TOTALS, 'expired_leases', 1)
  meter(id, tokens, nano_usd)
  if call('HINCRBY', key, 'attempts', 1) <= a.max_expiries then
    return requeue(id, path, 'lease_expired', ready)
  end
  if not parent_of(path) then call('HINCRBY', TOTALS, 'lost_trees', 1) end
  local tenant = call('HGET', tree_key(id), 'tenant')
  call('HINCRBY', key, 'epoch', 1)
  finish(id, path, tenant, a.worker_lost)
  dispatch(tenant, ready)
end

-- Cancel up to BATCH unfinished nodes, deepest first; how many are left. Nodes of other trees that
-- get the slots are due at once, so that the next REAP sends their hints.
local function cancel_batch(id)
  local open, tenant = tree_key(id, ':open'), call('HGET', tree_key(id), 'tenant')
  for _, path in ipairs(call('ZREVRANGE', open, 0, BATCH - 1)) do
    call('HINCRBY', node_key(id, path), 'epoch', 1)
    finish(id, path, tenant, a.cancelled)
  end
  dispatch(tenant, {}, now)
  return call('ZCARD', open)
end
