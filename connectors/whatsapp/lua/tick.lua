-- One heartbeat of one process: renew its leases, take free partitions up to its fair share.
-- ARGV: instance, lease ms, partitions, may take (1|0), then (partition, token) of what it believes to own.
-- Returns {share, {lost partitions}, {partition, token, ... newly taken}}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local me, lease, partitions = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

redis.call('ZREMRANGEBYSCORE', 'wa:members', '-inf', now - lease)
if ARGV[4] == '1' then redis.call('ZADD', 'wa:members', now, me) else redis.call('ZREM', 'wa:members', me) end

local lost, held, owned = {}, {}, 0
for i = 5, #ARGV, 2 do
  local p, token = ARGV[i], ARGV[i + 1]
  if redis.call('GET', 'wa:owner:' .. p) == token then
    redis.call('SET', 'wa:lease:' .. p, token, 'PX', lease)
    owned = owned + 1
  else
    lost[#lost + 1] = p
  end
  held[p] = true
end

local members = redis.call('ZRANGE', 'wa:members', 0, -1)
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
  local name = tostring(p)
  if owned >= share then break end
  if not held[name] and redis.call('EXISTS', 'wa:lease:' .. name) == 0 then
    local token = me .. ':' .. redis.call('INCR', 'wa:fence')
    redis.call('SET', 'wa:owner:' .. name, token)
    redis.call('SET', 'wa:lease:' .. name, token, 'PX', lease)
    taken[#taken + 1] = name
    taken[#taken + 1] = token
    owned = owned + 1
  end
end
return {share, lost, taken}
