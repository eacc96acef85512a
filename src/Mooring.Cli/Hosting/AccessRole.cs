using System.Net;
using Mooring.Cli.Access;
using Mooring.Kernel.Tls;

namespace Mooring.Cli.Hosting;

/// <summary>The operators' listener with the gate before it.</summary>
internal static class AccessRole
{
    /// <returns>Tells the address once it is bound.</returns>
    internal static async Task<Func<IPEndPoint>> AddToAsync(
        MooringHost host, AccessOptions options, string dataFolder, string portOption, CancellationToken cancellationToken)
    {
        var store = await AccessStore.OpenAsync(dataFolder, options.Limits, TimeProvider.System, cancellationToken);
        host.Services.AddSingleton(options).AddSingleton(options.Limits).AddSingleton(_ => store);
        host.Services.AddSingleton<LoginThrottle>().AddSingleton<LoginDesk>().AddSingleton<AuditLog>().AddSingleton<AccessGate>();
        host.Services.AddHostedService(services => services.GetRequiredService<AuditLog>());
        return host.ListenHttp(new Listener("operators", options.EndPoint, portOption), endpoint =>
        {
            if (options.Tls is { } files)
            {
                var logger = endpoint.ApplicationServices.GetRequiredService<ILogger<ReloadableCertificate>>();
                endpoint.UseTls(new ReloadableCertificate(files, TimeProvider.System, logger).Watch());
            }
            endpoint.Use(next => connection =>
            {
                connection.Features.Set(OperatorConnection.Mark);
                return next(connection);
            });
        });
    }

    /// <summary>Puts the gate before everything that is mapped.</summary>
    internal static void UseAccess(this WebApplication application)
    {
        var gate = application.Services.GetRequiredService<AccessGate>();
        application.Use((context, next) => gate.InvokeAsync(context, next));
        application.MapAccess();
    }

    /// <summary>For a listener that never leaves loopback and asks for nothing: keeps web pages of others out all the same.</summary>
    internal static void UseOriginCheck(this WebApplication application)
    {
        var origin = new RequestOrigin([], isLoopback: true);
        application.Use((context, next) => origin.Problem(context.Request) is { } problem
            ? AccessAnswer.ProblemAsync(context, StatusCodes.Status403Forbidden, problem)
            : next(context));
    }

    /// <summary>Says how operators get in, where they must log in.</summary>
    internal static void Describe(AccessOptions options, AddressTable table)
    {
        if (!options.IsOpen) table.Add("operators", "log in, or send a token", "mooring user add NAME --role admin");
    }
}
