using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Mooring.Kernel.Tracing;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Api;

/// <summary>The operator's API of the broker, under <c>/api/broker</c>.</summary>
public static class BrokerEndpoints
{
    /// <summary>Adds what the endpoints need. Other slices may do the same; none takes another's place.</summary>
    /// <param name="services">The host's services.</param>
    public static IServiceCollection AddMqttBrokerApi(this IServiceCollection services)
    {
        services.AddSingleton(provider => new BrokerApi(
            provider.GetRequiredService<MqttBroker>(), provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping));
        return services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Add(BrokerApiJson.Default));
    }

    /// <summary>Maps the endpoints.</summary>
    /// <param name="endpoints">The host's endpoints.</param>
    public static void MapMqttBrokerApi(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/api/broker").WithTags("broker");
        group.MapGet("", (MqttBroker broker) => TypedResults.Ok(broker.View.Statistics())).WithSummary("The broker in a few numbers.");
        group.MapGet("/clients", GetClients).WithSummary("Sessions, connected or kept; contains picks some of them.");
        group.MapGet("/clients/{client}/subscriptions", GetSubscriptions).WithSummary("Filters of one session.").ProducesProblem(404);
        group.MapDelete("/clients/{client}", Disconnect).WithSummary("Ends the connection of a client; its session stays as it asked for.")
            .ProducesProblem(404);
        group.MapGet("/topics", (BrokerApi api, CancellationToken cancellationToken) => api.Rates.ViewAsync(cancellationToken))
            .WithSummary("The busiest topics with their rates. Counting begins with the first question and ends half a minute after the last.");
        group.MapGet("/retained", GetRetained).WithSummary("Retained messages whose topics match a filter.").ProducesProblem(400);
        group.MapPost("/publish", PublishAsync).WithSummary("Publishes a message.").ProducesProblem(400);
        group.MapGet("/subscribe", SubscribeAsync).WithSummary("Messages of a filter as server-sent events.").ProducesProblem(400).ProducesProblem(503);
    }

    private static Ok<IReadOnlyList<MqttClientView>> GetClients(MqttBroker broker, string? contains, int? skip, int? take) =>
        TypedResults.Ok(broker.View.Clients(contains ?? "", skip ?? 0, take ?? 100));

    private static Results<Ok<IReadOnlyList<SubscriptionLine>>, ProblemHttpResult> GetSubscriptions(MqttBroker broker, string client)
    {
        client = Decoded(client);
        if (broker.View.Client(client) is null) return Problem(404, $"there is no session '{client}'");
        IReadOnlyList<SubscriptionLine> lines =
            [.. broker.View.Subscriptions(client).Select(s => new SubscriptionLine(s.Filter, (int)s.MaximumQualityOfService, s.NoLocal, s.RetainAsPublished))];
        return TypedResults.Ok(lines);
    }

    private static Results<NoContent, ProblemHttpResult> Disconnect(MqttBroker broker, string client) =>
        broker.View.Disconnect(Decoded(client)) ? TypedResults.NoContent() : Problem(404, $"'{client}' is not connected over the network");

    private static Results<Ok<IReadOnlyList<MessageView>>, ProblemHttpResult> GetRetained(MqttBroker broker, string? filter, int? take)
    {
        var wanted = filter ?? "#";
        if (!TopicFilter.IsValid(Encoding.UTF8.GetBytes(wanted))) return NoFilter(wanted);
        IReadOnlyList<MessageView> messages =
            [.. broker.View.Retained(wanted, take ?? 100).Select(MessageView.Of).OrderBy(message => message.Topic, StringComparer.Ordinal)];
        return TypedResults.Ok(messages);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> PublishAsync(BrokerApi api, PublishRequest request, CancellationToken cancellationToken)
    {
        if (request.Topic is not { Length: > 0 } topic || !TopicName.IsValid(Encoding.UTF8.GetBytes(topic)) || topic[0] == '$')
            return Problem(400, $"topic: '{request.Topic}' is not a topic to publish to: no wildcards, and no $ at the beginning");
        if (request is { Text: not null, Base64: not null }) return Problem(400, "give text or base64, not both");
        if (request.Qos is < 0 or > 2) return Problem(400, $"qos: {request.Qos} is not allowed: use 0, 1 or 2");
        var payload = new byte[request.Base64?.Length ?? 0];
        var length = 0;
        if (request.Base64 is { } base64 && !Convert.TryFromBase64String(base64, payload, out length)) return Problem(400, "base64: is not base64");
        var failure = await api.PublishAsync(
            new MqttMessage
            {
                Topic = topic,
                Payload = request.Base64 is null ? Encoding.UTF8.GetBytes(request.Text ?? "") : payload.AsMemory(0, length),
                QualityOfService = (QualityOfService)request.Qos,
                Retain = request.Retain,
                Trace = TraceContext.Current,
            }, cancellationToken);
        if (failure is not null) return Problem(503, $"the message was delivered to those who are there, but cannot be kept: {failure}");
        return TypedResults.NoContent();
    }

    private static async Task SubscribeAsync(HttpContext http, BrokerApi api, string? filter, int? qos)
    {
        var wanted = filter ?? "#";
        if (!TopicFilter.IsValid(Encoding.UTF8.GetBytes(wanted)) || qos is < 0 or > 2) await NoFilter(wanted).ExecuteAsync(http);
        else if (!await api.TryWatchAsync(http, new MqttSubscription(wanted, (QualityOfService)(qos ?? 0))))
            await Problem(503, string.Create(CultureInfo.InvariantCulture, $"{BrokerApiLimits.WatchersMax} subscriptions are open already")).ExecuteAsync(http);
    }

    private static ProblemHttpResult NoFilter(string filter) => Problem(400, $"filter: '{filter}' is not a topic filter, or qos is not 0, 1 or 2");

    private static ProblemHttpResult Problem(int status, string detail) => TypedResults.Problem(detail, statusCode: status);

    /// <summary>A slash in a name stays encoded in a route value, since it would be another segment.</summary>
    private static string Decoded(string segment) => segment.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
