import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.AppAuthticketsApi;
import org.openapitools.client.api.AppAuthticketsApi.*;
import org.openapitools.client.api.ApppackagesApi;
import org.openapitools.client.api.ApppackagesApi.*;
import org.openapitools.client.api.PackageFilesApi;
import org.openapitools.client.api.PackageFilesApi.*;
import org.openapitools.client.model.*;

/** The story of the app packages, told with the client that openapi-generator writes in Java. */
public final class AppPackagesStory {
    private static void expect(Object actual, Object wanted) {
        if (!Objects.equals(actual, wanted)) throw new AssertionError("expected " + wanted + ", got " + actual);
    }

    /** Of a body that is a file the client sends what its mapper makes of it, which would be its path as JSON (README.md). */
    private static final class Bytes extends JsonSerializer<File> {
        @Override
        public void serialize(File file, JsonGenerator json, SerializerProvider provider) throws IOException {
            Files.copy(file.toPath(), (OutputStream) json.getOutputTarget());
        }
    }

    public static void main(String[] arguments) throws Exception {
        String application = System.getenv("TEST_APP_KEY");
        String key = application.split("\\.")[0] + ".story-" + UUID.randomUUID().toString().substring(0, 8) + ".1.0.0.Release";
        byte[] bytes = "Grüße, not parsed: {\"\n".getBytes(StandardCharsets.UTF_8);

        ApiClient client = new ApiClient();
        ObjectMapper mapper = client.getObjectMapper();
        mapper.registerModule(new SimpleModule().addSerializer(File.class, new Bytes()));
        client.setObjectMapper(mapper);
        client.updateBaseUri(System.getenv("BASE") + "/api");
        AuthTicket ticket = new AppAuthticketsApi(client).authenticateApp(APIAuthenticateAppRequest.newBuilder()
                .appAuthInfo(new AppAuthInfo().applicationId(application).sharedSecret(System.getenv("TEST_SHARED_SECRET")))
                .build());
        expect(ticket.getAccessToken().split("\\.").length, 3);
        client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + ticket.getAccessToken()));
        ApppackagesApi packages = new ApppackagesApi(client);
        PackageFilesApi files = new PackageFilesApi(client);
        System.out.println("log in: key and secret give a ticket");

        APICreateAppPackageRequest create = APICreateAppPackageRequest.newBuilder()
                .packageRequest(new PackageRequest().appKey(key)).build();
        AppDevPackage made = packages.createAppPackage(create);
        expect(made.getAppKey(), key);
        expect(made.getIsReleasePackage(), true);
        try {
            packages.createAppPackage(create);
            throw new AssertionError("a package was created twice");
        } catch (ApiException error) {
            expect(error.getCode(), 409);
            AppDevError refused = client.getObjectMapper().readValue(error.getResponseBody(), AppDevError.class);
            expect(refused.getErrorCode(), "ITEM_ALREADY_EXISTS");
        }
        System.out.println("create: a package, once");

        Path source = Files.createTempFile("story", ".bin");
        Files.write(source, bytes);
        FileMetadata stored = files.upsertPackageFile(APIUpsertPackageFileRequest.newBuilder()
                .applicationKey(key).filepath("assets/story.bin").body(source.toFile()).build());
        Files.delete(source);
        expect(stored.getPath(), "assets/story.bin");
        System.out.println("upload: the bytes of a file");

        FileMetadata found = files.getPackageFileMetadata(APIGetPackageFileMetadataRequest.newBuilder()
                .applicationKey(key).filepath("assets/story.bin").build());
        byte[] digest = MessageDigest.getInstance("MD5").digest(bytes);
        expect(found.getCheckSum(), String.format("%032x", new BigInteger(1, digest)));
        expect(found.getSizeInBytes(), (long) bytes.length);
        System.out.println("metadata: checksum and size of what was uploaded");

        PackageCollection listed = packages.listPackages(APIListPackagesRequest.newBuilder().applicationKey(key).build());
        expect(listed.getItems().stream().map(AppDevPackage::getPackageName).toList(), List.of("Release"));
        PackageListing page = packages.listAllPackages(APIListAllPackagesRequest.newBuilder().pageSize(1).build());
        expect(page.getItems().size(), 1);
        if (page.getTotalCount() < 2) throw new AssertionError("only " + page.getTotalCount());
        System.out.println("list: the package is there");
    }
}
