using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Mooring.Chat.Tests.Http;

/// <summary>A caller of the REST interface.</summary>
internal sealed class RestConnection(ChatServer server, CancellationToken cancellationToken) : IDisposable
{
    internal HttpClient Http { get; } = new() { BaseAddress = new Uri($"http://{server.HttpEndPoint}") };

    internal async Task<(int Status, JsonElement Body)> PostAsync(string path, object body)
    {
        using var answer = await Http.PostAsJsonAsync(path, body, cancellationToken);
        return await ReadAsync(answer);
    }

    internal async Task<(int Status, JsonElement Body)> PostTextAsync(string path, string body, string contentType = "application/json")
    {
        using var content = new StringContent(body, Encoding.UTF8, contentType);
        using var answer = await Http.PostAsync(new Uri(path, UriKind.Relative), content, cancellationToken);
        return await ReadAsync(answer);
    }

    internal async Task<(int Status, JsonElement Body)> GetAsync(string path)
    {
        using var answer = await Http.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
        return await ReadAsync(answer);
    }

    public void Dispose() => Http.Dispose();

    private async Task<(int Status, JsonElement Body)> ReadAsync(HttpResponseMessage answer) =>
        ((int)answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken));
}
