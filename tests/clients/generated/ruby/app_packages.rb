# The story of the app packages: what an application does, against the server at BASE.
require 'app_packages'
require 'digest'
require 'securerandom'
require 'uri'

def equal(what, actual, wanted)
  raise "#{what}: expected #{wanted.inspect}, got #{actual.inspect}" unless actual == wanted
end

base = URI(ENV.fetch('BASE'))
AppPackages.configure do |config|
  config.scheme = base.scheme
  config.host = "#{base.host}:#{base.port}"
  config.base_path = '/api'
  config.server_index = nil
end
app_key = ENV.fetch('TEST_APP_KEY')
credentials = AppPackages::AppAuthInfo.new(application_id: app_key, shared_secret: ENV.fetch('TEST_SHARED_SECRET'))
ticket = AppPackages::AppAuthticketsApi.new.authenticate_app(credentials)
AppPackages.configure { |config| config.access_token = ticket.access_token }
puts "logged in until #{ticket.access_token_expiration}"

packages = AppPackages::ApppackagesApi.new
key = "#{app_key.split('.').first}.ruby#{SecureRandom.hex(4)}.1.0.0.Release"
request = AppPackages::PackageRequest.new(app_key: key)
created = packages.create_app_package(request)
equal 'key', created.app_key, key
equal 'major version', created.major_version, 1
puts "created the package #{key}"

begin
  packages.create_app_package(request)
  raise 'created twice'
rescue AppPackages::ApiError => e
  equal 'status', e.code, 409
  refusal = AppPackages::AppDevError.build_from_hash(JSON.parse(e.response_body, symbolize_names: true))
  equal 'error code', refusal.error_code, 'ITEM_ALREADY_EXISTS'
  puts "refused the same key again: #{refusal.error_code}"
end

path = 'assets/theme.css'
bytes = "body { color: teal }\n"
files = AppPackages::PackageFilesApi.new
files.upsert_package_file(key, path, body: bytes)
metadata = files.get_package_file_metadata(key, path)
equal 'path', metadata.path, path
equal 'size', metadata.size_in_bytes, bytes.bytesize
equal 'checksum', metadata.check_sum, Digest::MD5.hexdigest(bytes)
puts "uploaded #{path}, #{bytes.bytesize} bytes"

list = packages.list_packages(key)
equal 'packages', list.total_count, 1
equal 'ids', list.items.map(&:id), [created.id]
puts 'listed the packages of the version'
