#!lua flags=allow-oom
-- SPENDING: what a tenant has used in this minute, the one before, and today, in this shard.
local used = a.tag .. ':used:' .. a.tenant
local minute, day = math.floor(now / 60000), math.floor(now / 86400000)
local today = call('HMGET', used .. ':d' .. day, 'tokens', 'nano_usd')
return { 'ok', now, tonumber(call('GET', used .. ':m' .. minute) or 0),
  tonumber(call('GET', used .. ':m' .. (minute - 1)) or 0), tonumber(today[1] or 0),
  tonumber(today[2] or 0) }
