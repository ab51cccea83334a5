-- restore_call.lua: a snapshot that somebody still remembers, for a store that lost it or fell behind.
-- KEYS call, live, due, stations
-- ARGV call id, station id, revision, body, due (or ''), ended ('1' or '')
-- Returns 1 when it was put back; 0 when the store has this revision or a later one, when it knows nothing of
-- a call that is over, or when the station has another call by now.
local known = redis.call('HGET', KEYS[1], 'revision')
local current = redis.call('HGET', KEYS[4], ARGV[2])
if known then
  if tonumber(known) >= tonumber(ARGV[3]) then
    return 0
  end
elseif ARGV[6] == '1' or (current and current ~= ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], 'revision', ARGV[3], 'body', ARGV[4])
redis.call('SADD', KEYS[2], ARGV[1])
if ARGV[6] == '' and not current then
  redis.call('HSET', KEYS[4], ARGV[2], ARGV[1])
end
if ARGV[5] == '' then
  redis.call('ZREM', KEYS[3], ARGV[1])
else
  redis.call('ZADD', KEYS[3], ARGV[5], ARGV[1])
end
return 1
