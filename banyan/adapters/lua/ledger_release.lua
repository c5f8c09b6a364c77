#!lua flags=allow-oom
-- LEDGER_RELEASE: trees that have ended, or were never admitted, count no more.
for _, tree in ipairs(a.trees) do
  call('ZREM', a.tag .. ':trees', tree)
  call('HDEL', a.tag .. ':nodes', tree)
  call('SREM', a.tag .. ':kept', tree)
end
return { 'ok' }
