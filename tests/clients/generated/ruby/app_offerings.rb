# The story of the app offerings: what a publisher does, against the server at BASE.
require 'app_offerings'
require 'securerandom'
require 'uri'

def equal(what, actual, wanted)
  raise "#{what}: expected #{wanted.inspect}, got #{actual.inspect}" unless actual == wanted
end

# The refusal that the block leads to, as what the document says of its status.
def refused(status, type)
  yield
rescue AppOfferings::ApiError => e
  equal 'status', e.code, status
  type.build_from_hash(JSON.parse(e.response_body, symbolize_names: true))
else
  raise "expected #{status}"
end

base = URI(ENV.fetch('BASE'))
AppOfferings.configure do |config|
  config.scheme = base.scheme
  config.host = "#{base.host}:#{base.port}"
  config.base_path = ''
  config.server_index = nil
  config.access_token = ENV.fetch('TEST_TOKEN')
end
app_offerings = AppOfferings::AppOfferingsApi.new
suffix = SecureRandom.hex(4)
source = "ruby #{suffix}"
service_instance = AppOfferings::ServiceInstancesApi.new.list_service_instances.first

draft = lambda do |number, name = "Ruby #{suffix} #{number}"|
  AppOfferings::CreateAppOffering.new(
    name: name, policy_jwt_alg: 'es256', service_instance_id: service_instance.id, source: source,
    source_id: number.to_s, webhook_uri_template: 'https://hook.example.test/?account={account}'
  )
end
created = (1..5).map do |number|
  offering, status, = app_offerings.create_app_offering_with_http_info(draft.call(number))
  equal 'status', status, 201
  equal 'name', offering.name, "Ruby #{suffix} #{number}"
  equal 'source', offering.source, source
  equal 'published', offering.published, false
  offering
end
puts "created #{created.size} offerings"

pages = 0
found = []
query = { per_page: 2, source: source, sort: 'sourceID' }
loop do
  page, _, headers = app_offerings.list_app_offerings_with_http_info(query)
  pages += 1
  found.concat(page.map(&:id))
  break unless headers['Link'].to_s.include?('rel="next"')

  query[:search_after] = headers['X-Pagination-End-Cursor']
end
equal 'pages', pages, 3
equal 'ids', found, created.map(&:id)
puts "listed #{found.size} offerings on #{pages} pages"

third = created[2]
equal 'of this name', app_offerings.list_app_offerings(name: third.name).map(&:id), [third.id]
since = created.first.updated_at.iso8601
equal 'recent', app_offerings.list_app_offerings(source: source, updated_at: ">=#{since}").size, 5
puts 'filtered by name and by time of the last change'

# A name without any character the client itself would refuse.
refusal = refused(422, AppOfferings::ValidationFailed) { app_offerings.create_app_offering(draft.call(6, ' ')) }
equal 'message', refusal.message, 'Validation Failed'
equal 'errors', refusal.errors, [['name', "Name can't be blank"]]
puts "refused an offering without a name: #{refusal.errors}"

_, _, headers = app_offerings.get_app_offering_with_http_info(third.id.to_s)
tag = headers['ETag'] || raise('no tag')
change = AppOfferings::UpdateAppOffering.new(description: 'Echoes tickets')
updated, _, headers = app_offerings.update_app_offering_with_http_info(third.id.to_s, change, if_match: tag)
equal 'description', updated.description, 'Echoes tickets'
raise 'the tag is still the same' if headers['ETag'] == tag

puts "updated with the tag #{tag}"

stale = refused(412, AppOfferings::Message) do
  app_offerings.update_app_offering(third.id.to_s, change, if_match: tag)
end
equal 'message', stale.message, 'Precondition Failed'
puts "refused the same tag again: #{stale.message}"

version, status, = app_offerings.publish_app_offering_with_http_info(third.id.to_s)
equal 'status', status, 201
equal 'published and latest', [version.published, version.latest], [true, true]
equal 'reference', version.reference, third.reference
raise 'the version is the draft' if version.id == third.id

puts "published #{version.reference}"
