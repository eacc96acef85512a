using System.Runtime.InteropServices;
using Mooring.Chat;
using Mooring.Chat.Configuration;
using Mooring.Kernel.Events;

namespace Mooring.Cli.Hosting;

/// <summary>The chat server as a part of a host. SIGHUP reads settings, tokens and certificates again.</summary>
internal sealed partial class ChatRole(ChatServer chat, Func<ChatOptions> read, Action<ChatOptions> reloaded, ILogger<ChatRole> logger) : IHostedService
{
    private readonly ILogger _logger = logger;
    private PosixSignalRegistration? _hangUp;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await chat.StartAsync(cancellationToken);
        _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Reload);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _hangUp?.Dispose();
        await chat.StopAsync();
    }

    /// <param name="host">The host.</param>
    /// <param name="options">How the chat server runs.</param>
    /// <param name="read">Reads the options again.</param>
    /// <param name="ports">What changes the ports of lines and HTTP, in the user's words.</param>
    /// <param name="reloaded">Takes what is not the chat server's of options that were read again.</param>
    internal static void AddTo(
        MooringHost host, ChatOptions options, Func<ChatOptions> read, (string Lines, string Http) ports, Action<IServiceProvider, ChatOptions>? reloaded = null)
    {
        if (options.Mode != ChatMode.Http)
            foreach (var socket in options.Sockets) host.Announce(new Listener("chat lines", socket, ports.Lines));
        if (options.Mode != ChatMode.Socket) host.Announce(new Listener("chat HTTP", options.Http, ports.Http));
        host.Services.AddSingleton(services =>
            new ChatServer(options, services.GetRequiredService<ILoggerFactory>(), services.GetRequiredService<TimeProvider>())
            {
                Events = services.GetService<OperatorEvents>(),
            });
        host.Services.AddHostedService(services => new ChatRole(
            services.GetRequiredService<ChatServer>(), read, options => reloaded?.Invoke(services, options), services.GetRequiredService<ILogger<ChatRole>>()));
        host.Services.AddSingleton(services =>
        {
            var chat = services.GetRequiredService<ChatServer>();
            return new Readiness("chat", () => chat.IsReady ? null : "not ready");
        });
    }

    /// <summary>One row for each listener.</summary>
    internal static void Describe(ChatServer chat, AddressTable table)
    {
        foreach (var socket in chat.SocketEndPoints) table.Add("chat", $"tcp://{socket}", $"nc {socket.Address} {socket.Port}   then: HELLO main:you");
        if (chat.HttpEndPoint is { } http) table.Add("chat in a browser", $"{chat.HttpScheme}://{http}/", $"curl {chat.HttpScheme}://{http}/server/status");
    }

    /// <summary>One line for each listener, with the port that was chosen.</summary>
    internal static void PrintListeners(IServiceProvider services)
    {
        var chat = services.GetRequiredService<ChatServer>();
        foreach (var socket in chat.SocketEndPoints) Console.WriteLine($"chat lines on {socket}");
        if (chat.HttpEndPoint is { } http) Console.WriteLine($"chat HTTP and WebSocket on {chat.HttpScheme}://{http}/");
        Console.Out.Flush();
    }

    private void Reload(PosixSignalContext context)
    {
        context.Cancel = true;
        try
        {
            var options = read();
            reloaded(options);
            chat.Reload(options);
        }
        catch (Exception exception) when (CommandLine.Explain(exception) is { } lines)
        {
            foreach (var line in lines) LogNotReloaded(line);
        }
    }

    [LoggerMessage(9110, LogLevel.Warning, "the chat server's settings stay as they were: {Why}")]
    private partial void LogNotReloaded(string why);
}
