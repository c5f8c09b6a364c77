#!lua
-- FLIGHT: ask who makes a model call, and lead where nobody does; the leader renews its lease, lands
-- the reply, or leaves without one.
local held = call('GET', a.tag)
if a.verb == 'join' then
  if held and held ~= a.leader then
    return string.sub(held, 1, 1) == 'R' and { 'landed', held } or { 'waits' }
  end
  call('SET', a.tag, a.leader, 'PX', a.ms)
  return { 'leads' }
end
if held ~= a.leader then
  return { 'lost' }
end
if a.verb == 'renew' then
  call('PEXPIRE', a.tag, a.ms)
elseif a.verb == 'land' then
  call('SET', a.tag, a.reply, 'PX', a.ms)
else
  call('DEL', a.tag)
end
return { 'ok' }
