#!lua flags=allow-oom
-- RENEW: extend many leases of one shard; the positions (from 0) of those that are lost. A lease
-- that its owner's own SPAWN or FINISH has just ended is not lost: the owner still has hints to send.
local lost = {}
for position, lease in ipairs(a.leases) do
  if owned(lease[1], lease[2], lease[3]) then
    call('ZADD', LEASES, now + a.lease_ms, member(lease[1], lease[2]))
  elseif not applied(lease[1], lease[2], lease[3], 'suspended', 'queued', 'finished') then
    lost[#lost + 1] = position - 1
  end
end
return { 'ok', lost }
