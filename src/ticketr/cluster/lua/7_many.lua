local NO_MEMORY = "OOM the server is out of memory"

local function call_all(a, has_memory)
  local answers, at = {}, 1
  while at <= #a do
    local name, count = a[at], tonumber(a[at + 1])
    local is_done, answer = false, NO_MEMORY
    if has_memory or not grows[name] then
      is_done, answer = pcall(bodies[name], {unpack(a, at + 2, at + 1 + count)})
    end
    if is_done then
      answers[#answers + 1] = {1, answer}
    else
      answers[#answers + 1] = {0, type(answer) == 'table' and answer.err or tostring(answer)}
    end
    at = at + 2 + count
  end
  return answers
end

-- Several calls in one round trip. args: for each its function, the number of its arguments, and
-- these. The answer is for each 1 and what it returned, or 0 and why it failed.
register('many', function(a) return call_all(a, true) end, GROWS)

-- The same without memory: the calls that would grow the queue fail.
register('many_without_memory', function(a) return call_all(a, false) end)
