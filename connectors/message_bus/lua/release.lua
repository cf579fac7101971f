-- Give one partition back. KEYS: owner. ARGV: token. Nothing happens when it is another's by now.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
