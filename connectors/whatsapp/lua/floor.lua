-- Keep what is known of a customer's floor, unless a newer state is kept. ARGV: key, epoch, state (JSON), seconds.
local kept = redis.call('GET', ARGV[1])
if kept then
  local readable, state = pcall(cjson.decode, kept)
  if readable and type(state) == 'table' and (tonumber(state.epoch) or 0) > tonumber(ARGV[2]) then return 0 end
end
redis.call('SET', ARGV[1], ARGV[3], 'EX', ARGV[4])
return 1
