#!lua flags=allow-oom
-- FINISH: record the turn and the outcome; budget to the parent; the last child wakes it.
local id, path = a.tree, a.path
local ready = {}
if applied(id, path, a.epoch, 'finished') then
  local parent = parent_of(path)
  if parent then add_if_queued(ready, id, parent) end
  return { 'ok', ready }
end
if not owned(id, path, a.epoch) then return { 'stale' } end
local tenant = call('HGET', tree_key(id), 'tenant')
if a.log then charge(id, path, a.log) end
if a.packed then call('HSET', node_key(id, path), 'packed', a.packed) end
finish(id, path, tenant, a.outcome)
return { 'ok', dispatch(tenant, ready) }
