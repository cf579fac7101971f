-- One heartbeat of one process: renew its leases, take free partitions up to its fair share.
-- KEYS: members, fence, then (owner, lease) of every partition, from 0 on.
-- ARGV: instance, lease ms, may take (1|0), then (partition, token) of what it believes to own.
-- Returns {share, {lost partitions}, {partition, token, ... newly taken}}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local me, lease, partitions = ARGV[1], tonumber(ARGV[2]), (#KEYS - 2) / 2

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - lease)
if ARGV[3] == '1' then redis.call('ZADD', KEYS[1], now, me) else redis.call('ZREM', KEYS[1], me) end

local lost, held, owned = {}, {}, 0
for i = 4, #ARGV, 2 do
  local p, token = tonumber(ARGV[i]), ARGV[i + 1]
  if redis.call('GET', KEYS[2 * p + 3]) == token then
    redis.call('SET', KEYS[2 * p + 4], token, 'PX', lease)
    owned = owned + 1
  else
    lost[#lost + 1] = ARGV[i]
  end
  held[p] = true
end

local members = redis.call('ZRANGE', KEYS[1], 0, -1)
table.sort(members)
local share = 0
for rank, member in ipairs(members) do
  if member == me then
    share = math.floor(partitions / #members)
    if rank <= partitions % #members then share = share + 1 end
  end
end

local taken = {}
for p = 0, partitions - 1 do
  if owned >= share then break end
  if not held[p] and redis.call('EXISTS', KEYS[2 * p + 4]) == 0 then
    local token = me .. ':' .. redis.call('INCR', KEYS[2])
    redis.call('SET', KEYS[2 * p + 3], token)
    redis.call('SET', KEYS[2 * p + 4], token, 'PX', lease)
    taken[#taken + 1] = tostring(p)
    taken[#taken + 1] = token
    owned = owned + 1
  end
end
return {share, lost, taken}
