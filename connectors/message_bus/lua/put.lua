-- Store new entries of one partition, and records for its log, all or nothing.
-- KEYS: inbox stream, log, then a seen key for each entry.
-- ARGV: seconds to remember ids, n, n * (customer, entry), then records. Returns how many entries were new.
local stored, n = 0, tonumber(ARGV[2])
for i = 1, n do
  if redis.call('SET', KEYS[i + 2], 1, 'NX', 'EX', ARGV[1]) then
    redis.call('XADD', KEYS[1], '*', 'c', ARGV[2 * i + 1], 'e', ARGV[2 * i + 2])
    stored = stored + 1
  else
    -- A write, so that whoever waits for a replica waits for what the first delivery stored.
    redis.call('EXPIRE', KEYS[i + 2], ARGV[1])
  end
end
for i = 2 * n + 3, #ARGV do redis.call('XADD', KEYS[2], '*', 'j', ARGV[i]) end
return stored
