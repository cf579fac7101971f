-- One heartbeat of one process. KEYS: members. ARGV: instance, lease ms, serves (1|0).
-- Returns {1 when it was still known as alive, who is alive ...}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if ARGV[3] == '1' then redis.call('ZADD', KEYS[1], now, ARGV[1]) else redis.call('ZREM', KEYS[1], ARGV[1]) end
local alive = redis.call('ZRANGE', KEYS[1], 0, -1)
table.insert(alive, 1, known and 1 or 0)
return alive
