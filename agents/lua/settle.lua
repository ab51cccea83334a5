-- settle.lua: all of these changes, or none of them.
-- KEYS the hash of each change
-- ARGV for each change: field, value as read ('' when absent), value afterwards ('' to delete)
-- Returns 1 when settled, 0 when another hand changed one of the fields since it was read.

for i, key in ipairs(KEYS) do
  local field, read = ARGV[3 * i - 2], ARGV[3 * i - 1]
  if (redis.call('HGET', key, field) or '') ~= read then
    return 0
  end
end

for i, key in ipairs(KEYS) do
  local field, after = ARGV[3 * i - 2], ARGV[3 * i]
  if after == '' then
    redis.call('HDEL', key, field)
  else
    redis.call('HSET', key, field, after)
  end
end
return 1
