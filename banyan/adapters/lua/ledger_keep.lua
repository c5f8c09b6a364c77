#!lua flags=allow-oom
-- LEDGER_KEEP: the tree was admitted; it counts until it is released, or must be over.
if call('ZSCORE', a.tag .. ':trees', a.tree) then
  call('ZADD', a.tag .. ':trees', now + a.ttl_ms, a.tree)
  call('SADD', a.tag .. ':kept', a.tree)
  expire_ledger()
end
return { 'ok' }
