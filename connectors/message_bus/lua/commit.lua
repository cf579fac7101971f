-- Everything that one turn changed, in one step, only while the partition is ours and the entry is not yet done.
-- KEYS: owner, inbox stream, runs, failures, outbox stream, log, dead letters, address, quotable,
--       then n trackers * (tracker, its base)
-- ARGV: token, stream ids (by blanks), customer, tracker TTL s, dead letter or "", address or "",
--       what can be quoted (one a line), how many are kept, seconds,
--       n trackers * (tail chunks or "", preamble, n chunks, chunk...), n log records, record..., n replies, reply...
-- Returns {'fenced'} (another process owns the customer), {'gone'} (already committed), or {'done'}; with replies 'done'
-- is followed by the last id that the outbox stream had before, '0' for none, and the ids of the replies in it.
local ids = {}
for id in string.gmatch(ARGV[2], '%S+') do ids[#ids + 1] = id end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced'} end
if redis.call('XDEL', KEYS[2], unpack(ids)) == 0 then return {'gone'} end
for _, id in ipairs(ids) do
  redis.call('HDEL', KEYS[3], id, id .. ':b')
  redis.call('HDEL', KEYS[4], id, id .. ':f')
end
if ARGV[5] ~= '' then redis.call('XADD', KEYS[7], '*', 'j', ARGV[5]) end
if ARGV[6] ~= '' then redis.call('SET', KEYS[8], ARGV[6], 'EX', 30 * 24 * 3600) end
if ARGV[7] ~= '' then
  for said in string.gmatch(ARGV[7], '[^\n]+') do redis.call('LPUSH', KEYS[9], said) end
  redis.call('LTRIM', KEYS[9], 0, ARGV[8] - 1)
  redis.call('EXPIRE', KEYS[9], ARGV[9])
end

local at = 10
local function take()
  at = at + 1
  return ARGV[at - 1]
end
for i = 10, #KEYS, 2 do
  local tail, preamble, chunks = take(), take(), tonumber(take())
  local length = 0
  for _ = 1, chunks do length = redis.call('RPUSH', KEYS[i], take()) end
  if tail ~= '' then
    if chunks == 0 then length = redis.call('LLEN', KEYS[i]) end
    redis.call('HSET', KEYS[i + 1], 'at', math.max(0, length - tonumber(tail)), 'pre', preamble)
  end
  redis.call('EXPIRE', KEYS[i], ARGV[4])
  redis.call('EXPIRE', KEYS[i + 1], ARGV[4])
end
for _ = 1, tonumber(take()) do redis.call('XADD', KEYS[6], '*', 'j', take()) end
local done, replies = {'done'}, tonumber(take())
if replies > 0 then
  done[2] = '0'
  local stream = redis.call('EXISTS', KEYS[5]) == 1 and redis.call('XINFO', 'STREAM', KEYS[5]) or {}
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then done[2] = stream[i + 1] end
  end
end
for _ = 1, replies do done[#done + 1] = redis.call('XADD', KEYS[5], '*', 'c', ARGV[3], 'e', take()) end
return done
