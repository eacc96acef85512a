using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Edge.Hub;
using Mooring.Edge.Hub.Enrolment;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Hub;

/// <summary>How agents get their certificates, and which certificates are taken.</summary>
public sealed class EnrolmentTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-hub").FullName;
    private readonly HttpClient _anybody = new(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } });

    [Fact]
    public async Task MachineThatAsksForItsCertificate_MustBeClaimed()
    {
        var hub = await StartAsync();
        var id = await AskForIdAsync(hub);
        using var key = RSA.Create(2048);
        var (status, answer) = await EnrolAsync(hub, Request(id, key));
        Assert.Equal(200, status);
        var tls = Files(answer.GetProperty("data").GetProperty("certificate").GetString()!, key.ExportPkcs8PrivateKeyPem(), await AuthorityAsync(hub));
        var agent = Own(hub.StartAgent(id, tls));
        await agent.LineAsync("heartbeat_ack", TestTimeout);
        Assert.Equal(HttpStatusCode.Conflict, (await hub.GetAsync($"/api/orchestrators/{id}/serial-devices", TestTimeout)).Status);
        Assert.Equal(HttpStatusCode.OK, (await hub.SendAsync(HttpMethod.Post, $"/api/orchestrators/{id}/claim", null, TestTimeout)).Status);
        Assert.Equal(HttpStatusCode.OK, (await hub.GetAsync($"/api/orchestrators/{id}/serial-devices", TestTimeout)).Status);
    }

    [Fact]
    public async Task RequestsThatAreNotGood_AreRefused()
    {
        var hub = await StartAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var weak = RSA.Create(1024);
        var id = await AskForIdAsync(hub);
        Assert.Equal(400, (await EnrolAsync(hub, "nonsense")).Status);
        Assert.Equal(400, (await EnrolAsync(hub, Request(id, weak))).Status);
        Assert.Equal(404, (await EnrolAsync(hub, Request("00000000x", key))).Status);
        Assert.Equal(200, (await EnrolAsync(hub, Request(id, key))).Status);
        Assert.Equal(409, (await EnrolAsync(hub, Request(id, key))).Status);
        using var noForm = await _anybody.PostAsync($"https://127.0.0.1:{hub.Agents.Port}/orchestrators/enroll", new StringContent("x"), TestTimeout);
        Assert.Equal(HttpStatusCode.BadRequest, noForm.StatusCode);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task Id_IsGoodForFiveMinutes_WhateverTheClockIsSetTo(int days)
    {
        var clock = new TestClock(TimeProvider.System.GetUtcNow());
        var hub = await StartAsync(clock);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (first, second) = (await AskForIdAsync(hub), await AskForIdAsync(hub));
        clock.Set(TimeSpan.FromDays(days));
        clock.Advance(TimeSpan.FromSeconds(299));
        Assert.Equal(200, (await EnrolAsync(hub, Request(first, key))).Status);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(410, (await EnrolAsync(hub, Request(second, key))).Status);
    }

    [Fact]
    public async Task AddressThatAsksForTooManyIds_IsPutOff_UntilTheyHaveExpired()
    {
        var clock = new TestClock(TimeProvider.System.GetUtcNow());
        var hub = Own(await HubUnderTest.StartAsync(Log, _folder, options => options with { Limits = new HubLimits { PendingIdsPerAddressMax = 2 } }, clock));
        for (var i = 0; i < 2; i++) await AskForIdAsync(hub);
        using var refused = await _anybody.GetAsync($"https://127.0.0.1:{hub.Agents.Port}/orchestrators/id", TestTimeout);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Contains("try again in five minutes", await refused.Content.ReadAsStringAsync(TestTimeout));
        clock.Advance(TimeSpan.FromMinutes(5));
        await AskForIdAsync(hub);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(364, true)]
    [InlineData(366, false)]
    [InlineData(-2, false)]
    public void CertificateOutOfItsTime_IsNotGood(int days, bool isGood)
    {
        var clock = new TestClock(TimeProvider.System.GetUtcNow());
        using var authority = AgentAuthority.LoadOrCreate(new HubOptions { Folder = _folder }, clock);
        using var certificate = authority.Issue("a1").Certificate;
        clock.Set(TimeSpan.FromDays(days));
        Assert.Equal(isGood, authority.Verify(certificate, out var why));
        Assert.Equal(isGood, why.Length == 0);
    }

    [Theory]
    [InlineData(29, HttpStatusCode.OK)]
    [InlineData(31, HttpStatusCode.Forbidden)]
    public async Task CertificateOfTheAgentsOwn_IsTakenInItsTimeOnly(int days, HttpStatusCode status)
    {
        var clock = new TestClock(TimeProvider.System.GetUtcNow());
        var hub = await StartAsync(clock);
        using var own = SelfSigned("07048933");
        var json = new JsonObject { ["agent_id"] = "07048933", ["certificate"] = own.ExportCertificatePem() }.ToJsonString();
        Assert.Equal(HttpStatusCode.OK, (await hub.SendAsync(HttpMethod.Post, "/agent/certificate", json, TestTimeout)).Status);
        clock.Set(TimeSpan.FromDays(days));
        Assert.Equal(status, await HandshakeAsync(hub, own));
    }

    [Fact]
    public async Task Certificates_AreJudgedAtTheFirstRequest()
    {
        var hub = await StartAsync();
        var good = await hub.EnrolAsync("a1", TestTimeout);
        Assert.Equal(HttpStatusCode.OK, await HandshakeAsync(hub, X509Certificate2.CreateFromPemFile(good["cert"]!.GetValue<string>(), good["key"]!.GetValue<string>())));
        Assert.Equal(HttpStatusCode.Unauthorized, await HandshakeAsync(hub, null));
        Assert.Equal(HttpStatusCode.Forbidden, await HandshakeAsync(hub, SelfSigned("a1")));
        Assert.Equal(HttpStatusCode.Forbidden, await HandshakeAsync(hub, SelfSigned("stranger")));
    }

    [Fact]
    public async Task CertificateOfTheAgentsOwn_IsTakenWhenItIsKnown()
    {
        var hub = await StartAsync();
        using var own = SelfSigned("07048933");
        var json = new JsonObject { ["agent_id"] = "07048933", ["certificate"] = own.ExportCertificatePem() }.ToJsonString();
        Assert.Equal(HttpStatusCode.OK, (await hub.SendAsync(HttpMethod.Post, "/agent/certificate", json, TestTimeout)).Status);
        Assert.Equal(HttpStatusCode.OK, await HandshakeAsync(hub, own));
        Assert.Equal(HttpStatusCode.Forbidden, await HandshakeAsync(hub, SelfSigned("07048933")));
        json = new JsonObject { ["agent_id"] = "other", ["certificate"] = own.ExportCertificatePem() }.ToJsonString();
        Assert.Equal(HttpStatusCode.BadRequest, (await hub.SendAsync(HttpMethod.Post, "/agent/certificate", json, TestTimeout)).Status);
    }

    [Fact]
    public async Task CommandLine_EnrolsAndRevokesWhileTheHubRuns()
    {
        var hub = await StartAsync();
        var files = Path.Combine(_folder, "agent");
        Assert.NotNull(await HubCommands.EnrolAsync(hub.Options, "plant-7", "Plant 7", files, mustBeKnown: false, TestTimeout));
        Assert.Null(await HubCommands.EnrolAsync(hub.Options, "unknown", null, files, mustBeKnown: true, TestTimeout));
        var agent = Own(hub.StartAgent("plant-7", new JsonObject
        {
            ["cert"] = Path.Combine(files, "client.crt"), ["key"] = Path.Combine(files, "client.key"), ["ca"] = Path.Combine(files, "ca.crt"),
        }));
        await agent.LineAsync("heartbeat_ack", TestTimeout);
        Assert.True(await HubCommands.RevokeAsync(hub.Options, "plant-7", TestTimeout));
        Assert.False(await HubCommands.RevokeAsync(hub.Options, "plant-7", TestTimeout));
        await agent.LineAsync("\"disconnect\"", TestTimeout);
        Assert.Contains("plant-7\tPlant 7\trevoked", Assert.Single(await HubCommands.ListAsync(hub.Options, TestTimeout)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-x")]
    [InlineData("a b")]
    [InlineData("../x")]
    public async Task IdThatCannotBeOne_IsRefused(string id)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => HubCommands.EnrolAsync(new HubOptions { Folder = _folder }, id, null, _folder, false, TestTimeout));
    }

    public override ValueTask DisposeAsync()
    {
        _anybody.Dispose();
        return base.DisposeAsync();
    }

    private static string Request(string id, RSA key) =>
        new CertificateRequest($"C=BR, O=AutonomyLogic, CN={id}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequestPem();

    private static string Request(string id, ECDsa key) => new CertificateRequest($"CN={id}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();

    private static X509Certificate2 SelfSigned(string id)
    {
        using var key = RSA.Create(2048);
        var now = TimeProvider.System.GetUtcNow();
        var request = new CertificateRequest($"CN={id}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }

    private static JsonObject Files(string certificate, string key, string authority)
    {
        var folder = Directory.CreateTempSubdirectory("mooring-agent").FullName;
        File.WriteAllText(Path.Combine(folder, "cert"), certificate);
        File.WriteAllText(Path.Combine(folder, "key"), key);
        File.WriteAllText(Path.Combine(folder, "ca"), authority);
        return new JsonObject { ["cert"] = Path.Combine(folder, "cert"), ["key"] = Path.Combine(folder, "key"), ["ca"] = Path.Combine(folder, "ca") };
    }

    private static Task<string> AuthorityAsync(HubUnderTest hub) => File.ReadAllTextAsync(hub.Hub.Authority.AuthorityPath);

    private async Task<string> AskForIdAsync(HubUnderTest hub)
    {
        var answer = await _anybody.GetStringAsync($"https://127.0.0.1:{hub.Agents.Port}/orchestrators/id", TestTimeout);
        return JsonDocument.Parse(answer).RootElement.GetProperty("data").GetProperty("id").GetString()!;
    }

    private async Task<(int Status, JsonElement Answer)> EnrolAsync(HubUnderTest hub, string request)
    {
        using var form = new MultipartFormDataContent { { new StringContent(request), "csr", "agent.csr" } };
        using var response = await _anybody.PostAsync($"https://127.0.0.1:{hub.Agents.Port}/orchestrators/enroll", form, TestTimeout);
        return ((int)response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestTimeout)).RootElement);
    }

    private async Task<HttpStatusCode> HandshakeAsync(HubUnderTest hub, X509Certificate2? certificate)
    {
        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } };
        if (certificate is not null)
        {
            handler.SslOptions.ClientCertificates = [certificate];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }
        using var http = new HttpClient(handler);
        using var response = await http.GetAsync($"https://127.0.0.1:{hub.Agents.Port}/socket.io/?EIO=4&transport=polling", TestTimeout);
        return response.StatusCode;
    }

    private async Task<HubUnderTest> StartAsync(TimeProvider? time = null) => Own(await HubUnderTest.StartAsync(Log, _folder, time: time));
}
