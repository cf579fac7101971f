-- Everything that one turn changed, in one step, only while the partition is ours and the entry is not yet done.
-- ARGV: partition, token, stream id, tracker TTL s, dead letter ("" for none), address key, address ("" for none),
--       customer, n trackers * (tracker key, tail chunks or "", preamble, n chunks, chunk...), n log records, record...,
--       n replies * (reply)
-- Returns 'done', 'fenced' (another process owns the customer) or 'gone' (already committed).
local p, id = ARGV[1], ARGV[3]
if redis.call('GET', 'wa:owner:' .. p) ~= ARGV[2] then return 'fenced' end
if redis.call('XDEL', 'wa:in:' .. p, id) == 0 then return 'gone' end
redis.call('HDEL', 'wa:tries:' .. p, id, id .. ':f')
local ttl = ARGV[4]
if ARGV[5] ~= '' then redis.call('XADD', 'wa:dead', '*', 'j', ARGV[5]) end
if ARGV[7] ~= '' then redis.call('SET', ARGV[6], ARGV[7], 'EX', 30 * 24 * 3600) end

local at = 9
local function take()
  at = at + 1
  return ARGV[at - 1]
end
for _ = 1, tonumber(take()) do
  local key, tail, preamble, chunks = take(), take(), take(), tonumber(take())
  local length = 0
  for _ = 1, chunks do length = redis.call('RPUSH', key, take()) end
  if tail ~= '' then
    if chunks == 0 then length = redis.call('LLEN', key) end
    redis.call('HSET', key .. ':base', 'at', math.max(0, length - tonumber(tail)), 'pre', preamble)
  end
  redis.call('EXPIRE', key, ttl)
  redis.call('EXPIRE', key .. ':base', ttl)
end
for _ = 1, tonumber(take()) do redis.call('XADD', 'log', '*', 'j', take()) end
for _ = 1, tonumber(take()) do redis.call('XADD', 'wa:out:' .. p, '*', 'c', ARGV[8], 'e', take()) end
return 'done'
