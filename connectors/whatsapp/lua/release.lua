-- Give one partition back. ARGV: partition, token. Nothing happens when it is another's by now.
if redis.call('GET', 'wa:owner:' .. ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('DEL', 'wa:owner:' .. ARGV[1], 'wa:lease:' .. ARGV[1])
return 1
