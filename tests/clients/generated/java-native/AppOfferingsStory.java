import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.ApiResponse;
import org.openapitools.client.api.AppOfferingsApi;
import org.openapitools.client.api.AppOfferingsApi.*;
import org.openapitools.client.model.*;

/** The story of the app offerings, told with the client that openapi-generator writes in Java. */
public final class AppOfferingsStory {
    private static final String RUN = UUID.randomUUID().toString().substring(0, 8);
    private static final String SOURCE = "java " + RUN;

    private static CreateAppOffering offering(int number) {
        return new CreateAppOffering()
                .name("Story " + RUN + " " + number)
                .policyJwtAlg(JwtAlgorithm.ES256)
                .serviceInstanceId(1L)
                .source(SOURCE)
                .webhookUriTemplate("https://echo.example.org/hook?account={account}");
    }

    private static void expect(Object actual, Object wanted) {
        if (!Objects.equals(actual, wanted)) throw new AssertionError("expected " + wanted + ", got " + actual);
    }

    private interface Call {
        void run() throws ApiException;
    }

    private static ApiException refusal(Call call) {
        try {
            call.run();
        } catch (ApiException error) {
            return error;
        }
        throw new AssertionError("it went well");
    }

    public static void main(String[] arguments) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(System.getenv("BASE"));
        client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + System.getenv("TEST_TOKEN")));
        AppOfferingsApi offerings = new AppOfferingsApi(client);
        ObjectMapper json = client.getObjectMapper();

        List<AppOffering> created = new ArrayList<>();
        for (int number = 1; number <= 5; number++) {
            AppOffering made = offerings.createAppOffering(
                    APICreateAppOfferingRequest.newBuilder().createAppOffering(offering(number)).build());
            expect(made.getName(), "Story " + RUN + " " + number);
            expect(made.getServiceInstance().getId(), 1L);
            created.add(made);
        }
        System.out.println("create: five offerings");

        List<String> names = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        String cursor = null;
        while (true) {
            ApiResponse<List<AppOfferingItem>> page = offerings.listAppOfferingsWithHttpInfo(
                    APIListAppOfferingsRequest.newBuilder().source(SOURCE).sort("name").perPage(2).searchAfter(cursor).build());
            page.getData().forEach(one -> names.add(one.getName()));
            sizes.add(page.getData().size());
            List<String> links = page.getHeaders().getOrDefault("link", List.of());
            if (links.stream().noneMatch(link -> link.contains("rel=\"next\""))) break;
            cursor = page.getHeaders().get("x-pagination-end-cursor").get(0);
        }
        expect(names, created.stream().map(AppOffering::getName).toList());
        expect(sizes, List.of(2, 2, 1));
        System.out.println("list: three pages");

        List<AppOfferingItem> found = offerings.listAppOfferings(APIListAppOfferingsRequest.newBuilder()
                .name("Story " + RUN + " 3").updatedAt(">2026-01-01").build());
        expect(found.stream().map(AppOfferingItem::getId).toList(), List.of(created.get(2).getId()));
        System.out.println("list: filters");

        CreateAppOffering wrong = offering(6).reference(created.get(0).getReference()).serviceInstanceId(999_999_999L);
        ApiException error = refusal(() -> offerings.createAppOffering(
                APICreateAppOfferingRequest.newBuilder().createAppOffering(wrong).build()));
        expect(error.getCode(), 422);
        ValidationFailed refused = json.readValue(error.getResponseBody(), ValidationFailed.class);
        expect(refused.getMessage(), "Validation Failed");
        expect(refused.getErrors(), List.of(
                List.of("reference", "Reference has already been taken"),
                List.of("service_instance", "Service instance must exist")));
        System.out.println("create: refused with the fields by name");

        String id = String.valueOf(created.get(0).getId());
        String tag = offerings.getAppOfferingWithHttpInfo(APIGetAppOfferingRequest.newBuilder().id(id).build())
                .getHeaders().get("etag").get(0);
        AppOffering changed = offerings.updateAppOffering(APIUpdateAppOfferingRequest.newBuilder().id(id).ifMatch(tag)
                .updateAppOffering(new UpdateAppOffering().description("Echoes notes")).build());
        expect(changed.getDescription(), "Echoes notes");
        ApiException stale = refusal(() -> offerings.updateAppOffering(APIUpdateAppOfferingRequest.newBuilder().id(id)
                .ifMatch(tag).updateAppOffering(new UpdateAppOffering().description("Too late")).build()));
        expect(stale.getCode(), 412);
        expect(json.readValue(stale.getResponseBody(), Message.class).getMessage(), "Precondition Failed");
        System.out.println("update: If-Match lets one pass and refuses the stale one");

        AppOffering version = offerings.publishAppOffering(APIPublishAppOfferingRequest.newBuilder().id(id).build());
        expect(version.getPublished(), true);
        expect(version.getReference(), created.get(0).getReference());
        expect(version.getDescription(), "Echoes notes");
        if (version.getId().equals(created.get(0).getId())) throw new AssertionError("the draft itself");
        System.out.println("publish: a version of the same reference");
    }
}
