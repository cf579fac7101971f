-- A reply is about to be sent. KEYS: owner, outbox stream, sending, settled. ARGV: token, stream id, attempt.
-- Returns {state, attempt that is on record, settled wamid}: state is 'mine', 'fenced' or 'gone'. When a status has
-- settled the key, or another attempt is on record (its outcome is unknown), nothing is marked.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced', '', ''} end
if #redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2]) == 0 then return {'gone', '', ''} end
local marked = redis.call('HGET', KEYS[3], ARGV[2]) or ''
local wamid = redis.call('GET', KEYS[4])
if wamid then return {'mine', marked, wamid} end
if marked == '' then redis.call('HSET', KEYS[3], ARGV[2], ARGV[3]) end
return {'mine', marked, ''}
