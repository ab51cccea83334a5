-- reserve.lua: for each ask one agent (or two) for one demand, or nobody.
-- KEYS generation, changes, agents, waiting, reservations, taken
-- ARGV generation, how many changes to keep, then for each ask: how many agents, demand id, waiting as read,
--      reservation id, what is held, who has taken it, then for each agent: id, agent as read, agent reserved
-- Returns for each ask the reservation's fence, 0 when another hand was faster; for all of them -1 when the
-- generation is another.
-- The fence is written in front of what is held and of each agent reserved.

local generation, changes, agents = KEYS[1], KEYS[2], KEYS[3]
local waiting, reservations, taken = KEYS[4], KEYS[5], KEYS[6]
local life, keep = ARGV[1], ARGV[2]

local known = redis.call('HMGET', generation, 'id', 'run_id')
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if known[1] ~= life or known[2] ~= run_id then
  return -1
end

local function is_as_read(demand, waiting_read, reservation, first, last)
  if redis.call('HGET', waiting, demand) ~= waiting_read
      or redis.call('HEXISTS', reservations, reservation) == 1 then
    return false
  end
  for i = first, last, 3 do
    if redis.call('HGET', agents, ARGV[i]) ~= ARGV[i + 1] then
      return false
    end
  end
  return true
end

local fences, at = {}, 3
while at <= #ARGV do
  local demand, waiting_read, reservation = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local held, takers = ARGV[at + 4], ARGV[at + 5]
  local first = at + 6
  local last = first + 3 * tonumber(ARGV[at]) - 1
  local fence = 0
  if is_as_read(demand, waiting_read, reservation, first, last) then
    fence = redis.call('HINCRBY', generation, 'fence', 1)
    local mark = string.format('%.0f:', fence)
    held = mark .. held
    local change = {'w:' .. demand, '', 'r:' .. reservation, held}
    for i = first, last, 3 do
      local after = mark .. ARGV[i + 2]
      redis.call('HSET', agents, ARGV[i], after)
      change[#change + 1] = 'a:' .. ARGV[i]
      change[#change + 1] = after
    end
    redis.call('HDEL', waiting, demand)
    redis.call('HSET', reservations, reservation, held)
    redis.call('HSET', taken, demand, takers)
    redis.call('XADD', changes, 'MAXLEN', '~', keep, life .. '-*', unpack(change))
  end
  fences[#fences + 1] = fence
  at = last + 1
end
return fences
