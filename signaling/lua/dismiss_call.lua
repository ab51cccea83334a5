-- dismiss_call.lua: the resident is done with the call; the station is free of it, the snapshot stays.
-- KEYS stations   ARGV call id, station id
-- Returns 1 when the station had this call, 0 otherwise.
if redis.call('HGET', KEYS[1], ARGV[2]) ~= ARGV[1] then
  return 0
end
return redis.call('HDEL', KEYS[1], ARGV[2])
