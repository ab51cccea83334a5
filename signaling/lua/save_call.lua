-- save_call.lua: the next snapshot of a call, if nobody else saved one meanwhile, with what is to be done.
-- KEYS call, due, outbox   ARGV call id, expected revision, new revision, body, due (or ''), commands (or '')
-- Returns the outbox id ('' when there are no commands), or false when the revision is not the expected one.
if redis.call('HGET', KEYS[1], 'revision') ~= ARGV[2] then
  return false
end
redis.call('HSET', KEYS[1], 'revision', ARGV[3], 'body', ARGV[4])
if ARGV[5] == '' then
  redis.call('ZREM', KEYS[2], ARGV[1])
else
  redis.call('ZADD', KEYS[2], ARGV[5], ARGV[1])
end
if ARGV[6] == '' then
  return ''
end
return redis.call('XADD', KEYS[3], '*', 'call', ARGV[1], 'commands', ARGV[6])
