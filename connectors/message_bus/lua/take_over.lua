-- Take the streams of the layout before away from its processes, in one step, unless one of them is alive.
-- KEYS: members, then streams. ARGV: a process counts as alive for so many ms, prefix of what is to be moved, what is put in
-- the streams' place, for how many seconds. Returns 'busy', 'taken', or 'none' when there is nothing of that layout.
-- Only for a Redis that is no cluster: that layout never ran on one.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function kind(key) return redis.call('TYPE', key)['ok'] end
if kind(KEYS[1]) == 'zset' then
  if redis.call('ZCOUNT', KEYS[1], now - tonumber(ARGV[1]), '+inf') > 0 then return 'busy' end
  redis.call('DEL', KEYS[1])
end
local state = 'none'
for i = 2, #KEYS do
  if kind(KEYS[i]) == 'stream' then redis.call('RENAME', KEYS[i], ARGV[2] .. KEYS[i]) end
  if redis.call('EXISTS', KEYS[i], ARGV[2] .. KEYS[i]) > 0 then state = 'taken' end
end
for _, key in ipairs(KEYS) do redis.call('SET', key, ARGV[3], 'EX', ARGV[4]) end
return state
