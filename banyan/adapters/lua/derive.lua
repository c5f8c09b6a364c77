#!lua flags=allow-oom
-- DERIVE: a node is about to keep a text, which goes when its tree does.
if not owned(a.tree, a.path, a.epoch) then return { 'stale' } end
call('SADD', derived_key(expiring_entry(a.tree)), a.document)
return { 'ok' }
