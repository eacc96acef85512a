using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mooring.Tunnel.Client;

/// <summary>The REST API of a tunnel server.</summary>
public sealed class TunnelApi : IDisposable
{
    /// <summary>Old servers look tokens up slowly.</summary>
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http;

    /// <summary>Prepares calls; nothing is sent yet.</summary>
    /// <param name="server">The server as a user writes it.</param>
    /// <param name="isInsecure">Accept any certificate.</param>
    /// <param name="authorities">PEM file of the authorities that the server's certificate must come from; null for the system's.</param>
    /// <exception cref="TunnelException">The address or the file cannot be used.</exception>
    public TunnelApi(string server, bool isInsecure = false, string? authorities = null)
    {
        var address = ControlAddress.Parse(server);
        var handler = new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false };
        if (address.IsTls) handler.SslOptions = new ServerTrust(authorities, isInsecure, TimeProvider.System).Options(address.Host);
        _http = new HttpClient(handler) { BaseAddress = new Uri(address.Api + "/"), Timeout = s_timeout };
    }

    /// <summary>Makes an account and returns its token.</summary>
    /// <param name="email">Address; null for an anonymous account.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TunnelApiException">The server refused, or cannot be reached.</exception>
    public async Task<string> RegisterAsync(string? email = null, CancellationToken cancellationToken = default)
    {
        email ??= $"anon-{RandomNumberGenerator.GetHexString(8, lowercase: true)}@retunnel.com";
        var answer = await SendAsync(HttpMethod.Post, "api/v1/auth/register", null, new JsonObject { ["email"] = email }, cancellationToken);
        return Text(answer, "auth_token") ?? throw new TunnelApiException(200, "the answer has no auth_token", null);
    }

    /// <summary>A new token for the account of an old one; null when the server does not know it.</summary>
    /// <param name="token">The old token.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<string?> ReactivateAsync(string token, CancellationToken cancellationToken = default)
    {
        try
        {
            return Text(await SendAsync(HttpMethod.Post, "api/v1/auth/reactivate-token", null, new JsonObject { ["old_token"] = token }, cancellationToken), "auth_token");
        }
        catch (TunnelApiException exception) when (exception.Status == 404)
        {
            return null;
        }
    }

    /// <summary>Replaces a token.</summary>
    /// <param name="token">The token; it does not work any more afterwards.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<string> RotateAsync(string token, CancellationToken cancellationToken = default) =>
        Text(await SendAsync(HttpMethod.Post, "api/v1/auth/login", token, null, cancellationToken), "auth_token")
        ?? throw new TunnelApiException(200, "the answer has no auth_token", null);

    /// <summary>The account of a token: "user_id" and "email".</summary>
    /// <param name="token">The token.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<JsonObject> VerifyAsync(string token, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Post, "api/v1/auth/verify-token", null, new JsonObject { ["old_token"] = token }, cancellationToken);

    /// <summary>Registers a host name; the answer says what DNS must have.</summary>
    /// <param name="token">The account.</param>
    /// <param name="hostname">The host name.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<JsonObject> AddHostnameAsync(string token, string hostname, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Post, "api/v1/hostnames", token, new JsonObject { ["hostname"] = hostname }, cancellationToken);

    /// <summary>All host names of the account, under "hostnames".</summary>
    /// <param name="token">The account.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<JsonObject> ListHostnamesAsync(string token, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Get, "api/v1/hostnames", token, null, cancellationToken);

    /// <summary>Asks the server to look at DNS.</summary>
    /// <param name="token">The account.</param>
    /// <param name="hostname">The host name.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<JsonObject> VerifyHostnameAsync(string token, string hostname, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Post, $"api/v1/hostnames/{Uri.EscapeDataString(hostname)}/verify", token, null, cancellationToken);

    /// <summary>Gives a host name up.</summary>
    /// <param name="token">The account.</param>
    /// <param name="hostname">The host name.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task RemoveHostnameAsync(string token, string hostname, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Delete, $"api/v1/hostnames/{Uri.EscapeDataString(hostname)}", token, null, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static string? Text(JsonObject answer, string name) => answer[name] is JsonValue value && value.TryGetValue(out string? text) && text.Length > 0 ? text : null;

    private async Task<JsonObject> SendAsync(HttpMethod method, string path, string? token, JsonObject? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path);
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
        try
        {
            using var response = await _http.SendAsync(request, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            var answer = Parse(text);
            if (response.IsSuccessStatusCode) return answer ?? [];
            var detail = answer is null ? text : Text(answer, "detail") ?? Text(answer, "error") ?? text;
            throw new TunnelApiException((int)response.StatusCode, detail.Length > 0 ? detail : response.ReasonPhrase ?? "", response.Headers.RetryAfter?.Delta);
        }
        catch (HttpRequestException exception)
        {
            throw new TunnelApiException(0, string.Create(CultureInfo.InvariantCulture, $"{_http.BaseAddress} cannot be reached: {exception.InnerException?.Message ?? exception.Message}"), null, exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TunnelApiException(0, $"{_http.BaseAddress} did not answer in time", null, exception);
        }
    }

    private static JsonObject? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
