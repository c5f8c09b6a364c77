#!lua flags=allow-oom
-- RELEASE: hand leases of one shard back unharmed; other workers may claim the nodes at once.
local ready = {}
for _, lease in ipairs(a.leases) do
  local id, path, epoch = lease[1], lease[2], lease[3]
  if owned(id, path, epoch) then
    requeue(id, path, 'released', ready)
  elseif applied(id, path, epoch + 1, 'queued') then
    add_if_queued(ready, id, path) -- released before, the reply was lost
  end
end
return { 'ok', ready }
