// The story of the app offerings: what a publisher does, against the server at BASE.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"appofferings"
)

func main() {
	suffix := suffix()
	configuration := appofferings.NewConfiguration()
	configuration.Servers = appofferings.ServerConfigurations{{URL: os.Getenv("BASE")}}
	client := appofferings.NewAPIClient(configuration)
	ctx := context.WithValue(context.Background(), appofferings.ContextAccessToken, os.Getenv("TEST_TOKEN"))
	source := "go " + suffix

	instances, _, err := client.ServiceInstancesAPI.ListServiceInstances(ctx).Execute()
	check(err)
	draft := func(number int) appofferings.CreateAppOffering {
		offering := appofferings.NewCreateAppOffering(
			fmt.Sprintf("Go %s %d", suffix, number), "es256", instances[0].Id,
			"https://hook.example.test/?account={account}")
		offering.SetSource(source)
		offering.SetSourceID(fmt.Sprint(number))
		return *offering
	}

	var created []*appofferings.AppOffering
	var ids []int64
	for number := 1; number <= 5; number++ {
		offering, response, err := client.AppOfferingsAPI.CreateAppOffering(ctx).CreateAppOffering(draft(number)).Execute()
		check(err)
		equal("status", response.StatusCode, http.StatusCreated)
		equal("name", offering.Name, fmt.Sprintf("Go %s %d", suffix, number))
		equal("source", offering.Source, source)
		equal("published", offering.Published, false)
		created, ids = append(created, offering), append(ids, offering.Id)
	}
	fmt.Printf("created %d offerings\n", len(created))

	var found []int64
	pages := 0
	list := client.AppOfferingsAPI.ListAppOfferings(ctx).PerPage(2).Source(source).Sort("sourceID")
	for more := true; more; {
		page, response, err := list.Execute()
		check(err)
		pages++
		for _, offering := range page {
			found = append(found, offering.Id)
		}
		more = strings.Contains(response.Header.Get("Link"), `rel="next"`)
		list = list.SearchAfter(response.Header.Get("X-Pagination-End-Cursor"))
	}
	equal("pages", pages, 3)
	equal("ids", found, ids)
	fmt.Printf("listed %d offerings on %d pages\n", len(found), pages)

	third := created[2]
	named, _, err := client.AppOfferingsAPI.ListAppOfferings(ctx).Name(third.Name).Execute()
	check(err)
	equal("offerings of this name", len(named), 1)
	equal("id", named[0].Id, third.Id)
	since := ">=" + created[0].UpdatedAt.Format(time.RFC3339)
	recent, _, err := client.AppOfferingsAPI.ListAppOfferings(ctx).Source(source).UpdatedAt(since).Execute()
	check(err)
	equal("recent offerings", len(recent), 5)
	fmt.Println("filtered by name and by time of the last change")

	nameless := draft(6)
	nameless.Name = ""
	_, response, err := client.AppOfferingsAPI.CreateAppOffering(ctx).CreateAppOffering(nameless).Execute()
	equal("status", response.StatusCode, http.StatusUnprocessableEntity)
	var refused *appofferings.GenericOpenAPIError
	if !errors.As(err, &refused) {
		panic(err)
	}
	refusal := refused.Model().(appofferings.ValidationFailed)
	equal("message", refusal.Message, "Validation Failed")
	equal("errors", refusal.Errors, [][]string{{"name", "Name can't be blank"}})
	fmt.Println("refused an offering without a name:", refusal.Errors)

	id := fmt.Sprint(third.Id)
	_, response, err = client.AppOfferingsAPI.GetAppOffering(ctx, id).Execute()
	check(err)
	tag := response.Header.Get("ETag")
	change := appofferings.NewUpdateAppOffering()
	change.SetDescription("Echoes tickets")
	update := client.AppOfferingsAPI.UpdateAppOffering(ctx, id).IfMatch(tag).UpdateAppOffering(*change)
	updated, response, err := update.Execute()
	check(err)
	equal("description", updated.GetDescription(), "Echoes tickets")
	if response.Header.Get("ETag") == tag {
		panic("the tag is still the same")
	}
	fmt.Println("updated with the tag", tag)

	_, response, err = update.Execute()
	equal("status", response.StatusCode, http.StatusPreconditionFailed)
	if !errors.As(err, &refused) {
		panic(err)
	}
	stale := refused.Model().(appofferings.Message)
	equal("message", stale.Message, "Precondition Failed")
	fmt.Println("refused the same tag again:", stale.Message)

	version, response, err := client.AppOfferingsAPI.PublishAppOffering(ctx, id).Execute()
	check(err)
	equal("status", response.StatusCode, http.StatusCreated)
	equal("published", version.Published, true)
	equal("latest", version.Latest, true)
	equal("reference", version.Reference, third.Reference)
	if version.Id == third.Id {
		panic("the version is the draft")
	}
	fmt.Println("published", version.Reference)
}
