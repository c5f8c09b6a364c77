#!lua flags=allow-oom
-- REAP: go on with a cancel that was cut off, void leases that ran out, send overdue hints again,
-- take trees that have expired off the lists.
local ready = {}
local cut_off = call('SRANDMEMBER', CANCELLING)
if cut_off then cancel_batch(cut_off) end

local function overdue(key)
  return call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, a.limit)
end

for _, entry in ipairs(overdue(LEASES)) do
  local id, path = string.match(entry, '^(.-)|(.*)$')
  if call('HGET', node_key(id, path), 'status') == 'running' then
    expire_lease(id, path, ready)
  else
    call('ZREM', LEASES, entry)
  end
end
for _, entry in ipairs(overdue(DUE)) do
  local id, path = string.match(entry, '^(.-)|(.*)$')
  local node = call('HMGET', node_key(id, path), 'status', 'continuation')
  if node[1] == 'queued' then
    call('ZADD', DUE, now + a.queued_ms, entry)
    call('ZADD', READY, 'NX', now, entry) -- of a release that did not know it
    add(ready, id, path, node[2])
  else
    call('ZREM', DUE, entry)
  end
end
-- A release that did not know READY may have left nodes in it that somebody has.
for _, entry in ipairs(call('ZRANGE', READY, 0, 15)) do
  local id, path = string.match(entry, '^(.-)|(.*)$')
  local node = call('HMGET', node_key(id, path), 'status', 'dispatched')
  if node[1] ~= 'queued' or node[2] ~= '1' then call('ZREM', READY, entry) end
end
for _, entry in ipairs(overdue(EXPIRING)) do
  unlist(entry)
end
return { 'ok', ready }
