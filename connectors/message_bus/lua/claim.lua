-- Take a partition. KEYS: owner. ARGV: token of the owner that is gone or "", new token. Returns 1 when it is taken.
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
