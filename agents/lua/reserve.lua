-- reserve.lua: one agent (or two) for one demand, or nobody.
-- KEYS generation, changes, agents, waiting, reservations, taken
-- ARGV generation, how many changes to keep, demand id, waiting as read, reservation id, what is held,
--      who has taken it, then for each agent: id, agent as read, agent reserved
-- Returns the reservation's fence, 0 when another hand was faster, -1 when the generation is another.
-- The fence is written in front of what is held and of each agent reserved.

local generation, changes, agents = KEYS[1], KEYS[2], KEYS[3]
local waiting, reservations, taken = KEYS[4], KEYS[5], KEYS[6]
local life, keep, demand, waiting_read = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local reservation, held, takers = ARGV[5], ARGV[6], ARGV[7]
local FIRST_AGENT = 8

local known = redis.call('HMGET', generation, 'id', 'run_id')
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if known[1] ~= life or known[2] ~= run_id then
  return -1
end

if redis.call('HGET', waiting, demand) ~= waiting_read
    or redis.call('HEXISTS', reservations, reservation) == 1 then
  return 0
end
for i = FIRST_AGENT, #ARGV, 3 do
  if redis.call('HGET', agents, ARGV[i]) ~= ARGV[i + 1] then
    return 0
  end
end

local fence = redis.call('HINCRBY', generation, 'fence', 1)
local mark = string.format('%.0f:', fence)
held = mark .. held
local change = {'w:' .. demand, '', 'r:' .. reservation, held}
for i = FIRST_AGENT, #ARGV, 3 do
  local after = mark .. ARGV[i + 2]
  redis.call('HSET', agents, ARGV[i], after)
  change[#change + 1] = 'a:' .. ARGV[i]
  change[#change + 1] = after
end
redis.call('HDEL', waiting, demand)
redis.call('HSET', reservations, reservation, held)
redis.call('HSET', taken, demand, takers)
redis.call('XADD', changes, 'MAXLEN', '~', keep, life .. '-*', unpack(change))
return fence
