-- What wrk sends and what it prints at the end. Without arguments it sends one unchanging GET;
-- with `-- PREFIX SERVICE_INSTANCE` it creates offerings whose names start with PREFIX.

local body = [[{"name":"%s %07d","policy_jwt_alg":"es256","policy_jwt_claim_expires_in":10,]]
  .. [["service_instance_id":%s,"webhook_uri_template":"https://echo.example.test/hook?account={account}"}]]

function init(args)
  local prefix, service_instance = args[1], args[2]
  if prefix == nil then return end
  wrk.headers["Content-Type"] = "application/json"
  local number = 0
  -- wrk asks for every request anew only when there is a global of this name.
  function request()
    number = number + 1
    return wrk.format("POST", nil, nil, body:format(prefix, number, service_instance))
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"refused":%d,"broken":%d,"late":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write, errors.timeout))
end
