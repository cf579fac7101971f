-- One heartbeat of one process. KEYS: members, leaving. ARGV: instance, lease ms, serves (1|0).
-- Who does not serve any more finishes what runs: alive, so that nobody takes its partitions, but with no share of them.
-- Returns {1 when it was still known as alive, {who serves ...}, {who finishes ...}}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = false
for _, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - tonumber(ARGV[2]))
  known = redis.call('ZSCORE', key, ARGV[1]) or known
end
local mine, other = KEYS[1], KEYS[2]
if ARGV[3] ~= '1' then mine, other = other, mine end
redis.call('ZREM', other, ARGV[1])
redis.call('ZADD', mine, now, ARGV[1])
return {known and 1 or 0, redis.call('ZRANGE', KEYS[1], 0, -1), redis.call('ZRANGE', KEYS[2], 0, -1)}
