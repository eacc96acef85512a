using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Mooring.Mqtt.Broker;
using Mooring.Mqtt.Broker.Persistence;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Persistence;

/// <summary>A broker in a process of its own, which can be killed: this very program, started with a variable that names the folder.</summary>
internal sealed class BrokerProcess : IAsyncDisposable
{
    private const string FolderVariable = "MOORING_TEST_BROKER_FOLDER";
    private const string DurabilityVariable = "MOORING_TEST_BROKER_DURABILITY";
    private const string Listening = "broker on port ";

    private readonly ProcessUnderTest _process;

    private BrokerProcess(ProcessUnderTest process, IPEndPoint address)
    {
        _process = process;
        Address = address;
    }

    internal IPEndPoint Address { get; }

    internal int Id => _process.Id;

    /// <param name="folder">Data folder.</param>
    /// <param name="cancellationToken">Ends the wait for the broker.</param>
    /// <param name="durability">What an acknowledgement survives.</param>
    /// <param name="diskBytes">
    /// The folder is a file system of this size, which only the broker's process sees (and this one, under <c>/proc/ID/root</c>).
    /// </param>
    internal static async Task<BrokerProcess> StartAsync(
        string folder, CancellationToken cancellationToken, MqttDurability durability = MqttDurability.Process, int? diskBytes = null)
    {
        var environment = new Dictionary<string, string?>
        {
            [FolderVariable] = folder,
            [DurabilityVariable] = durability.ToString(),
        };
        var process = diskBytes is { } size
            ? ProcessUnderTest.Start(
                "unshare", ["-Urm", "sh", "-c", $"mount -t tmpfs -o size={size} none '{folder}' && exec '{Environment.ProcessPath}'"], environment)
            : ProcessUnderTest.Start(Environment.ProcessPath!, [], environment);
        var line = await process.LineAsync(Listening, cancellationToken);
        var port = int.Parse(line[Listening.Length..], CultureInfo.InvariantCulture);
        return new BrokerProcess(process, new IPEndPoint(IPAddress.Loopback, port));
    }

    internal void Freeze() => _process.Freeze();

    /// <summary>SIGKILL, and waits until it is gone.</summary>
    internal async Task KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill();
        await _process.ExitAsync(cancellationToken);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    [ModuleInitializer]
    internal static void Become()
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is not { } folder)
        {
            return;
        }

        using var logging = LoggerFactory.Create(_ => { });
        var broker = new MqttBroker(
            new MqttBrokerOptions
            {
                Listeners = [new IPEndPoint(IPAddress.Loopback, 0)],
                Storage = new MqttStorageOptions
                {
                    Folder = folder,
                    Durability = Enum.Parse<MqttDurability>(Environment.GetEnvironmentVariable(DurabilityVariable)!),
                    // Small, so that files and checkpoints change often while the test runs.
                    SegmentBytes = 64 * 1024,
                    CheckpointBytes = 256 * 1024,
                },
                Limits = new MqttBrokerLimits { QueuedMessages = 1_000_000, QueuedBytes = 1L << 30 },
            },
            logging.CreateLogger<MqttBroker>(), TimeProvider.System);
        broker.Start();
        Console.WriteLine(Listening + broker.EndPoints[0].Port.ToString(CultureInfo.InvariantCulture));
        using var never = new ManualResetEvent(false);
        never.WaitOne();
    }
}
