using Microsoft.Extensions.Logging;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.NetMon.Interfaces;

/// <summary>Tells of interfaces: all of them to who asks, and each change.</summary>
internal sealed partial class InterfaceWatch(HostInterfaces host, TimeProvider time, ILogger<InterfaceWatch> logger)
{
    /// <summary>Changes come in bursts; what changed is told when nothing more has come for this long.</summary>
    internal static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    /// <summary>All interfaces are told again this often, for agents that missed something.</summary>
    internal static readonly TimeSpan Repetition = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan ErrorPause = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private SortedDictionary<string, InterfaceState> _known = [];
    private int _errors;

    /// <summary>Raised with an interface that changed, was removed, or is told again.</summary>
    public event Action<InterfaceState>? Changed;

    /// <summary>Whether changes are being told, and how often listening has failed.</summary>
    public (bool IsListening, int Errors) State { get; private set; }

    /// <summary>All interfaces as they are now.</summary>
    public InterfaceList Discover()
    {
        var now = host.Read();
        lock (_gate) _known = now;
        return new InterfaceList([.. now.Values], HostInterfaces.Stamp(time));
    }

    /// <summary>Watches until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(ListenAsync(cancellationToken), RepeatAsync(cancellationToken));

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                using var netlink = new NetlinkSignal();
                State = (true, _errors);
                await ListenAsync(netlink, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
            {
                State = (false, ++_errors);
                LogDeaf(logger, e.Message);
                await Task.Delay(ErrorPause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ListenAsync(NetlinkSignal netlink, CancellationToken cancellationToken)
    {
        while (true)
        {
            await netlink.WaitAsync(cancellationToken).ConfigureAwait(false);
            // A cable that was pulled is told at once, what came instead when it has settled.
            Compare(removalsOnly: true);
            await SettleAsync(netlink, cancellationToken).ConfigureAwait(false);
            Compare(removalsOnly: false);
        }
    }

    private async Task SettleAsync(NetlinkSignal netlink, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var quiet = new CancellationTokenSource(Quiet, time);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(quiet.Token, cancellationToken);
            try
            {
                await netlink.WaitAsync(linked.Token).ConfigureAwait(false);
                Compare(removalsOnly: true);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task RepeatAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Repetition, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
                foreach (var state in Discover().Interfaces) Changed?.Invoke(state);
        }
        catch (OperationCanceledException)
        {
            // The monitor stops.
        }
    }

    private void Compare(bool removalsOnly)
    {
        var now = host.Read();
        var told = new List<InterfaceState>();
        lock (_gate)
        {
            foreach (var name in _known.Keys.Where(name => !now.ContainsKey(name)).ToList())
            {
                _known.Remove(name);
                told.Add(new InterfaceState { Name = name, Status = HostInterfaces.Exists(name) ? "down" : "removed" });
            }
            if (!removalsOnly)
            {
                told.AddRange(now.Values.Where(state => !_known.TryGetValue(state.Name, out var old) || !IsSame(old, state)));
                _known = now;
            }
        }
        foreach (var state in told) Changed?.Invoke(state);
    }

    private static bool IsSame(InterfaceState one, InterfaceState other) =>
        one.Addresses.SequenceEqual(other.Addresses) && one.Gateway == other.Gateway && one.Mac == other.Mac;

    [LoggerMessage(7100, LogLevel.Warning, "changes of the network are not heard for now: {Reason}")]
    private static partial void LogDeaf(ILogger logger, string reason);
}
