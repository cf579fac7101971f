-- Append to one tracker outside of a turn.
-- KEYS: tracker, its base. ARGV: TTL s, tail chunks or "", preamble, chunk...
local length = redis.call('LLEN', KEYS[1])
for i = 4, #ARGV do length = redis.call('RPUSH', KEYS[1], ARGV[i]) end
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[2], 'at', math.max(0, length - tonumber(ARGV[2])), 'pre', ARGV[3])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[1])
return length
