#!lua
-- ADMIT: create a tree and its root. Refused while memory is short, unlike all other transitions.
local id, tree = a.tree, tree_key(a.tree)
while call('HGET', tree, 'deleted') do delete_batch(id) end -- its deletion was cut off
local known = call('HGET', tree, 'fingerprint')
if known and known ~= a.fingerprint then return { 'conflict' } end
local ready = {}

-- How the tree stands, so that nobody has to ask for it.
local function told(created)
  return { 'ok', created, ready, call('HGETALL', tree), call('HGET', node_key(id, '0'), 'outcome'),
    call('XRANGE', tree_key(id, ':events'), '-', '+', 'COUNT', 1) }
end

if known then
  if call('HGET', node_key(id, '0'), 'epoch') == '0' then add_if_queued(ready, id, '0') end
  return told(call('HGET', tree, 'admit_op') == a.op and 1 or 0)
end
call('HSET', tree, 'tenant', a.tenant, 'task', a.task,
  'fingerprint', a.fingerprint, 'admit_op', a.op, 'created_at', now,
  'deadline_at', now + a.deadline_ms, 'generation', 1, 'seq', 0, 'cancelled', 0,
  'max_parallel', a.max_parallel, 'dispatched', 0, 'llm_calls', 0, 'nodes', 1, 'max_depth', 0,
  'prompt_tokens', 0, 'cached_tokens', 0, 'completion_tokens', 0, 'lost_tokens', 0,
  'nano_usd', 0, 'lost_nano_usd', 0)
if a.notifies then call('HSET', tree, 'notifies', 1) end
set_status(id, 'queued')
call('ZADD', list_key(a.tenant, 'all'), 0, list_member(id, now))
call('HSET', node_key(id, '0'), 'packed', a.root, 'generation', 1, 'epoch', 0, 'attempts', 0,
  'tokens', a.tokens, 'nodes', a.nodes, 'nano_usd', a.nano_usd, 'policy', a.policy,
  'num_children', 0, 'open_children', 0, 'reserve_tokens', 0, 'reserve_nano_usd', 0,
  'dispatched', 0, 'serial', 0)
call('RPUSH', tree_key(id, ':nodes'), '0')
call('ZADD', tree_key(id, ':open'), 0, '0')
emit(id, 'tree.admitted', '{}')
make_ready(id, '0', false)
update_waiting(id, a.tenant)
dispatch(a.tenant, ready)
return told(1)
