-- Append to one tracker outside of a turn.
-- ARGV: tracker key, TTL s, tail chunks or "", preamble, chunk...
local key, length = ARGV[1], redis.call('LLEN', ARGV[1])
for i = 5, #ARGV do length = redis.call('RPUSH', key, ARGV[i]) end
if ARGV[3] ~= '' then
  redis.call('HSET', key .. ':base', 'at', math.max(0, length - tonumber(ARGV[3])), 'pre', ARGV[4])
end
redis.call('EXPIRE', key, ARGV[2])
redis.call('EXPIRE', key .. ':base', ARGV[2])
return length
