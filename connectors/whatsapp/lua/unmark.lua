-- The attempt surely reached nobody: forget it. ARGV: partition, token, stream id.
if redis.call('GET', 'wa:owner:' .. ARGV[1]) ~= ARGV[2] then return 'fenced' end
redis.call('HDEL', 'wa:sending:' .. ARGV[1], ARGV[3])
return 'done'
