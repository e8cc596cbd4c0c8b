<?php
// The story of the app packages: what an application does, against the server at BASE.
declare(strict_types=1);

require __DIR__ . '/client.php';

use AppPackages\Api\AppAuthticketsApi;
use AppPackages\Api\ApppackagesApi;
use AppPackages\Api\PackageFilesApi;
use AppPackages\ApiException;
use AppPackages\Configuration;
use AppPackages\Model\AppDevError;
use AppPackages\Model\PackageRequest;

$configuration = Configuration::getDefaultConfiguration()->setHost(getenv('BASE') . '/api');
$http = new GuzzleHttp\Client();
$appKey = getenv('TEST_APP_KEY');
$ticket = (new AppAuthticketsApi($http, $configuration))->authenticateAppOauth(
    client_id: $appKey, client_secret: getenv('TEST_SHARED_SECRET'));
equal('type of the token', $ticket->getTokenType(), 'bearer');
$configuration->setAccessToken($ticket->getAccessToken());
echo "logged in for {$ticket->getExpiresIn()} s\n";

$packages = new ApppackagesApi($http, $configuration);
$key = explode('.', $appKey)[0] . '.php' . bin2hex(random_bytes(4)) . '.1.0.0.Release';
$request = new PackageRequest(['app_key' => $key]);
$created = $packages->createAppPackage($request);
equal('key', $created->getAppKey(), $key);
equal('major version', $created->getMajorVersion(), 1);
echo "created the package $key\n";

try {
    $packages->createAppPackage($request);
    throw new Exception('created twice');
} catch (ApiException $refusal) {
    equal('status', $refusal->getCode(), 409);
    $error = $refusal->getResponseObject();
    equal('type', $error::class, AppDevError::class);
    equal('error code', $error->getErrorCode(), 'ITEM_ALREADY_EXISTS');
    echo "refused the same key again: {$error->getErrorCode()}\n";
}

$path = 'assets/theme.css';
$bytes = "body { color: teal }\n";
$file = tempnam(sys_get_temp_dir(), 'theme');
file_put_contents($file, $bytes);
$files = new PackageFilesApi($http, $configuration);
$files->upsertPackageFile($key, $path, body: new SplFileObject($file));
unlink($file);
$metadata = $files->getPackageFileMetadata($key, $path);
equal('path', $metadata->getPath(), $path);
equal('size', $metadata->getSizeInBytes(), strlen($bytes));
equal('checksum', $metadata->getCheckSum(), md5($bytes));
echo "uploaded $path, ", strlen($bytes), " bytes\n";

$list = $packages->listPackages($key);
equal('packages', $list->getTotalCount(), 1);
equal('id', $list->getItems()[0]->getId(), $created->getId());
echo "listed the packages of the version\n";
