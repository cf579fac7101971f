-- Keep who owns a customer's conversation, unless a newer state is kept. KEYS: thread control.
-- ARGV: control version (the state's "epoch"), state (JSON), seconds.
local kept = redis.call('GET', KEYS[1])
if kept then
  local readable, state = pcall(cjson.decode, kept)
  if readable and type(state) == 'table' and (tonumber(state.epoch) or 0) > tonumber(ARGV[1]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
