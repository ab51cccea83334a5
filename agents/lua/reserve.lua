-- reserve.lua: one agent for one call, or nobody.
-- KEYS agents, waiting, reservations, taken, fence
-- ARGV agent id, agent as read, agent reserved, call id, waiting as read, reservation id, what is held
-- Returns the reservation's fence, or 0 when another hand was faster.

local agents, waiting, reservations, taken, fence = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local agent, agent_read, agent_reserved = ARGV[1], ARGV[2], ARGV[3]
local call, waiting_read, reservation, held = ARGV[4], ARGV[5], ARGV[6], ARGV[7]

if redis.call('HGET', agents, agent) ~= agent_read
    or redis.call('HGET', waiting, call) ~= waiting_read
    or redis.call('HEXISTS', reservations, reservation) == 1 then
  return 0
end

local drawn = redis.call('INCR', fence)
redis.call('HSET', agents, agent, agent_reserved)
redis.call('HDEL', waiting, call)
redis.call('HSET', reservations, reservation, drawn .. ':' .. held)
redis.call('HSET', taken, call, agent)
return drawn
