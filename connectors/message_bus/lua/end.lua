-- A run ended, or never began, without a commit and without taking the process with it; whoever owns the customer by now.
-- KEYS: runs. ARGV: token, stream id.
local left = {}
for token in string.gmatch(redis.call('HGET', KEYS[1], ARGV[2]) or '', '%S+') do
  if token ~= ARGV[1] then left[#left + 1] = token end
end
if #left == 0 then return redis.call('HDEL', KEYS[1], ARGV[2]) end
redis.call('HSET', KEYS[1], ARGV[2], table.concat(left, ' '))
return 0
