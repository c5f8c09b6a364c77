#!lua flags=allow-oom
-- DELETE: forget a finished tree of this tenant, some nodes at a time; how many are left.
local id, key = a.tree, tree_key(a.tree)
local tree = call('HMGET', key, 'tenant', 'status', 'deleted', 'generation')
if tree[1] ~= a.tenant then return { 'ok', 0, 0 } end
if not is_final(tree[2]) then return { 'conflict' } end
if not tree[3] then
  unlist(expiring_entry(id))
  for generation = 1, tonumber(tree[4]) do
    call('ZREM', LOG, member(id, generation))
  end
  call('HSET', key, 'deleted', 1)
  call('HDEL', key, 'task')
  call('UNLINK', tree_key(id, ':events'), tree_key(id, ':shared'), tree_key(id, ':open'),
    tree_key(id, ':backlog'))
end
return { 'ok', tree[3] and 0 or 1, delete_batch(id) }
