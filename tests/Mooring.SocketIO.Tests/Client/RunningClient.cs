using Microsoft.Extensions.Logging;
using Mooring.Kernel.Links;

namespace Mooring.SocketIO.Tests.Client;

/// <summary>A client that runs until the end of the test.</summary>
internal sealed class RunningClient : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();

    private RunningClient(SocketIOClient client)
    {
        Client = client;
        Run = client.RunAsync(_stopping.Token);
    }

    public SocketIOClient Client { get; }

    public SocketIOClientNamespace Root => Client.Root;

    /// <summary>The reason for which the client stopped.</summary>
    public Task<string> Run { get; }

    public static RunningClient Start(
        SocketIOClientOptions options, ILoggerFactory loggers, Action<SocketIOClient>? setUp = null, TimeProvider? time = null)
    {
        var client = new SocketIOClient(options, time ?? TimeProvider.System, loggers);
        setUp?.Invoke(client);
        return new RunningClient(client);
    }

    /// <summary>Waits until the link has come to a state as often as wanted.</summary>
    public async Task<string> MovedAsync(LinkState to, CancellationToken cancellationToken, int times = 1)
    {
        var reached = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var reason = "";
        void Look()
        {
            if (LinkMachine.LegalMoves.Where(m => m.To == to).Sum(m => Client.Link.CountOf(m.From, m.To)) >= times) reached.TrySetResult(reason);
        }

        Client.Link.Moved += moved =>
        {
            if (moved.To == to) reason = moved.Reason;
            Look();
        };
        Look();
        return await reached.Task.WaitAsync(cancellationToken);
    }

    public Task UpAsync(CancellationToken cancellationToken, int times = 1) => MovedAsync(LinkState.Up, cancellationToken, times);

    public async Task<string> StopAsync()
    {
        await _stopping.CancelAsync();
        return await Run;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }
}
