using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Clocks;
using Mooring.Kernel.Files;

namespace Mooring.Edge.NetMon.Dhcp;

/// <summary>
/// DHCP clients of the devices: one udhcpc each, which goes on when the monitor ends and is found again when it comes back. What one
/// learned lies in a file; this object looks at the files, starts clients that died and ends those whose container is gone.
/// </summary>
internal sealed partial class DhcpClients
{
    /// <summary>How often clients and leases are looked at.</summary>
    internal static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private const int SignalTerminate = 15;
    private const int SignalRenew = 10;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Client> _clients = new(StringComparer.Ordinal);
    private readonly string _folder;
    private readonly string _stateFile;
    private readonly string _hook;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public DhcpClients(NetMonOptions options, TimeProvider time, ILogger<DhcpClients> logger)
    {
        (_folder, _time, _logger) = (options.LeaseFolder, time, logger);
        Directory.CreateDirectory(_folder);
        _stateFile = Path.Combine(_folder, "state.json");
        _hook = Path.Combine(_folder, "hook.sh");
        AtomicFile.Write(_hook, HookText());
        File.SetUnixFileMode(_hook, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var record in ReadState()) _clients[record.Key] = new Client { Record = record };
    }

    /// <summary>Raised when a device has another lease, or none any more; WiFi leases with the record, for the bridge to be built.</summary>
    public event Action<DhcpClientRecord, LeaseFile>? Changed;

    /// <summary>Starts a client, or leaves the one that runs for the same container.</summary>
    /// <returns>The lease that it has already.</returns>
    /// <exception cref="ProgramException">it cannot be started</exception>
    public LeaseFile? Start(DhcpClientRecord wanted)
    {
        lock (_gate)
        {
            if (_clients.TryGetValue(wanted.Key, out var client))
            {
                if (client.Record.IsRunning && client.Record.ContainerProcess == wanted.ContainerProcess && client.Record.Interface == wanted.Interface)
                    return ReadLease(wanted.Key) is { IsGood: true } lease ? lease : null;
                End(client);
            }
            if (_clients.Count >= NetMonLimits.DhcpClients) throw new ProgramException($"{NetMonLimits.DhcpClients} DHCP clients run already");
            // What another container was given is no lease of this one.
            File.Delete(LeasePath(wanted.Key));
            _clients[wanted.Key] = new Client { Record = Launch(wanted) };
            WriteState();
            return null;
        }
    }

    /// <summary>Ends a client, which gives its lease back, and forgets the lease.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Stop(string container, string vnic)
    {
        var key = DhcpClientRecord.KeyOf(container, vnic);
        lock (_gate)
        {
            File.Delete(LeasePath(key));
            if (!_clients.Remove(key, out var client)) return false;
            End(client);
            WriteState();
            return true;
        }
    }

    /// <summary>Asks a server anew, because the network may be another one.</summary>
    /// <returns>Whether there is a client.</returns>
    public bool Renew(string container, string vnic)
    {
        lock (_gate)
        {
            if (!_clients.TryGetValue(DhcpClientRecord.KeyOf(container, vnic), out var client)) return false;
            if (client.Record.IsRunning) Kill(client.Record.ClientPid, SignalRenew);
            return true;
        }
    }

    /// <summary>The clients and their leases.</summary>
    public IReadOnlyList<(DhcpClientRecord Client, LeaseFile? Lease)> Snapshot()
    {
        lock (_gate) return [.. _clients.Values.Select(client => (client.Record, ReadLease(client.Record.Key)))];
    }

    /// <summary>Looks after the clients until cancelled; they go on after that.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false)) Look();
        }
        catch (OperationCanceledException)
        {
            // The monitor stops.
        }
    }

    private void Look()
    {
        var changed = new List<(DhcpClientRecord, LeaseFile)>();
        lock (_gate)
        {
            var isStateOld = false;
            foreach (var (key, client) in _clients.ToList())
            {
                // A process of another container may have the number by now: nothing is done in its network.
                if (!client.Record.ContainerProcess.IsAlive)
                {
                    End(client);
                    isStateOld |= _clients.Remove(key);
                    continue;
                }
                if (!client.Record.IsRunning && _time.Steady() >= client.NextStart) isStateOld |= Restart(client);
                if (ReadLease(key) is not { } lease || lease == client.Told) continue;
                var isNews = client.Told is null ? lease.IsGood : (lease.IsGood, lease.Ip, lease.Gateway, lease.Dns) != (client.Told.IsGood, client.Told.Ip, client.Told.Gateway, client.Told.Dns);
                client.Told = lease;
                if (isNews) changed.Add((client.Record, lease));
            }
            if (isStateOld) WriteState();
        }
        foreach (var (record, lease) in changed) Changed?.Invoke(record, lease);
    }

    private bool Restart(Client client)
    {
        // One that ends at once must not be started a hundred times a minute.
        client.NextStart = _time.Steady() + TimeSpan.FromSeconds(5);
        try
        {
            client.Record = Launch(client.Record);
            return true;
        }
        catch (ProgramException e)
        {
            LogNotStarted(_logger, client.Record.Key, e.Message);
            return false;
        }
    }

    private DhcpClientRecord Launch(DhcpClientRecord record)
    {
        List<string> arguments =
        [
            // Five questions, three seconds apart, and again after ten; an offered address is asked for by ARP first; the lease is given back at the end.
            "udhcpc", "-f", "-i", record.Interface, "-s", _hook, "-t", "5", "-T", "3", "-A", "10", "-a", "-R",
        ];
        // Option 61 with type 0, "other than a hardware address" (RFC 2132, 9.14).
        if (record.ClientId is { } id) arguments.AddRange(["-x", "0x3d:00" + Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(id))]);
        IReadOnlyList<string> command = record.WifiParent is null ? ["nsenter", $"--net={Programs.NetworkOf(record.ContainerPid)}", .. arguments] : arguments;
        // A session of its own: a signal for the monitor is none for its clients. And no stream of the monitor's: who waits for the end of
        // its output would wait for them. The shell hands its arguments on and reads none of them.
        var start = new System.Diagnostics.ProcessStartInfo("setsid", ["sh", "-c", "exec \"$@\" </dev/null >/dev/null 2>&1", "sh", .. command]);
        start.Environment["MOORING_LEASE"] = LeasePath(record.Key);
        start.Environment["MOORING_PID"] = record.WifiParent is null ? record.ContainerPid.ToString(CultureInfo.InvariantCulture) : "";
        try
        {
            using var process = System.Diagnostics.Process.Start(start)!;
            var client = ContainerProcess.Find(process.Id) ?? throw new ProgramException($"udhcpc for {record.Key} ended at once");
            return record with { ClientPid = client.Pid, ClientStartedAt = client.StartedAt };
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ProgramException($"udhcpc cannot be run: {e.Message}");
        }
    }

    private static void End(Client client)
    {
        if (client.Record.IsRunning) Kill(client.Record.ClientPid, SignalTerminate);
    }

    private List<DhcpClientRecord> ReadState()
    {
        try
        {
            if (File.Exists(_stateFile)) return JsonSerializer.Deserialize(File.ReadAllBytes(_stateFile), DhcpJson.Default.ListDhcpClientRecord) ?? [];
        }
        catch (JsonException e)
        {
            // The agent asks for its clients again.
            LogState(_logger, _stateFile, e.Message);
        }
        return [];
    }

    private void WriteState() =>
        AtomicFile.Write(_stateFile, JsonSerializer.SerializeToUtf8Bytes([.. _clients.Values.Select(c => c.Record)], DhcpJson.Default.ListDhcpClientRecord));

    private LeaseFile? ReadLease(string key)
    {
        try
        {
            var path = LeasePath(key);
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), DhcpJson.Default.LeaseFile) : null;
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            return null;
        }
    }

    private string LeasePath(string key) => Path.Combine(_folder, key.Replace(':', '_').Replace('/', '_') + ".lease");

    private static string HookText()
    {
        using var stream = typeof(DhcpClients).Assembly.GetManifestResourceStream("dhcp-hook.sh")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);

    [LoggerMessage(7110, LogLevel.Warning, "the DHCP client of {Key} cannot be started: {Reason}")]
    private static partial void LogNotStarted(ILogger logger, string key, string reason);

    [LoggerMessage(7111, LogLevel.Warning, "{File} cannot be read, running DHCP clients are not known: {Reason}")]
    private static partial void LogState(ILogger logger, string file, string reason);

    private sealed class Client
    {
        public required DhcpClientRecord Record { get; set; }

        public LeaseFile? Told { get; set; }

        public TimeSpan NextStart { get; set; }
    }
}
