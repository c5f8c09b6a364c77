#!lua flags=allow-oom
-- CANCEL: flag the tree, then end its unfinished nodes, some at a time; how many are left.
local tree = call('HMGET', tree_key(a.tree), 'status', 'cancelled', 'cancel_op')
if not tree[1] then return { 'missing' } end
if is_final(tree[1]) then return { 'ok', tree[3] == a.op and 1 or 0, 0 } end
if tree[2] == '0' then
  call('HSET', tree_key(a.tree), 'cancelled', 1)
  call('SADD', CANCELLING, a.tree)
  emit(a.tree, 'tree.cancelled', '{}')
end
call('HSET', tree_key(a.tree), 'cancel_op', a.op)
return { 'ok', 1, cancel_batch(a.tree) }
