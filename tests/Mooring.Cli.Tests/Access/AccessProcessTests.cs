using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Mooring.Cli.Access;
using Mooring.Cli.Tests.Configuration;
using Mooring.Kernel.Tls;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Access;

/// <summary>Logging in at the real program.</summary>
public sealed class AccessProcessTests : MooringTest
{
    private const string Password = "correct horse battery";
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-up-access-").FullName;
    private readonly HttpClient _http = UpRun.Client();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private async Task<UpRun> UpAsync(params string[] more) =>
        Own(await UpRun.StartAsync(_folder, TestTimeout, ["--in-memory", "--without=chat", "--without=tunnel", .. more]));

    private async Task<IReadOnlyList<string>> UserAsync(int expected, string? password, params string[] arguments)
    {
        await using var user = ProcessUnderTest.Start(UpRun.Program, ["user", .. arguments, "--data", _folder]);
        if (password is not null) await user.Input.WriteLineAsync(password);
        user.Input.Close();
        Assert.Equal(expected, await user.ExitAsync(TestTimeout));
        return user.Lines;
    }

    private async Task<HttpResponseMessage> SendAsync(UpRun up, string method, string path, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), up.Console + path);
        foreach (var (name, value) in fields) request.Headers.TryAddWithoutValidation(name, value);
        return await _http.SendAsync(request, TestTimeout);
    }

    private async Task<HttpStatusCode> StatusAsync(UpRun up, string method, string path, params (string Name, string Value)[] fields)
    {
        using var response = await SendAsync(up, method, path, fields);
        return response.StatusCode;
    }

    private async Task<(HttpStatusCode Status, string Cookie)> LogInAsync(UpRun up, string name, string password)
    {
        using var response = await _http.PostAsJsonAsync(up.Console + "/api/login", new Dictionary<string, string> { ["name"] = name, ["password"] = password }, TestTimeout);
        if (!response.Headers.TryGetValues("Set-Cookie", out var cookies)) return (response.StatusCode, "");
        var cookie = cookies.Single();
        foreach (var attribute in new[] { "httponly", "samesite=strict", "path=/", "max-age=" }) Assert.Contains(attribute, cookie, StringComparison.OrdinalIgnoreCase);
        return (response.StatusCode, cookie.Split(';')[0]);
    }

    [Fact]
    public async Task Loopback_IsOpen_ButNotForOtherSitesPages_NorThroughAProxy()
    {
        var up = await UpAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(up, "GET", "/api/fleet"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(up, "GET", "/api/orchestrators"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(up, "GET", "/api/fleet", ("Origin", up.Console), ("Sec-Fetch-Site", "same-origin")));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(up, "GET", "/api/fleet", ("Host", "evil.example")));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(up, "GET", "/health/live", ("Host", "evil.example")));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(up, "POST", "/api/fleet/cars/car_1/commands", ("Origin", "http://evil.example")));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(up, "GET", "/api/fleet", ("Sec-Fetch-Site", "cross-site")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(up, "GET", "/api/fleet", ("X-Forwarded-For", "192.0.2.1")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(up, "GET", "/api/orchestrators", ("Authorization", "Bearer mhub_wrong")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(up, "GET", "/api/fleet", ("Authorization", "Bearer mop_wrong")));
    }

    [Fact]
    public async Task WithLogIn_RolesAreEnforced_AndTheAuditLogTells()
    {
        await UserAsync(0, Password, "add", "anna", "--role", "admin");
        await UserAsync(0, Password, "add", "vic");
        await UserAsync(0, null, "add", "ci", "--role", "operator", "--no-password");
        var token = Assert.Single(await UserAsync(0, null, "token", "ci", "--days", "1"));
        var up = await UpAsync("--http-login");
        Assert.Contains(up.Process.Lines, line => line.Contains("mooring user add", StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(up, "GET", "/health/ready"));
        foreach (var path in new[] { "/metrics", "/api/fleet", "/api/orchestrators", "/api/me", "/api/audit", "/api/openapi.json" })
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(up, "GET", path));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(up, "POST", "/api/fleet/cars/car_1/commands"));
        using (var page = await SendAsync(up, "GET", "/cars?x=1", ("Accept", "text/html")))
        {
            Assert.Equal(HttpStatusCode.Redirect, page.StatusCode);
            Assert.Equal("/login?next=%2Fcars%3Fx%3D1", page.Headers.Location!.OriginalString);
        }

        var bearer = ("Authorization", "Bearer " + token);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(up, "GET", "/api/fleet", bearer));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(up, "GET", "/api/orchestrators", bearer));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(up, "GET", "/api/audit", bearer));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(up, "POST", "/api/orchestrators/x/claim", bearer));

        var (status, viewer) = await LogInAsync(up, "vic", Password);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(up, "GET", "/api/fleet", ("Cookie", viewer)));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(up, "POST", "/api/fleet/cars/car_1/commands", ("Cookie", viewer), ("Origin", up.Console)));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(up, "POST", "/api/logout", ("Cookie", viewer)));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(up, "POST", "/api/logout", ("Cookie", viewer), ("Origin", "http://evil.example")));
        Assert.Equal(HttpStatusCode.NoContent, await StatusAsync(up, "POST", "/api/logout", ("Cookie", viewer), ("Origin", up.Console)));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(up, "GET", "/api/fleet", ("Cookie", viewer)));
        Assert.Equal(HttpStatusCode.Unauthorized, (await LogInAsync(up, "vic", "wrong")).Status);

        await AuditTellsAsync(up, (await LogInAsync(up, "anna", Password)).Cookie);
        // A removed account is out at once, though the server runs.
        await UserAsync(0, null, "remove", "ci");
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(up, "GET", "/api/fleet", bearer));
        Assert.Equal(0, await up.StopAsync(TestTimeout));
        Assert.DoesNotContain(up.Process.Lines, line => line.Contains(token, StringComparison.Ordinal) || line.Contains(Password, StringComparison.Ordinal));
    }

    private async Task AuditTellsAsync(UpRun up, string admin)
    {
        List<string> entries = [];
        // The log is written behind the answer.
        while (!entries.Contains("anna:log in:done"))
        {
            using var response = await SendAsync(up, "GET", "/api/audit?limit=1000", ("Cookie", admin));
            using var page = JsonDocument.Parse(await response.Content.ReadAsStreamAsync(TestTimeout));
            entries = [.. page.RootElement.GetProperty("entries").EnumerateArray().Select(e => $"{e.GetProperty("who").GetString()}:{e.GetProperty("action").GetString()}:{e.GetProperty("outcome").GetString()}")];
        }
        Assert.Contains($"{Environment.UserName}:user add anna:done", entries);
        Assert.Contains("?:POST /api/fleet/cars/car_1/commands:401", entries);
        Assert.Contains("ci:POST /api/orchestrators/x/claim:403", entries);
        Assert.Contains("vic:POST /api/fleet/cars/car_1/commands:403", entries);
        Assert.Contains("vic:POST /api/logout:204", entries);
        Assert.Contains("vic:log in:refused", entries);
    }

    [Fact]
    public async Task TheTableOfRoles_NamesPathsThatExist()
    {
        var up = await UpAsync();
        using var description = JsonDocument.Parse(await _http.GetStringAsync(new Uri(up.Console + "/api/openapi.json"), TestTimeout));
        var paths = description.RootElement.GetProperty("paths").EnumerateObject().Select(path => path.Name).ToList();
        foreach (var row in AccessPolicy.Paths.Where(row => row.StartsWith("/api/", StringComparison.Ordinal) || row.StartsWith("/agent/", StringComparison.Ordinal)))
            Assert.True(paths.Any(path => AccessPolicy.IsMeantBy(row, path)), $"no endpoint is {row}:\n{string.Join('\n', paths)}");
    }

    [Fact]
    public async Task HubTokens_GoOn_OnPathsOfTheHubOnly()
    {
        await using var make = ProcessUnderTest.Start(UpRun.Program, ["hub", "token", "anna", "--role", "Viewer", "--data", _folder]);
        Assert.Equal(0, await make.ExitAsync(TestTimeout));
        var bearer = ("Authorization", "Bearer " + Assert.Single(make.Lines));
        var up = await UpAsync("--http-login");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(up, "GET", "/api/orchestrators", bearer));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(up, "POST", "/api/orchestrators/x/claim", bearer));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(up, "GET", "/api/fleet", bearer));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(up, "GET", "/api/users", bearer));
    }

    [Fact]
    public async Task ListenersOfOthers_ServeNothingThatOperatorsSee_AndForeignPagesAreSandboxed()
    {
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--in-memory", "--without=chat"));
        var tunnel = $"http://127.0.0.1:{up.PortOf("tunnel")}";
        foreach (var path in new[] { "/", "/metrics", "/api/fleet", "/api/users", "/api/orchestrators", "/admin/v1/accounts", "/api/openapi.json", "/login" })
        {
            using var answer = await _http.GetAsync(new Uri(tunnel + path), TestTimeout);
            Assert.Equal((path, HttpStatusCode.NotFound), (path, answer.StatusCode));
        }
        using var proxied = await SendAsync(up, "GET", "/api/orchestrators/x/devices/y/proxy/index.html");
        Assert.Equal("sandbox", proxied.Headers.GetValues("Content-Security-Policy").Single());
    }

    [Fact]
    public async Task TheForm_WorksWithoutAScript_AndGoesWhereItWasAsked()
    {
        await UserAsync(0, Password, "add", "anna");
        var up = await UpAsync("--http-login");
        var page = await _http.GetStringAsync(new Uri(up.Console + "/login?next=%2Fcars%22%3E%3Cscript%3E"), TestTimeout);
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("value=\"/cars&quot;&gt;", page, StringComparison.Ordinal);
        using var good = await _http.PostAsync(new Uri(up.Console + "/api/login"), Form("anna", Password, "/cars"), TestTimeout);
        Assert.Equal((HttpStatusCode.SeeOther, "/cars"), (good.StatusCode, good.Headers.Location!.OriginalString));
        using var bad = await _http.PostAsync(new Uri(up.Console + "/api/login"), Form("anna", "nonsense", "//evil.example"), TestTimeout);
        Assert.Equal((HttpStatusCode.SeeOther, "/login?failed=1&next=%2F"), (bad.StatusCode, bad.Headers.Location!.OriginalString));
    }

    private static FormUrlEncodedContent Form(string name, string password, string next) =>
        new(new Dictionary<string, string> { ["name"] = name, ["password"] = password, ["next"] = next });

    [Fact]
    public async Task Guessing_IsStopped_AlsoForTheRightPassword_AndForAccountsThatDoNotExist()
    {
        await UserAsync(0, Password, "add", "anna");
        var up = await UpAsync("--http-login");
        var attempts = await Task.WhenAll(Enumerable.Range(0, 14).Select(_ => LogInAsync(up, "anna", "guess")));
        Assert.Contains(attempts, attempt => attempt.Status == HttpStatusCode.TooManyRequests);
        // Two are verified at a time: the tenth and the eleventh may be.
        Assert.InRange(attempts.Count(attempt => attempt.Status == HttpStatusCode.Unauthorized), 10, 11);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await LogInAsync(up, "anna", Password)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await LogInAsync(up, "nobody", "guess")).Status);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"name\":1}")]
    [InlineData("{\"name\":\"a\",\"other\":1}")]
    public async Task LogInWithAnotherBody_Is400(string body)
    {
        var up = await UpAsync("--http-login");
        using var content = new StringContent(body, MediaTypeHeaderValue.Parse("application/json"));
        using var response = await _http.PostAsync(new Uri(up.Console + "/api/login"), content, TestTimeout);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task OverTls_TheCookieIsSecure()
    {
        await UserAsync(0, Password, "add", "anna");
        using var authority = DevelopmentAuthority.LoadOrCreate(Path.Combine(_folder, "own-ca"), TimeProvider.System);
        var files = authority.Server();
        var up = await UpAsync("--http-login", "--http-cert", files.Certificate!, "--http-key", files.Key!);
        Assert.StartsWith("https://", up.Console, StringComparison.Ordinal);
        using var handler = new HttpClientHandler { UseCookies = false, ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var https = new HttpClient(handler);
        using var response = await https.PostAsJsonAsync(up.Console + "/api/login", new Dictionary<string, string> { ["name"] = "anna", ["password"] = Password }, TestTimeout);
        Assert.Contains("; secure", response.Headers.GetValues("Set-Cookie").Single(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task BeyondLoopbackWithoutTls_IsRefusedUnlessAskedFor()
    {
        await using var refused = ProcessUnderTest.Start(UpRun.Program, ["config", "check", "--http-bind", "*", "--data", _folder], folder: _folder);
        Assert.Equal(1, await refused.ExitAsync(TestTimeout));
        Assert.Contains("give --http-cert and --http-key, or --http-plain", Assert.Single(refused.Lines), StringComparison.Ordinal);
        await using var plain = ProcessUnderTest.Start(UpRun.Program, ["config", "check", "--http-bind", "*", "--http-plain", "--data", _folder], folder: _folder);
        Assert.Equal(0, await plain.ExitAsync(TestTimeout));
    }

    [Fact]
    public async Task User_TellsMistakesInOneLine()
    {
        Assert.Equal(["mooring: a password has at least 10 characters"], await UserAsync(1, "short", "add", "anna"));
        Assert.StartsWith("mooring: 'a b' cannot be a name: ", Assert.Single(await UserAsync(1, Password, "add", "a b")), StringComparison.Ordinal);
        Assert.Equal(["mooring: there is no account 'bob'"], await UserAsync(1, Password, "passwd", "bob"));
        Assert.Equal(["mooring: there is no account 'bob'"], await UserAsync(1, null, "role", "bob", "admin"));
        Assert.Equal(["mooring: there is no account 'bob'"], await UserAsync(1, null, "remove", "bob"));
        await UserAsync(0, Password, "add", "anna", "--role", "operator");
        Assert.Equal(["anna\toperator\tpassword\t"], await UserAsync(0, null, "list"));
    }
}
