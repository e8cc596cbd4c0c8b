// The story of the app packages: what an application does, against the server at BASE.
package main

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"apppackages"
)

func main() {
	configuration := apppackages.NewConfiguration()
	configuration.Servers = apppackages.ServerConfigurations{{URL: os.Getenv("BASE") + "/api"}}
	client := apppackages.NewAPIClient(configuration)
	appKey := os.Getenv("TEST_APP_KEY")
	credentials := apppackages.NewAppAuthInfo()
	credentials.SetApplicationId(appKey)
	credentials.SetSharedSecret(os.Getenv("TEST_SHARED_SECRET"))
	ticket, _, err := client.AppAuthticketsAPI.AuthenticateApp(context.Background()).AppAuthInfo(*credentials).Execute()
	check(err)
	fmt.Println("logged in until", ticket.GetAccessTokenExpiration())
	ctx := context.WithValue(context.Background(), apppackages.ContextAccessToken, ticket.GetAccessToken())

	key := fmt.Sprintf("%s.go%s.1.0.0.Release", strings.SplitN(appKey, ".", 2)[0], suffix())
	request := apppackages.NewPackageRequest()
	request.SetAppKey(key)
	create := client.ApppackagesAPI.CreateAppPackage(ctx).PackageRequest(*request)
	created, _, err := create.Execute()
	check(err)
	equal("key", created.GetAppKey(), key)
	equal("major version", created.GetMajorVersion(), int32(1))
	fmt.Println("created the package", key)

	_, response, err := create.Execute()
	equal("status", response.StatusCode, http.StatusConflict)
	var refused *apppackages.GenericOpenAPIError
	if !errors.As(err, &refused) {
		panic(err)
	}
	refusal := refused.Model().(apppackages.AppDevError)
	equal("error code", refusal.ErrorCode, "ITEM_ALREADY_EXISTS")
	fmt.Println("refused the same key again:", refusal.ErrorCode)

	const path, content = "assets/theme.css", "body { color: teal }\n"
	file, err := os.CreateTemp("", "theme")
	check(err)
	defer os.Remove(file.Name())
	_, err = file.WriteString(content)
	check(err)
	_, err = file.Seek(0, 0)
	check(err)
	_, _, err = client.PackageFilesAPI.UpsertPackageFile(ctx, key, path).Body(file).Execute()
	check(err)
	metadata, _, err := client.PackageFilesAPI.GetPackageFileMetadata(ctx, key, path).Execute()
	check(err)
	equal("path", metadata.GetPath(), path)
	equal("size", metadata.GetSizeInBytes(), int64(len(content)))
	equal("checksum", metadata.GetCheckSum(), fmt.Sprintf("%x", md5.Sum([]byte(content))))
	fmt.Printf("uploaded %s, %d bytes\n", path, len(content))

	list, _, err := client.ApppackagesAPI.ListPackages(ctx, key).Execute()
	check(err)
	equal("packages", list.GetTotalCount(), int32(1))
	equal("id", list.Items[0].GetId(), created.GetId())
	fmt.Println("listed the packages of the version")
}
