-- The attempt surely reached nobody: forget it. KEYS: owner, sending. ARGV: token, stream id.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'fenced' end
redis.call('HDEL', KEYS[2], ARGV[2])
return 'done'
