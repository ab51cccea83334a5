-- begin.lua: the life of the store that we are in; a new one when it was emptied, restarted or replaced.
-- KEYS generation, changes
-- ARGV a number that the new life's must exceed, how many changes to keep
-- Returns the generation in decimal (text: it may be larger than what Lua prints exactly).

local generation, changes = KEYS[1], KEYS[2]
local above, keep = tonumber(ARGV[1]), ARGV[2]

local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local life = redis.call('HMGET', generation, 'id', 'run_id', 'fence')
if life[1] and life[2] == run_id and redis.call('EXISTS', changes) == 1 then
  return life[1]
end

local time = redis.call('TIME')
local last = redis.call('XREVRANGE', changes, '+', '-', 'COUNT', 1)[1]
local new = math.max(
  tonumber(time[1]) * 1000000 + tonumber(time[2]),
  above + 1,
  tonumber(life[1] or 0) + 1,
  tonumber(life[3] or 0) + 1,
  last and tonumber(string.match(last[1], '^%d+')) + 1 or 0
)
local id = string.format('%.0f', new)
redis.call('HSET', generation, 'id', id, 'run_id', run_id, 'fence', id)
redis.call('XADD', changes, 'MAXLEN', '~', keep, id .. '-*', 'began', id)
return id
