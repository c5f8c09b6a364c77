#!lua flags=allow-oom
-- KEEP: before a tree is opened again, let its finished nodes live until it is done once more.
local ttl = a.retention_ms + a.deadline_ms
call('PEXPIRE', tree_key(a.tree), ttl, 'GT')
for _, part in ipairs({ ':events', ':nodes', ':shared' }) do
  call('PEXPIRE', tree_key(a.tree, part), ttl, 'GT')
end
local paths = call('LRANGE', tree_key(a.tree, ':nodes'), a.offset, a.offset + BATCH - 1)
for _, path in ipairs(paths) do
  call('PEXPIRE', node_key(a.tree, path), ttl, 'GT')
  call('PEXPIRE', turns_key(a.tree, path), ttl, 'GT')
end
return { 'ok', #paths }
