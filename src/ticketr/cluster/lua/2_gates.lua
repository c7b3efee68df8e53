-- Gates: a pause or a rate, of the queue ("q") or of a key ("k" and the key). A gate is closed by a
-- pause, or while its bucket holds no start. A pending job that finds the queue's closed waits in
-- "gated", in the order in which to start; one that finds its key's closed, in the line of the key.
--
-- The starts of a rate are taken as attempts begin, so that jobs which wait for a worker have taken
-- none. A bucket is the time at which it will be full: each start puts that off by an interval.

local QUEUE = 'q'

local function has_gates() return call('EXISTS', P .. 'paused', P .. 'rates') > 0 end

local function is_paused(what) return call('SISMEMBER', P .. 'paused', what) == 1 end

-- The seconds between two starts, how many a full bucket holds, and when it is full; nothing if there
-- is no rate.
local function bucket(what)
  local kept = call('HGET', P .. 'rates', what)
  if not kept then return end
  local interval, burst, full_at = string.match(kept, '^(%S+) (%S+) (%S+)$')
  return tonumber(interval), tonumber(burst), tonumber(full_at)
end

local function keep_bucket(what, interval, burst, full_at)
  call('HSET', P .. 'rates', what,
    string.format('%.17g %.17g %.17g', interval, burst, full_at))
end

local function starts_left(what, at)
  local interval, burst, full_at = bucket(what)
  if not interval then return math.huge end
  return burst - math.max(0, full_at - at) / interval
end

-- From when on the bucket holds a start.
local function ready_at(what)
  local interval, burst, full_at = bucket(what)
  if not interval then return 0 end
  return full_at - (burst - 1) * interval
end

-- What closes a gate, in the words of "waiting"; nothing if it is open.
local function gate_of(what, at)
  if is_paused(what) then return 'paused' end
  if ready_at(what) > at then return 'rate' end
end

function key_gate(key)
  if has_gates() then return gate_of('k' .. key, now()) end
end

-- The line of a key goes on once the bucket of the key holds a start.
function await_key_gate(key)
  call('ZADD', P .. 'late', ready_at('k' .. key), key)
end

-- What a job in "gated" waits for: perhaps for those before it alone.
local function reason_to_wait(at)
  return gate_of(QUEUE, at) or bucket(QUEUE) and 'rate' or 'worker'
end

-- A pending job waits for the queue's gate: by level, then by age.
local function wait_at_gate(id, at)
  local job = fields(id, 'submitted', 'level')
  local rank = job.level == 'high' and 2 or job.level == 'normal' and 1 or 0
  call('ZADD', P .. 'gated', number(job.submitted) - 1e10 * rank, id)
  set(id, 'waiting', reason_to_wait(at), 'entry', '')
end

function hold_back(id)
  if call('EXISTS', P .. 'paused', P .. 'rates', P .. 'gated') == 0 then return false end
  local at = now()
  if not gate_of(QUEUE, at) and call('EXISTS', P .. 'gated') == 0 then return false end
  local job = fields(id, 'level', 'entry')
  drop_entry(job.level, job.entry)
  call('ZREM', P .. 'due', id)
  wait_at_gate(id, at)
  return true
end

-- A pending job waits in the line of its key, which it does not hold.
local function wait_at_key_gate(id, key, gate)
  if call('GET', P .. 'key:' .. key) == id then call('DEL', P .. 'key:' .. key) end
  stand_in_line(id, key, gate)
end

-- A worker asks for a job: does it find a gate closed, and wait again?
local function is_gated(id, key, level, entry)
  if not has_gates() then return false end
  local at = now()
  local gate = key ~= '' and gate_of('k' .. key, at)
  if not gate and not gate_of(QUEUE, at) then return false end
  drop_entry(level, entry)
  if gate then wait_at_key_gate(id, key, gate) else wait_at_gate(id, at) end
  return true
end

-- An attempt begins: it takes a start of the queue, and one of its key.
local function take_start(key, at)
  if call('EXISTS', P .. 'rates') == 0 then return end
  for _, what in ipairs(key == '' and {QUEUE} or {QUEUE, 'k' .. key}) do
    local interval, burst, full_at = bucket(what)
    if interval then keep_bucket(what, interval, burst, math.max(full_at, at) + interval) end
  end
end

-- How many jobs have been delivered, and have not begun.
local function count_delivered()
  local count = -call('SCARD', P .. 'running')
  for _, level in ipairs(LEVELS) do count = count + call('XLEN', S .. ':queues:' .. level) end
  return math.max(count, 0)
end

-- Let go on what finds its gate open.
local function open_gates(at)
  for _, key in ipairs(call('ZRANGEBYSCORE', P .. 'late', '-inf', at, 'LIMIT', 0, AT_ONCE)) do
    call('ZREM', P .. 'late', key)
    if not holder_of(key) and not is_paused('k' .. key) then hand_key_on(key) end
  end
  if call('EXISTS', P .. 'gated') == 0 or is_paused(QUEUE) then return end
  local most, left = AT_ONCE, starts_left(QUEUE, at)
  if left < AT_ONCE then most = math.floor(left + 1e-6) - count_delivered() end
  if most < 1 then return end
  for _, id in ipairs(call('ZRANGE', P .. 'gated', 0, most - 1)) do
    call('ZREM', P .. 'gated', id)
    send(id)
    notify(id)
  end
end

-- When a gate opens for which a job waits.
local function next_opening(at)
  local late = call('ZRANGE', P .. 'late', 0, 0, 'WITHSCORES')[2]
  local found = late and number(late) or at + 3600
  if call('EXISTS', P .. 'gated') == 0 or is_paused(QUEUE) then return found end
  local ready, interval = ready_at(QUEUE), bucket(QUEUE)
  if ready <= at then ready = at + math.min(interval or 0, 0.1) end -- delivered jobs are to begin
  return math.min(found, ready)
end

-- Say again what the jobs at a gate wait for.
local function say_reason(ids, reason)
  for _, id in ipairs(ids) do
    local waiting = get(id, 'waiting')
    if waiting ~= reason and (waiting == 'paused' or waiting == 'rate' or reason == 'paused') then
      set(id, 'waiting', reason)
      notify(id)
    end
  end
end

-- Take back jobs that have been delivered and have not begun.
local function take_back(ids, wait)
  for _, id in ipairs(ids) do
    local job = fields(id, 'status', 'waiting', 'level', 'entry', 'key')
    if job.status == 'pending' and job.waiting == 'worker' then
      drop_entry(job.level, job.entry)
      wait(id, job.key)
      notify(id)
    end
  end
end

-- What has changed at a gate holds at once: for the first of many jobs, for the others as they start.
local function queue_gate_changed(at)
  if gate_of(QUEUE, at) then
    take_back(call('SRANDMEMBER', P .. 'pending', AT_ONCE),
      function(id) wait_at_gate(id, at) end)
  end
  say_reason(call('ZRANGE', P .. 'gated', 0, AT_ONCE - 1), reason_to_wait(at))
  open_gates(at)
end

local function key_gate_changed(key, at)
  local gate = gate_of('k' .. key, at)
  if gate then
    take_back(call('SMEMBERS', P .. 'keyed:' .. key),
      function(id) wait_at_key_gate(id, key, gate) end)
  end
  say_reason(call('ZRANGE', P .. 'line:' .. key, 0, AT_ONCE - 1), gate or 'key')
  if not holder_of(key) then hand_key_on(key) end
end

local function gate_changed(what, at)
  if what == QUEUE then queue_gate_changed(at) else key_gate_changed(string.sub(what, 2), at) end
end

-- args: the gate, 1 to pause it or 0 to resume
register('set_paused', function(a)
  call(a[2] == '1' and 'SADD' or 'SREM', P .. 'paused', a[1])
  gate_changed(a[1], now())
  return 1
end)

-- args: the gate, the seconds between two starts or '' for no limit, how many a full bucket holds
register('set_rate', function(a)
  local what, at = a[1], now()
  if a[2] == '' then
    call('HDEL', P .. 'rates', what)
  else
    local interval, burst = number(a[2]), number(a[3])
    local taken = math.max(0, burst - starts_left(what, at)) -- of a new bucket, none
    keep_bucket(what, interval, burst, at + taken * interval)
  end
  gate_changed(what, at)
  return 1
end)

-- All gates that are paused or have a rate: each with 1 if it is paused, the seconds between two
-- starts or '' for no rate, and how many a full bucket holds.
register('gates', function()
  local found, seen = {}, {}
  for _, names in ipairs({call('SMEMBERS', P .. 'paused'), call('HKEYS', P .. 'rates')}) do
    for _, what in ipairs(names) do
      if not seen[what] then
        seen[what] = true
        local interval, burst = bucket(what)
        found[#found + 1] = {what, is_paused(what) and 1 or 0,
          interval and string.format('%.17g', interval) or '', string.format('%.17g', burst or 0)}
      end
    end
  end
  return found
end)
