-- Store new entries in the partitions of their customers and records in the log, all or nothing.
-- KEYS: log, then n * (seen, inbox stream), then a settled key for each record (the log's where it settles nothing).
-- ARGV: seconds to remember ids, seconds to remember settled keys, n, n * (customer, entry), then (wamid, record).
local stored, n = 0, tonumber(ARGV[3])
for i = 1, n do
  if redis.call('SET', KEYS[2 * i], 1, 'NX', 'EX', ARGV[1]) then
    redis.call('XADD', KEYS[2 * i + 1], '*', 'c', ARGV[2 * i + 2], 'e', ARGV[2 * i + 3])
    stored = stored + 1
  else
    -- A write, so that whoever waits for a replica waits for what the first delivery stored.
    redis.call('EXPIRE', KEYS[2 * i], ARGV[1])
  end
end
for i = 2 * n + 2, #KEYS do
  local at = 2 * n + 4 + 2 * (i - 2 * n - 2)
  if KEYS[i] ~= KEYS[1] then redis.call('SET', KEYS[i], ARGV[at], 'EX', ARGV[2]) end
  redis.call('XADD', KEYS[1], '*', 'j', ARGV[at + 1])
end
return stored
