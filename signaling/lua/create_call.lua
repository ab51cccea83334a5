-- create_call.lua: a new call, unless its station already has one.
-- KEYS call, live, due, stations, outbox
-- ARGV call id, station id, body, due (or ''), commands (or ''), replaces (an ended call's id or '')
-- Returns the outbox id ('' without commands), or false when the station's call is another than `replaces`.
local current = redis.call('HGET', KEYS[4], ARGV[2])
if current and current ~= ARGV[6] then
  return false
end
redis.call('HSET', KEYS[1], 'revision', 0, 'body', ARGV[3])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[4], ARGV[2], ARGV[1])
if ARGV[4] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
end
if ARGV[5] == '' then
  return ''
end
return redis.call('XADD', KEYS[5], '*', 'call', ARGV[1], 'commands', ARGV[5])
