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

    /// <summary>Whether changes are being heard, how often listening has failed, and how often more came than the kernel could keep.</summary>
    public (bool IsListening, int Errors, int Overruns) State { get; private set; }

    /// <summary>All interfaces as they are now, for one who asks; what changed is still told to everybody.</summary>
    public InterfaceList Discover() => new([.. host.Read().Values], HostInterfaces.Stamp(time));

    /// <summary>Watches until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(ListenAsync(cancellationToken), RepeatAsync(cancellationToken));

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                using var netlink = new NetlinkSignal();
                State = (true, _errors, 0);
                // What changed before there was anybody to hear it.
                Compare(removalsOnly: false);
                await ListenAsync(netlink, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
            {
                State = (false, ++_errors, State.Overruns);
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
            State = State with { Overruns = netlink.Overruns };
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
                Compare(removalsOnly: false, tellsAll: true);
        }
        catch (OperationCanceledException)
        {
            // The monitor stops.
        }
    }

    // Reading and telling are one step: an older state must not be told after a newer one.
    private void Compare(bool removalsOnly, bool tellsAll = false)
    {
        lock (_gate)
        {
            var now = host.Read();
            foreach (var name in _known.Keys.Where(name => !now.ContainsKey(name)).ToList())
            {
                _known.Remove(name);
                Changed?.Invoke(new InterfaceState { Name = name, Status = HostInterfaces.Exists(name) ? "down" : "removed" });
            }
            if (removalsOnly) return;
            foreach (var state in now.Values)
                if (tellsAll || !_known.TryGetValue(state.Name, out var old) || !IsSame(old, state)) Changed?.Invoke(state);
            _known = now;
        }
    }

    private static bool IsSame(InterfaceState one, InterfaceState other) =>
        one.Addresses.SequenceEqual(other.Addresses) && one.Gateway == other.Gateway && one.Mac == other.Mac;

    [LoggerMessage(7100, LogLevel.Warning, "changes of the network are not heard for now: {Reason}")]
    private static partial void LogDeaf(ILogger logger, string reason);
}
