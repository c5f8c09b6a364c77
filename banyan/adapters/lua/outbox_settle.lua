#!lua flags=allow-oom
-- OUTBOX_SETTLE: a notice is done, or due again after a delay.
if a.delay_ms < 0 then
  call('ZREM', OUTBOX, a.entry)
  call('HDEL', OUTBOX .. '_attempts', a.entry)
else
  call('ZADD', OUTBOX, 'XX', now + a.delay_ms, a.entry)
end
return { 'ok' }
