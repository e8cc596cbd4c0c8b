-- What wrk sends and what it prints at the end. Without arguments it sends one unchanging GET; with
-- `-- PATH BODY ROUND` it posts. Each `@unique@` of path and body is another text in every request.

function init(args)
  local path, body, round = args[1], args[2], args[3]
  if path == nil then return end
  wrk.headers["Content-Type"] = "application/json"
  local number = 0
  -- wrk asks for every request anew only when there is a global of this name.
  function request()
    number = number + 1
    local unique = string.format("%s-%07d", round, number)
    local function filled(text) return (text:gsub("@unique@", unique)) end
    return wrk.format("POST", filled(path), nil, filled(body))
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"refused":%d,"broken":%d,"late":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write, errors.timeout))
end
