using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using Mooring.Cli.Tests.Configuration;
using Mooring.Mqtt;
using Mooring.Mqtt.Client;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Data;

/// <summary>A backup of the running program while it is written to, and what is there after the restore.</summary>
public sealed class BackupProcessTests : MooringTest
{
    private const int Warm = 50;
    private readonly string _root = Directory.CreateTempSubdirectory("mooring-backup-up-").FullName;
    private int _written;

    // Four programs one after the other, and as many writes as a disk takes: longer than one signal is waited for.
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(120));

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _limit.Dispose();
        Directory.Delete(_root, recursive: true);
        GC.SuppressFinalize(this);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [Fact]
    public async Task BackupUnderLoad_HasEverythingThatWasAcknowledgedBefore()
    {
        var (data, archive, restored) = (Path.Combine(_root, "data"), Path.Combine(_root, "b.tar.gz"), Path.Combine(_root, "restored"));
        Directory.CreateDirectory(data);
        int before;
        await using (var up = await UpRun.StartAsync(data, _limit.Token))
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(_limit.Token);
            var warm = new TaskCompletionSource();
            var writing = WriteAsync(up, warm, stop.Token);
            await Task.WhenAny(warm.Task, writing);
            before = Volatile.Read(ref _written);
            var backup = Own(ProcessUnderTest.Start(UpRun.Program, ["backup", archive, "--data", data]));
            Assert.True(await backup.ExitAsync(_limit.Token) == 0, string.Join('\n', backup.Lines));
            Assert.True(Volatile.Read(ref _written) > before, "nothing was written during the backup");
            await stop.CancelAsync();
            await writing;
            up.Process.Kill();
        }
        var restore = Own(ProcessUnderTest.Start(UpRun.Program, ["restore", archive, "--data", restored]));
        Assert.True(await restore.ExitAsync(_limit.Token) == 0, string.Join('\n', restore.Lines));
        await using var again = await UpRun.StartAsync(restored, _limit.Token);
        await IsThereAsync(again, before);
        Assert.Equal(0, await again.StopAsync(_limit.Token));
    }

    /// <summary>Retained messages into the journal, accounts into a database, one after the other.</summary>
    private async Task WriteAsync(UpRun up, TaskCompletionSource warm, CancellationToken stop)
    {
        using var http = UpRun.Client();
        await using var mqtt = new MqttClient(new MqttClientOptions { Server = new Uri($"mqtt://127.0.0.1:{up.PortOf("MQTT")}") });
        await mqtt.StartAsync(_limit.Token);
        try
        {
            for (var i = 1; !stop.IsCancellationRequested; i++)
            {
                await mqtt.PublishAsync(
                    new MqttMessage { Topic = $"t/{Text(i)}", Payload = Encoding.UTF8.GetBytes(Text(i)), Retain = true, QualityOfService = QualityOfService.AtLeastOnce }, stop);
                using var answer = await http.PutAsJsonAsync($"{up.Console}/api/users/u{Text(i)}", new Dictionary<string, string> { ["role"] = "viewer" }, stop);
                answer.EnsureSuccessStatusCode();
                Volatile.Write(ref _written, i);
                if (i == Warm) warm.TrySetResult();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Enough.
        }
    }

    private async Task IsThereAsync(UpRun up, int count)
    {
        using var http = UpRun.Client();
        var users = await http.GetStringAsync(new Uri(up.Console + "/api/users"), _limit.Token);
        for (var i = 1; i <= count; i++) Assert.Contains($"\"u{Text(i)}\"", users, StringComparison.Ordinal);
        var left = Enumerable.Range(1, count).Select(Text).ToHashSet();
        var all = new TaskCompletionSource();
        await using var mqtt = new MqttClient(new MqttClientOptions { Server = new Uri($"mqtt://127.0.0.1:{up.PortOf("MQTT")}") });
        await mqtt.StartAsync(_limit.Token);
        await using var subscription = await mqtt.SubscribeAsync(new MqttSubscription("t/#"), (message, _) =>
        {
            Assert.Equal(message.Topic, "t/" + Encoding.UTF8.GetString(message.Payload.Span));
            left.Remove(message.Topic[2..]);
            if (left.Count == 0) all.TrySetResult();
            return ValueTask.CompletedTask;
        }, _limit.Token);
        await all.Task.WaitAsync(_limit.Token);
    }

    [Fact]
    public async Task Restore_IsRefusedWhileUpRuns()
    {
        var (data, archive) = (Path.Combine(_root, "data"), Path.Combine(_root, "b.tar.gz"));
        Directory.CreateDirectory(data);
        await using var up = await UpRun.StartAsync(data, TestTimeout);
        Assert.Equal(0, await Own(ProcessUnderTest.Start(UpRun.Program, ["backup", archive, "--data", data])).ExitAsync(TestTimeout));
        var restore = Own(ProcessUnderTest.Start(UpRun.Program, ["restore", archive, "--data", data, "--replace"]));
        Assert.Equal(1, await restore.ExitAsync(TestTimeout));
        Assert.Equal([$"mooring: the data folder '{data}' is in use; stop what uses it first"], restore.Lines);
        Assert.Equal(0, await up.StopAsync(TestTimeout));
    }
}
