-- Runs a list of identity operations in order, atomically, and gives [customer, digits of a verified phone or "", digits of
-- the phone they had before or ""] for each.
-- ARGV: prefix of aliases, prefix of profiles, seconds to live, operations (JSON), seconds that a former phone counts.
--
--   identity:{wa_id or user_id}   -> customer
--   identity:+{digits}            -> customer who shared this phone, while nobody else writes from it
--   identity:change:{wamid}       -> set once an identity change was carried out (Meta may deliver it again)
--   customer:{customer}           -> hash: wa_id, user_id (the current ones), shared_phone, former_phone (the number before it
--                                    was changed) until former_until, and id:{alias} = 1 for each alias

local aliases, profiles, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3])
local now = tonumber(redis.call("TIME")[1])

local function owner(id)
  return id and redis.call("GET", aliases .. id) or nil
end

local function field(customer, name)
  return redis.call("HGET", profiles .. customer, name) or nil
end

local function detach(customer, id)
  if owner(id) == customer then redis.call("DEL", aliases .. id) end
  redis.call("HDEL", profiles .. customer, "id:" .. id)
end

local function attach(customer, id)
  local before = owner(id)
  if before and before ~= customer then
    -- The id now belongs to someone else: the one before must not be reached or recognised by it.
    redis.call("HDEL", profiles .. before, "id:" .. id)
    if field(before, "wa_id") == id then redis.call("HDEL", profiles .. before, "wa_id") end
    if field(before, "user_id") == id then redis.call("HDEL", profiles .. before, "user_id") end
  end
  redis.call("SET", aliases .. id, customer, "EX", ttl)
  redis.call("HSET", profiles .. customer, "id:" .. id, 1)
end

local function set_phone(customer, wa_id)
  local old = field(customer, "wa_id")
  if old and old ~= wa_id then detach(customer, old) end
  attach(customer, wa_id)
  redis.call("HSET", profiles .. customer, "wa_id", wa_id)
  -- Whoever writes from a number owns it: another customer's verified claim to it is over.
  local claim = redis.call("GET", aliases .. "+" .. wa_id)
  if claim and claim ~= customer then
    redis.call("HDEL", profiles .. claim, "shared_phone")
    redis.call("DEL", aliases .. "+" .. wa_id)
  end
end

local function drop_shared_phone(customer)
  local phone = field(customer, "shared_phone")
  if phone and owner("+" .. phone) == customer then redis.call("DEL", aliases .. "+" .. phone) end
  redis.call("HDEL", profiles .. customer, "shared_phone")
end

local function new_customer(wa_id, user_id)
  for _, key in ipairs({wa_id or false, user_id or false}) do
    if key and redis.call("EXISTS", profiles .. key) == 0 then return key end
  end
  local n = 2
  while redis.call("EXISTS", profiles .. (wa_id or user_id) .. "." .. n) == 1 do n = n + 1 end
  return (wa_id or user_id) .. "." .. n
end

local function find(wa_id, user_id)
  local customer = owner(user_id)
  if customer then return customer end
  customer = owner(wa_id)
  if customer and user_id then
    local known = field(customer, "user_id")
    -- Another user_id behind the same number: the number was given to a new person.
    if known and known ~= user_id then return nil end
  end
  return customer
end

local function resolve(op)
  local customer = find(op.wa_id, op.user_id) or new_customer(op.wa_id, op.user_id)
  local known = field(customer, "user_id")
  local is_retired = op.user_id and known and known ~= op.user_id
  if not is_retired then
    if op.wa_id then set_phone(customer, op.wa_id) end
    if op.user_id then
      attach(customer, op.user_id)
      redis.call("HSET", profiles .. customer, "user_id", op.user_id)
    end
  end
  if op.shared_phone and not op.wa_id then
    drop_shared_phone(customer)
    local phone_owner = owner("+" .. op.shared_phone)
    if phone_owner and phone_owner ~= customer then redis.call("HDEL", profiles .. phone_owner, "shared_phone") end
    redis.call("SET", aliases .. "+" .. op.shared_phone, customer, "EX", ttl)
    redis.call("HSET", profiles .. customer, "shared_phone", op.shared_phone)
  end
  if is_retired then return customer, "", "" end
  local former = tonumber(field(customer, "former_until") or 0) > now and field(customer, "former_phone")
  if former and owner(former) then former = nil end -- somebody writes from that number by now
  return customer, op.wa_id or field(customer, "wa_id") or field(customer, "shared_phone") or "", former or ""
end

-- Somebody else wrote to these ids. That takes no number from anybody: only who writes owns it.
local function recipient(op)
  local customer = find(op.wa_id, op.user_id) or (op.wa_id and owner("+" .. op.wa_id))
  if not customer then
    customer = new_customer(op.wa_id, op.user_id)
    if op.wa_id then set_phone(customer, op.wa_id) end
  end
  if op.user_id and not field(customer, "user_id") then
    attach(customer, op.user_id)
    redis.call("HSET", profiles .. customer, "user_id", op.user_id)
  end
  return customer, op.wa_id or field(customer, "wa_id") or ""
end

local function rekey(op)
  if not redis.call("SET", aliases .. "change:" .. op.id, 1, "NX", "EX", 8 * 86400) then
    -- Carried out before. By now the old number may be someone else's.
    local moved = owner(op.new_user_id) or owner(op.new_wa_id)
    return moved or new_customer(op.new_wa_id, op.new_user_id), not moved
  end
  local customer = owner(op.old_user_id) or owner(op.new_user_id) or owner(op.old_wa_id)
  if not customer then return new_customer(op.new_wa_id or op.old_wa_id, op.new_user_id or op.old_user_id), true end
  -- A user_id belongs to one number: with either gone, what was verified before is no longer known to hold.
  drop_shared_phone(customer)
  if op.new_wa_id then
    set_phone(customer, op.new_wa_id)
    if op.old_wa_id then
      detach(customer, op.old_wa_id)
      redis.call("HSET", profiles .. customer, "former_phone", op.old_wa_id, "former_until", now + tonumber(ARGV[5]))
    end
  elseif op.is_number_change and op.old_wa_id then
    detach(customer, op.old_wa_id)
    redis.call("HDEL", profiles .. customer, "wa_id")
  end
  if op.new_user_id then
    attach(customer, op.new_user_id)
    redis.call("HSET", profiles .. customer, "user_id", op.new_user_id)
  elseif op.new_wa_id then
    -- The user_id is regenerated with the number; the next message brings it.
    redis.call("HDEL", profiles .. customer, "user_id")
  end
  return customer, false
end

local answers = {}
for _, op in ipairs(cjson.decode(ARGV[4])) do
  local customer, phone, former, is_stranger = nil, "", "", false
  if op.op == "rekey" then
    customer, is_stranger = rekey(op)
  elseif op.op == "recipient" then
    customer, phone = recipient(op)
  else
    customer, phone, former = resolve(op)
  end
  if not is_stranger then redis.call("EXPIRE", profiles .. customer, ttl) end
  table.insert(answers, {customer, phone, former})
end
return answers
