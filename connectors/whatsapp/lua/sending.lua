-- A reply is about to be sent. ARGV: partition, token, stream id, reply key, attempt.
-- Returns {state, attempt that is on record, settled wamid}: state is 'mine', 'fenced' or 'gone'. When a status has
-- settled the key, or another attempt is on record (its outcome is unknown), nothing is marked.
local p, id = ARGV[1], ARGV[3]
if redis.call('GET', 'wa:owner:' .. p) ~= ARGV[2] then return {'fenced', '', ''} end
if #redis.call('XRANGE', 'wa:out:' .. p, id, id) == 0 then return {'gone', '', ''} end
local marks = 'wa:sending:' .. p
local marked = redis.call('HGET', marks, id) or ''
local wamid = redis.call('GET', 'wa:settled:' .. ARGV[4])
if wamid then return {'mine', marked, wamid} end
if marked == '' then redis.call('HSET', marks, id, ARGV[5]) end
return {'mine', marked, ''}
