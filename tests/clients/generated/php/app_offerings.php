<?php
// The story of the app offerings: what a publisher does, against the server at BASE.
declare(strict_types=1);

require __DIR__ . '/client.php';

use AppOfferings\Api\AppOfferingsApi;
use AppOfferings\Api\ServiceInstancesApi;
use AppOfferings\ApiException;
use AppOfferings\Configuration;
use AppOfferings\Model\CreateAppOffering;
use AppOfferings\Model\JwtAlgorithm;
use AppOfferings\Model\Message;
use AppOfferings\Model\UpdateAppOffering;
use AppOfferings\Model\ValidationFailed;

$configuration = Configuration::getDefaultConfiguration()->setHost(getenv('BASE'))->setAccessToken(getenv('TEST_TOKEN'));
$http = new GuzzleHttp\Client();
$appOfferings = new AppOfferingsApi($http, $configuration);
$suffix = bin2hex(random_bytes(4));
$source = "php $suffix";
$serviceInstance = (new ServiceInstancesApi($http, $configuration))->listServiceInstances()[0];

/** The refusal that the call leads to, as what the document says of its status. */
function refused(int $status, callable $call): mixed
{
    try {
        $call();
    } catch (ApiException $refusal) {
        equal('status', $refusal->getCode(), $status);
        return $refusal->getResponseObject();
    }
    throw new Exception("expected $status");
}

function ids(array $offerings): array
{
    return array_map(fn ($offering) => $offering->getId(), $offerings);
}

$draft = fn (int $number, string $name) => new CreateAppOffering([
    'name' => $name,
    'policy_jwt_alg' => JwtAlgorithm::ES256,
    'service_instance_id' => $serviceInstance->getId(),
    'source' => $source,
    'source_id' => (string) $number,
    'webhook_uri_template' => 'https://hook.example.test/?account={account}',
]);
$created = [];
for ($number = 1; $number <= 5; $number++) {
    [$offering, $status] = $appOfferings->createAppOfferingWithHttpInfo($draft($number, "Php $suffix $number"));
    equal('status', $status, 201);
    equal('name', $offering->getName(), "Php $suffix $number");
    equal('source', $offering->getSource(), $source);
    equal('published', $offering->getPublished(), false);
    $created[] = $offering;
}
echo 'created ', count($created), " offerings\n";

$pages = 0;
$found = [];
$cursor = null;
do {
    [$page, , $headers] = $appOfferings->listAppOfferingsWithHttpInfo(
        per_page: 2, source: $source, sort: 'sourceID', search_after: $cursor);
    $pages++;
    $found = array_merge($found, ids($page));
    $cursor = $headers['x-pagination-end-cursor'][0];
} while (str_contains($headers['link'][0] ?? '', 'rel="next"'));
equal('pages', $pages, 3);
equal('ids', $found, ids($created));
echo 'listed ', count($found), " offerings on $pages pages\n";

$third = $created[2];
equal('of this name', ids($appOfferings->listAppOfferings(name: $third->getName())), [$third->getId()]);
$since = '>=' . $created[0]->getUpdatedAt()->format(DateTime::ATOM);
equal('recent', count($appOfferings->listAppOfferings(source: $source, updated_at: $since)), 5);
echo "filtered by name and by time of the last change\n";

$refusal = refused(422, fn () => $appOfferings->createAppOffering($draft(6, '')));
equal('type', $refusal::class, ValidationFailed::class);
equal('message', $refusal->getMessage(), 'Validation Failed');
equal('errors', $refusal->getErrors(), [['name', "Name can't be blank"]]);
echo 'refused an offering without a name: ', json_encode($refusal->getErrors()), "\n";

$id = (string) $third->getId();
[, , $headers] = $appOfferings->getAppOfferingWithHttpInfo($id);
$tag = $headers['etag'][0];
$change = new UpdateAppOffering(['description' => 'Echoes tickets']);
[$updated, , $headers] = $appOfferings->updateAppOfferingWithHttpInfo($id, $change, if_match: $tag);
equal('description', $updated->getDescription(), 'Echoes tickets');
equal('whether the tag is still the same', $headers['etag'][0] === $tag, false);
echo "updated with the tag $tag\n";

$stale = refused(412, fn () => $appOfferings->updateAppOffering($id, $change, if_match: $tag));
equal('type', $stale::class, Message::class);
equal('message', $stale->getMessage(), 'Precondition Failed');
echo "refused the same tag again: {$stale->getMessage()}\n";

[$version, $status] = $appOfferings->publishAppOfferingWithHttpInfo($id);
equal('status', $status, 201);
equal('published and latest', [$version->getPublished(), $version->getLatest()], [true, true]);
equal('reference', $version->getReference(), $third->getReference());
equal('whether the version is the draft', $version->getId() === $third->getId(), false);
echo "published {$version->getReference()}\n";
