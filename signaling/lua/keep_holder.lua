-- keep_holder.lua: hold an identity for longer, if this session still does (or nobody does).
-- KEYS holder   ARGV session, milliseconds
-- Returns 1 when held, 0 when another session took over.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
