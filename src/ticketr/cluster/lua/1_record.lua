-- The record of a job is one hash, which only these functions change. The engine delivers; this
-- decides. So a job ends once, however often it is delivered, and each cancel has one true answer.
--
-- Every call runs alone. Its first two keys are the prefixes of the queue's keys and of the engine's
-- (see _keys.py). A call that changes a job takes a token: the same call with the same token, made
-- again because its answer was lost, changes nothing and gets the same answer.
--
-- The sets of a queue, by status: a pending job is delivered (a message in the engine's stream), or
-- in "due" (waits for a time), or in the line of its key, or in "gated" (see 2_gates.lua), or in
-- "next:" of a job before it. A running job is in "of:" of its worker.

local MOST_EVENTS = 100000 -- in the stream of one reader
local BIG = 16384          -- bytes of a result or error that a reader fetches instead
local AT_ONCE = 1000       -- jobs that one call moves on
local AGING = 30           -- seconds of waiting that are worth one point of priority
local KEPT = 30            -- seconds for which no limit drops an ended job: a call may be repeated
local GROUP = 'workers'
local LEVELS = {'low', 'normal', 'high'}

local P, S -- the prefixes, ours and the engine's
local bodies = {} -- the functions by their names
local grows = {}  -- true by the names of functions that need free memory on the server

-- A function is called without memory, too, unless it is one that grows the queue: jobs have to run
-- and end, and leases to be kept, or there is never room again.
local function register(name, body, is_growing)
  bodies[name], grows[name] = body, is_growing
  redis.register_function{
    function_name = '@PREFIX@' .. name,
    flags = is_growing and {} or {'allow-oom'},
    callback = function(keys, args)
      P, S = keys[1], keys[2]
      return body(args)
    end,
  }
end

local GROWS = true

-- As redis.call; but the error about a key that another program has overwritten names it.
local function call(...)
  local answer, _, key = redis.pcall(...), ...
  if type(answer) ~= 'table' or not answer.err then return answer end
  if string.find(answer.err, '^WRONGTYPE') then answer = {err = 'WRONGTYPE ' .. key} end
  error(answer)
end

local function now()
  local time = call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1e6
end

local function text(number) return string.format('%.6f', number) end
local function number(value) return tonumber(value or 0) or 0 end
local function record(id) return P .. 'job:' .. id end

local function is_overwritten(id)
  local kind = call('TYPE', record(id)).ok
  return kind ~= 'hash' and kind ~= 'none'
end

-- A call about a record. One that another program has overwritten is as good as none, so that a call
-- which moves on many jobs does that with the others.
local function of_record(command, id, ...)
  local answer = redis.pcall(command, record(id), ...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  if not is_overwritten(id) then error(answer) end
end

local function refuse_overwritten(id)
  if is_overwritten(id) then error({err = 'WRONGTYPE ' .. record(id)}) end
end

-- A function that is about the job in its first argument: it fails if the record is overwritten.
local function about_one_job(body)
  return function(a)
    refuse_overwritten(a[1])
    return body(a)
  end
end

local function get(id, field) return of_record('HGET', id, field) or '' end
local function set(id, ...) of_record('HSET', id, ...) end
local function is_live(status) return status == 'pending' or status == 'running' end

-- The fields of a record by their names; a missing one is an empty text.
local function fields(id, ...)
  local found, values = {}, of_record('HMGET', id, ...) or {}
  for i, name in ipairs({...}) do found[name] = values[i] or '' end
  return found
end

-- What readers are told of a job.
local SHOWN = {'nonce', 'status', 'revision', 'attempt', 'cancel', 'cause', 'due', 'started',
  'finished', 'current', 'total', 'message', 'reported', 'worker', 'waiting', 'lost', 'result', 'error'}

-- Tell those who watch this job.
local function notify(id)
  of_record('HINCRBY', id, 'revision', 1)
  local watchers = get(id, 'watchers')
  if watchers == '' then return end
  local event, values = {'id', id}, of_record('HMGET', id, unpack(SHOWN))
  local is_big = #(values[#values] or '') + #(values[#values - 1] or '') > BIG
  for i, name in ipairs(SHOWN) do
    if values[i] and not (is_big and (name == 'result' or name == 'error')) then
      event[#event + 1] = name
      event[#event + 1] = values[i]
    end
  end
  if is_big then event[#event + 1] = 'big'; event[#event + 1] = 1 end
  for stream in string.gmatch(watchers, '[^,]+') do
    call('XADD', stream, 'NOMKSTREAM', 'MAXLEN', '~', MOST_EVENTS, '*', unpack(event))
  end
end

local function add_watcher(id, stream)
  local watchers = get(id, 'watchers')
  if stream == '' or string.find(',' .. watchers .. ',', ',' .. stream .. ',', 1, true) then return end
  set(id, 'watchers', watchers == '' and stream or watchers .. ',' .. stream)
end

-- Take an entry out of the engine's stream.
local function drop_entry(level, entry)
  if entry == '' then return end
  call('XACK', S .. ':queues:' .. level, GROUP, entry)
  call('XDEL', S .. ':queues:' .. level, entry)
end

local hold_back, key_gate, await_key_gate -- of 2_gates.lua

-- Have the engine deliver a pending job now, whatever the gates are.
local function send(id)
  local job = fields(id, 'nonce', 'level', 'entry')
  call('ZREM', P .. 'due', id)
  if job.nonce == '' then return end -- the record is gone
  drop_entry(job.level, job.entry)
  local entry = call('XADD', S .. ':queues:' .. job.level, '*',
    'task_id', id .. '~' .. job.nonce, 'enqueue_time', math.floor(now() * 1000))
  set(id, 'entry', entry, 'waiting', 'worker')
end

-- Have the engine deliver a pending job, unless a gate of the queue is closed.
local function deliver(id)
  if not hold_back(id) then send(id) end
end

-- A pending job that waits for its key, in the order of priority and age; gate: what else holds it up.
local function stand_in_line(id, key, gate)
  local job = fields(id, 'submitted', 'priority')
  call('ZADD', P .. 'line:' .. key, number(job.submitted) - AGING * number(job.priority), id)
  set(id, 'waiting', gate or 'key', 'entry', '')
  if gate then await_key_gate(key) end
end

local function holder_of(key)
  local holder = call('GET', P .. 'key:' .. key)
  if holder and is_live(get(holder, 'status')) then return holder end
end

-- The first in line gets a key that nobody has, unless a gate of the key is closed.
local function hand_key_on(key)
  local first = call('ZRANGE', P .. 'line:' .. key, 0, 0)[1]
  if first and get(first, 'status') == '' then -- its record is gone
    call('ZREM', P .. 'line:' .. key, first)
    return hand_key_on(key)
  end
  local gate = first and key_gate(key)
  if first and not gate then
    call('ZREM', P .. 'line:' .. key, first)
    call('SET', P .. 'key:' .. key, first)
    deliver(first)
    notify(first)
    return
  end
  call('DEL', P .. 'key:' .. key)
  if gate then
    if get(first, 'waiting') ~= gate then
      set(first, 'waiting', gate)
      notify(first)
    end
    await_key_gate(key)
  end
end

-- A job gives its key back.
local function release_key(id, key)
  if key == '' then return end
  call('ZREM', P .. 'line:' .. key, id)
  if call('GET', P .. 'key:' .. key) == id then hand_key_on(key) end
end

-- Let a pending job wait for its time, or for its key, or for a worker.
local function await_start(id, due, at)
  local key = get(id, 'key')
  set(id, 'due', text(due))
  if due > at then
    call('ZADD', P .. 'due', due, id)
    set(id, 'waiting', 'time', 'entry', '')
    return
  end
  local is_taken = key ~= '' and holder_of(key)
  local gate = key ~= '' and not is_taken and key_gate(key)
  if is_taken or gate then
    stand_in_line(id, key, gate)
  else
    deliver(id)
  end
end

local function leave_worker(id, worker)
  call('SREM', P .. 'running', id)
  call('SREM', P .. 'of:' .. worker, id)
  call('SREM', P .. 'stop:' .. worker, id .. ' ' .. get(id, 'token'))
end

local finish, offer_room, note_run -- the second of 2_room.lua, the third of 8_repeats.lua

-- A job is not pending any more: there is room for another one.
local function leave_pending(id)
  call('SREM', P .. 'pending', id)
  if call('EXISTS', P .. 'room') == 1 then offer_room() end
end

-- A job has ended: those that start after it wait for one less, or can start no more.
local function tell_successors(id, status, at)
  for _, task in ipairs(call('SMEMBERS', P .. 'next:' .. id)) do
    local other, nonce = string.match(task, '^(.*)~([^~]*)$')
    local job = fields(other, 'nonce', 'status', 'waiting', 'any_end', 'due')
    if job.nonce == nonce and job.status == 'pending' and job.waiting == 'after' then
      if status ~= 'completed' and job.any_end ~= '1' then
        set(other, 'cause', 'dependency')
        finish(other, 'cancelled', at)
      elseif of_record('HINCRBY', other, 'missing', -1) == 0 then
        await_start(other, number(job.due), at)
        notify(other)
      end
    end
  end
  call('DEL', P .. 'next:' .. id)
end

-- Drop ended jobs that are too old or too many.
local function forget(at)
  local keep = number(call('HGET', P .. 'settings', 'keep_jobs') or 1000)
  local surplus = call('ZCARD', P .. 'ended') - keep
  if surplus > 0 then
    for _, id in ipairs(call('ZRANGE', P .. 'ended', 0, math.min(surplus, AT_ONCE) - 1)) do
      local finished = get(id, 'finished')
      if number(finished) > at - KEPT then break end
      call('ZREM', P .. 'ended', id)
      if finished ~= '' then call('UNLINK', record(id)) end
    end
  end
  local age = number(call('HGET', P .. 'settings', 'keep_age') or 3600)
  call('ZREMRANGEBYSCORE', P .. 'ended', 0, at - age)
end

function finish(id, status, at)
  local job = fields(id, 'status', 'key', 'level', 'entry', 'worker', 'repeat')
  if job.status == 'running' then
    leave_worker(id, job.worker)
  else
    leave_pending(id)
    call('ZREM', P .. 'due', id)
    call('ZREM', P .. 'gated', id)
  end
  call('ZREM', P .. 'expiring', id)
  drop_entry(job.level, job.entry)
  set(id, 'status', status, 'finished', text(at), 'waiting', '')
  of_record('HDEL', id, 'payload', 'retry', 'entry')
  call('SREM', P .. 'keyed:' .. job.key, id)
  release_key(id, job.key)
  call('HINCRBY', P .. 'totals', status, 1)
  if job['repeat'] ~= '' then note_run(job['repeat'], status, at) end
  notify(id)
  local age = number(call('HGET', P .. 'settings', 'keep_age') or 3600)
  call('EXPIRE', record(id), math.ceil(math.max(age, KEPT)))
  call('ZADD', P .. 'ended', at, id)
  tell_successors(id, status, at)
  forget(at)
end

-- A running job waits again, for an attempt after so many seconds.
local function put_back(id, delay, at)
  local job = fields(id, 'worker', 'key', 'level', 'entry')
  leave_worker(id, job.worker)
  drop_entry(job.level, job.entry)
  call('SADD', P .. 'pending', id)
  set(id, 'status', 'pending', 'entry', '')
  release_key(id, job.key)
  await_start(id, at + delay, at)
  notify(id)
end
