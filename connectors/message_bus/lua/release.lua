-- Give one partition back. KEYS: owner, lease. ARGV: token. Nothing happens when it is another's by now.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
return 1
