-- Repeats: jobs that are run again and again. "repeats" has them by their next due time, a paused one
-- at infinity. The server keeps them; what needs the secret or a function of the user, a worker does:
-- it makes the job of a run, and says which due time is the next. A step that another process has
-- made first is refused, since the version has changed. So one worker makes each run, and no leader
-- has to be chosen.

local function of_repeat(id) return P .. 'repeat:' .. id end

local function is_live_run(id, number, nonce)
  local job = fields(id .. '#' .. number, 'nonce', 'status')
  return nonce ~= '' and job.nonce == nonce and is_live(job.status)
end

-- A run has ended: keep how and when, since its record is dropped before the next run of a rare repeat.
function note_run(id, status, at)
  if call('EXISTS', of_repeat(id)) == 0 then return end
  call('HSET', of_repeat(id), 'last_status', status, 'last_at', text(at))
end

-- All that is kept of a repeat, and whether a run of it has not ended; none if unknown.
local function view_repeat(id)
  local found = call('HGETALL', of_repeat(id))
  if #found == 0 then return found end
  local runs, run = unpack(call('HMGET', of_repeat(id), 'runs', 'run'))
  found[#found + 1] = 'is_running'
  found[#found + 1] = is_live_run(id, runs, run or '') and '1' or '0'
  return found
end

local function schedule_repeat(id)
  local kept = call('HMGET', of_repeat(id), 'paused', 'due')
  call('ZADD', P .. 'repeats', kept[1] == '1' and 'inf' or kept[2], id)
  call('HINCRBY', of_repeat(id), 'version', 1)
end

local function ended_or_unknown(id)
  local ended = call('HGET', of_repeat(id), 'ended')
  return not ended or ended == '1'
end

-- Declare a repeat. Its due times start over unless there is a live one with the same 'every'.
-- args: id, every, first due time, from when on due times count, field, value, ...
register('repeat', function(a)
  local id = a[1]
  local is_kept = not ended_or_unknown(id) and call('HGET', of_repeat(id), 'every') == a[2]
  call('PERSIST', of_repeat(id))
  call('HSET', of_repeat(id), 'id', id, 'every', a[2], unpack(a, 5))
  call('HSETNX', of_repeat(id), 'runs', 0)
  call('HSETNX', of_repeat(id), 'missed', 0)
  if not is_kept then
    call('HSET', of_repeat(id), 'ended', 0, 'paused', 0, 'first', a[3], 'due', a[3], 'since', a[4])
  end
  schedule_repeat(id)
  return 1
end, GROWS)

-- args: id
register('repeat_get', function(a) return view_repeat(a[1]) end)

-- The IDs of all repeats.
register('repeat_list', function() return call('ZRANGE', P .. 'repeats', 0, -1) end)

-- Repeats without their packed jobs, the next that is due first. args: limit
register('repeat_views', function(a)
  local found = {}
  for _, id in ipairs(call('ZRANGE', P .. 'repeats', 0, number(a[1]) - 1)) do
    local view = view_repeat(id)
    for i = 1, #view, 2 do
      if view[i] == 'payload' then view[i + 1] = '' end
    end
    found[#found + 1] = view
  end
  return found
end)

-- The server's time, and the repeats that are due.
register('repeat_due', function()
  local at = now()
  local found = {text(at)}
  for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'repeats', '-inf', at, 'LIMIT', 0, 100)) do
    found[#found + 1] = view_repeat(id)
  end
  return found
end)

-- Go on to a due time, perhaps with a run. The answer is done, ran, or why not: late (another process
-- was first), running, or taken (a job has the ID of the run).
-- args: id, version, next due time, due times that were missed, 1 to run, arguments of "enter" ...
register('repeat_step', function(a)
  local id, key = a[1], of_repeat(a[1])
  if a[5] == '1' and call('HGET', key, 'run') == a[7] then return 'ran' end -- a repeated call
  if ended_or_unknown(id) or call('HGET', key, 'version') ~= a[2] then return 'late' end
  local runs, run = unpack(call('HMGET', key, 'runs', 'run'))
  if a[5] == '1' and is_live_run(id, runs, run or '') then return 'running' end
  call('HSET', key, 'due', a[3])
  call('HINCRBY', key, 'missed', a[4])
  schedule_repeat(id)
  if a[5] ~= '1' then return 'done' end
  if enter({unpack(a, 6)})[1] ~= 'entered' then
    call('HINCRBY', key, 'missed', 1)
    return 'taken'
  end
  set(a[6], 'repeat', id)
  call('HSET', key, 'run', a[7])
  call('HINCRBY', key, 'runs', 1)
  return 'ran'
end, GROWS)

-- args: id, 1 to pause it or 0 to resume; the answer is 0 if it has ended
register('repeat_pause', function(a)
  if ended_or_unknown(a[1]) then return 0 end
  if call('HGET', of_repeat(a[1]), 'paused') ~= a[2] then
    call('HSET', of_repeat(a[1]), 'paused', a[2], 'since', text(now()))
    schedule_repeat(a[1])
  end
  return 1
end)

-- args: id, token; the answer is 0 if it had ended before
register('repeat_end', function(a)
  local key = of_repeat(a[1])
  if ended_or_unknown(a[1]) then return call('HGET', key, 'end_token') == a[2] and 1 or 0 end
  call('HSET', key, 'ended', 1, 'end_token', a[2])
  call('ZREM', P .. 'repeats', a[1])
  call('EXPIRE', key, 86400) -- its runs are numbered on if it is declared again
  return 1
end)
