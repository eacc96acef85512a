using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Hub.Api;
using Mooring.Edge.Hub.Enrolment;
using Mooring.Kernel.Events;
using Mooring.Kernel.Files;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;

namespace Mooring.Edge.Hub;

/// <summary>Puts the hub into an ASP.NET Core application: its services, the agents' listener and the operators' API.</summary>
public static class HubHosting
{
    /// <summary>Adds the hub and the listener for its agents.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="options">How the hub runs.</param>
    /// <returns>Tells where agents connect to, once the application has started.</returns>
    /// <exception cref="ConfigurationException">With everything that is wrong in the options.</exception>
    public static Func<IPEndPoint> AddEdgeHub(this WebApplicationBuilder builder, HubOptions options)
    {
        var errors = new OptionsErrors();
        options.Validate("hub", errors);
        errors.ThrowIfAny("");
        // Agents say something every five seconds and nothing in between: their buffers would be most of what they cost.
        IdleTlsBuffers.Release();
        var authority = AgentAuthority.LoadOrCreate(options, TimeProvider.System);
        builder.Services.AddSingleton(services => new EdgeHub(
            options, authority, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILoggerFactory>(),
            services.GetService<OperatorEvents>()));
        builder.Services.AddHostedService(services => services.GetRequiredService<EdgeHub>());
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Add(HubJson.Default));
        builder.Services.Configure<RouteOptions>(routes => routes.SetParameterPolicy<Microsoft.AspNetCore.Routing.Constraints.RegexInlineRouteConstraint>("regex"));
        ListenOptions? bound = null;
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(options.Agents, listen =>
        {
            bound = listen;
            // HTTP/1.1: agents move from polling to a WebSocket.
            listen.Protocols = HttpProtocols.Http1;
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                HandshakeTimeout = HandshakeTimeout,
                OnConnection = _ => new ValueTask<SslServerAuthenticationOptions>(TlsOf(authority)),
            });
            listen.Use(next => connection =>
            {
                connection.Features.Set(AgentListener.Mark);
                return next(connection);
            });
        }));
        IPEndPoint Bound() => bound?.IPEndPoint ?? options.Agents;
        builder.Services.AddSingleton(new AgentsAddress(() => options.AddressFor(Bound())));
        return Bound;
    }

    /// <summary>Serves a listener, such as that of the operators' API, with the hub's certificate.</summary>
    /// <param name="listen">The listener.</param>
    /// <param name="options">Which hub.</param>
    public static void UseHubTls(this ListenOptions listen, HubOptions options)
    {
        using var authority = AgentAuthority.LoadOrCreate(options, TimeProvider.System);
        var server = authority.Server;
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = HandshakeTimeout,
            OnConnection = _ => new ValueTask<SslServerAuthenticationOptions>(server.ServerOptions()),
        });
    }

    /// <summary>Lets agents in at their listener, and asks operators who they are. Call it before any other middleware.</summary>
    /// <param name="application">The application.</param>
    public static void UseEdgeHub(this WebApplication application)
    {
        var hub = application.Services.GetRequiredService<EdgeHub>();
        // Before the web server waits for its requests to end: those of agents and watchers never do.
        application.Lifetime.ApplicationStopping.Register(() => hub.Close());
        var address = application.Services.GetRequiredService<AgentsAddress>();
        application.Lifetime.ApplicationStarted.Register(() => AtomicFile.Write(hub.Options.AddressFile, Encoding.UTF8.GetBytes($"{address.Now()}\n")));
        application.Use((context, next) =>
        {
            if (context.Features.Get<AgentListener>() is not null) return hub.Running.Gate.HandleAsync(context);
            return context.GetEndpoint()?.Metadata.GetMetadata<HubPermission>() is { } permission
                ? AuthorizeAsync(hub, permission, context, next)
                : next(context);
        });
        MapEdgeHub(application);
    }

    /// <summary>What is wrong with the hub right now; null when nothing is.</summary>
    /// <param name="services">The application's services.</param>
    /// <returns>One line.</returns>
    public static string? ProblemOfEdgeHub(this IServiceProvider services) =>
        services.GetRequiredService<EdgeHub>().IsRunning ? null : "not started yet";

    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    private static void MapEdgeHub(IEndpointRouteBuilder endpoints)
    {
        var orchestrators = endpoints.MapGroup("/api/orchestrators").WithTags("edge");
        OrchestratorEndpoints.Map(orchestrators);
        DesiredEndpoints.Map(orchestrators);
        DeviceEndpoints.Map(orchestrators.MapGroup("/{agent}/devices"));
        HistoryEndpoints.Map(endpoints.MapGroup("/api/edge").WithTags("edge"));
        EarlierEndpoints.Map(endpoints.MapGroup("/agent").WithTags("edge, as the first hubs had it"));
    }

    private static async Task AuthorizeAsync(EdgeHub hub, HubPermission permission, HttpContext context, RequestDelegate next)
    {
        if (hub.Running.Access.CallerOf(context) is not { } caller)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await HubCall.Problem(401, "a token is needed: Authorization: Bearer TOKEN").ExecuteAsync(context);
        }
        else if (caller.Role < permission.Role)
            await HubCall.Problem(403, $"the role {permission.Role} is needed, and '{caller.Name}' has {caller.Role}").ExecuteAsync(context);
        else if (context.GetRouteValue("agent") is string agent && !caller.MaySee(agent))
            await HubCall.Problem(403, $"'{caller.Name}' may not see agent '{agent}'").ExecuteAsync(context);
        else
        {
            context.Features.Set(caller);
            await next(context);
        }
    }

    /// <summary>
    /// Every certificate passes the handshake, whose owner thus proves to have its key, and is judged at the first request: an agent that is
    /// refused then hears why, where a failed handshake says nothing that a person could use.
    /// </summary>
    private static SslServerAuthenticationOptions TlsOf(AgentAuthority authority) => new()
    {
        ServerCertificateContext = authority.Server.Context,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ClientCertificateRequired = true,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback = static (_, _, _, _) => true,
    };

    /// <summary>Tells the address for agents, once the listener is bound.</summary>
    private sealed record AgentsAddress(Func<Uri> Now);

    /// <summary>Stands on connections of the agents' listener.</summary>
    private sealed class AgentListener
    {
        public static readonly AgentListener Mark = new();
    }
}
