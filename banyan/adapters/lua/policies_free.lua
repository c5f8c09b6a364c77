#!lua flags=allow-oom
-- FREE: give the lease back, where it is still one's own.
local key = a.tag .. ':lease'
if call('GET', key) == a.token then call('DEL', key) end
return { 'ok' }
