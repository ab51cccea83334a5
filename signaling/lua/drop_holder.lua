-- drop_holder.lua: let an identity go, if it is still held by this session.
-- KEYS holder   ARGV session
-- Returns 1 when it was let go, 0 when somebody else holds it or nobody.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
