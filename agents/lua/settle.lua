-- settle.lua: all of these changes, or none of them.
-- KEYS generation, changes, then the hash of each change
-- ARGV generation, how many changes to keep, then for each change: its kind in the stream of changes
--      ('' when it is not told there), field, value as read ('' when absent), value afterwards ('' to delete)
-- Returns 1 when settled, 0 when another hand changed one of the fields since it was read, -1 when the
-- generation is another.

local generation, changes = KEYS[1], KEYS[2]
local life, keep = ARGV[1], ARGV[2]

local known = redis.call('HMGET', generation, 'id', 'run_id')
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if known[1] ~= life or known[2] ~= run_id then
  return -1
end

for i = 3, #KEYS do
  local field, read = ARGV[4 * i - 8], ARGV[4 * i - 7]
  if (redis.call('HGET', KEYS[i], field) or '') ~= read then
    return 0
  end
end

local change = {}
for i = 3, #KEYS do
  local kind, field, read, after = ARGV[4 * i - 9], ARGV[4 * i - 8], ARGV[4 * i - 7], ARGV[4 * i - 6]
  if after == '' then
    redis.call('HDEL', KEYS[i], field)
  else
    redis.call('HSET', KEYS[i], field, after)
  end
  if kind ~= '' and after ~= read then
    change[#change + 1] = kind .. ':' .. field
    change[#change + 1] = after
  end
end
if #change > 0 then
  redis.call('XADD', changes, 'MAXLEN', '~', keep, life .. '-*', unpack(change))
end
return 1
