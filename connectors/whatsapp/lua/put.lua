-- Store new entries in the partitions of their customers and records in the log, all or nothing.
-- ARGV: seconds to remember ids, seconds to remember settled keys, n, n * (partition, id, customer, entry),
--       then (settled key or "", wamid, record) until the end.
local stored = 0
local at = 4
for _ = 1, tonumber(ARGV[3]) do
  if redis.call('SET', 'wa:seen:' .. ARGV[at + 1], 1, 'NX', 'EX', ARGV[1]) then
    redis.call('XADD', 'wa:in:' .. ARGV[at], '*', 'c', ARGV[at + 2], 'e', ARGV[at + 3])
    stored = stored + 1
  end
  at = at + 4
end
while at <= #ARGV do
  if ARGV[at] ~= '' then
    redis.call('SET', 'wa:settled:' .. ARGV[at], ARGV[at + 1], 'EX', ARGV[2])
  end
  redis.call('XADD', 'log', '*', 'j', ARGV[at + 2])
  at = at + 3
end
return stored
