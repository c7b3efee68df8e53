-- Several calls in one round trip. args: for each its function, the number of its arguments, and
-- these. The answer is for each 1 and what it returned, or 0 and why it failed.
register('many', function(a)
  local answers, at = {}, 1
  while at <= #a do
    local count = tonumber(a[at + 1])
    local is_done, answer = pcall(bodies[a[at]], {unpack(a, at + 2, at + 1 + count)})
    if is_done then
      answers[#answers + 1] = {1, answer}
    else
      answers[#answers + 1] = {0, type(answer) == 'table' and answer.err or tostring(answer)}
    end
    at = at + 2 + count
  end
  return answers
end)
