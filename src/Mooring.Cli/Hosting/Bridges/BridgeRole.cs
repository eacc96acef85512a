using System.Runtime.Versioning;
using Mooring.Chat;
using Mooring.Kernel.Events;

namespace Mooring.Cli.Hosting.Bridges;

/// <summary>The bridges as a part of a host; they know all systems, which know nothing of them.</summary>
[SupportedOSPlatform("linux")]
internal static class BridgeRole
{
    /// <summary>Adds the bridges. After the chat server, which then starts before them.</summary>
    internal static void AddTo(MooringHost host, BridgeOptions options, bool hasHub)
    {
        host.Services.AddSingleton(services => new ChatBridge(
            options, services.GetRequiredService<ChatServer>(), services.GetRequiredService<OperatorEvents>(), new BridgedSystems(services, hasHub),
            services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<ChatBridge>>()));
        host.Services.AddHostedService(services => services.GetRequiredService<ChatBridge>());
    }
}
