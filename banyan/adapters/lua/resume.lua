#!lua flags=allow-oom
-- RESUME: open a finished tree again. Incomplete nodes run again as a new generation.
local id, key = a.tree, tree_key(a.tree)
local tree = call('HMGET', key, 'status', 'resume_op', 'tenant', 'deleted')
if not tree[1] or tree[4] then return { 'missing' } end
if tree[2] == a.op then return { 'ok', 1, {} } end -- applied before; REAP sends the hints
if not is_final(tree[1]) then return { 'conflict' } end

local function is_complete(path)
  local node = call('HMGET', node_key(id, path), 'outcome_status', 'complete')
  return node[1] == 'ok' and node[2] == '1'
end

if is_complete('0') then return { 'ok', 0, {} } end
local generation = call('HINCRBY', key, 'generation', 1)
set_status(id, 'queued')
call('ZREM', EXPIRING, expiring_entry(id))
call('HSET', key, 'cancelled', 0, 'deadline_at', now + a.deadline_ms,
  'resume_op', a.op)
call('HDEL', key, 'finished_at')
call('PERSIST', key)
for _, part in ipairs({ ':events', ':nodes', ':open', ':backlog', ':shared' }) do
  call('PERSIST', tree_key(id, part))
end
emit(id, 'tree.resumed', cjson.encode({ generation = generation }))
call('HINCRBY', node_key(id, '0'), 'tokens', a.extra_tokens)
call('HINCRBY', node_key(id, '0'), 'nodes', a.extra_nodes)
call('HINCRBY', node_key(id, '0'), 'nano_usd', a.extra_nano_usd)

-- A node with incomplete children waits for these; they and it share its budget equally, and it
-- keeps the remainder. Else the node itself runs again.
local function reopen(path)
  local node = node_key(id, path)
  call('PERSIST', node)
  call('PERSIST', turns_key(id, path))
  call('HDEL', node, 'outcome', 'outcome_status', 'complete', 'finished_at', 'claimed_at')
  call('HSET', node, 'generation', generation, 'attempts', 0)
  call('HINCRBY', node, 'epoch', 1)
  call('ZADD', tree_key(id, ':open'), depth_of(path), path)
  local held = call('HMGET', node, 'num_children', 'tokens', 'nodes', 'nano_usd')
  local again = {}
  for index = 0, tonumber(held[1]) - 1 do
    local child = path .. '.' .. index
    if not is_complete(child) then again[#again + 1] = child end
  end
  if #again == 0 then return make_ready(id, path, tonumber(held[1]) > 0) end
  local tokens = math.floor(tonumber(held[2]) / (#again + 1))
  local nodes = math.floor(tonumber(held[3]) / (#again + 1))
  local nano_usd = math.floor(tonumber(held[4]) / (#again + 1))
  call('HSET', node, 'status', 'suspended', 'open_children', #again)
  lower(node, 'tokens', tokens * #again)
  lower(node, 'nodes', nodes * #again)
  lower(node, 'nano_usd', nano_usd * #again)
  for _, child in ipairs(again) do
    call('HSET', node_key(id, child), 'tokens', tokens, 'nodes', nodes, 'nano_usd', nano_usd)
    reopen(child)
  end
end

reopen('0')
update_waiting(id, tree[3])
return { 'ok', 1, dispatch(tree[3], {}) }
