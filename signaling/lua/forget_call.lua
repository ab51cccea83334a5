-- forget_call.lua: the live snapshot of an ended call goes; the station is free of it.
-- KEYS call, live, due, stations   ARGV call id, station id
-- Returns 1.
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if redis.call('HGET', KEYS[4], ARGV[2]) == ARGV[1] then
  redis.call('HDEL', KEYS[4], ARGV[2])
end
return 1
