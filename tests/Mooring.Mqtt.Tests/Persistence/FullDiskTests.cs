using Mooring.Mqtt.Tests.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Persistence;

/// <summary>A disk that is full for a while.</summary>
public sealed class FullDiskTests : MooringTest
{
    private const int DiskBytes = 2 * 1024 * 1024;

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-full-").FullName;
    private readonly string _payload = new('x', 4000);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Messages_that_cannot_be_stored_are_refused_others_go_on_and_all_is_well_once_there_is_room()
    {
        await using var broker = await BrokerProcess.StartAsync(_folder, TestTimeout, diskBytes: DiskBytes);
        var disk = $"/proc/{broker.Id}/root{_folder}";
        await File.WriteAllBytesAsync(Path.Combine(disk, "filler"), new byte[DiskBytes / 8 * 5], TestTimeout);
        var kept = RawClient.Connect(broker.Address, "kept", clean: false);
        kept.Subscribe("stored/#", 1);
        kept.SendHex("E000");
        Assert.Equal("closed", kept.Receive());
        kept.Dispose();

        var acknowledged = PublishUntilRefused(broker);
        Assert.True(acknowledged > 50, $"{acknowledged} were taken");

        using (var old = RawClient.Connect(broker.Address, "old"))
        {
            old.Publish("stored/x", "3.1.1 has no code for it", qos: 1, id: 1);
            Assert.Equal("closed", old.Receive());
        }

        using (var newcomer = RawClient.Connect(broker.Address, "newcomer", MqttVersion.V500, clean: false, expiry: 60, expect: "ConnAck ServerBusy"))
        {
            Assert.Equal("closed", newcomer.Receive());
        }

        using (var other = RawClient.Connect(broker.Address, "other"))
        {
            other.Subscribe("live/#", 1);
            other.Publish("live/0", "a");
            Assert.Equal("Publish q0 topic=live/0 payload=61", other.Receive());
            other.Publish("live/1", "b", qos: 1, id: 1);
            Assert.Equal(["PubAck id=1 Success", "Publish q1 topic=live/1 id=1 payload=62"], new[] { other.Receive(), other.Receive() }.Order());
        }

        File.Delete(Path.Combine(disk, "filler"));
        using (var publisher = RawClient.Connect(broker.Address, "again", MqttVersion.V500))
        {
            string answer;
            do
            {
                publisher.Publish("stored/x", "after", qos: 1, id: 9);
                answer = publisher.Receive();
            }
            while (answer == "PubAck id=9 QuotaExceeded" && !TestTimeout.IsCancellationRequested);
            Assert.Equal("PubAck id=9 Success", answer);
        }

        broker.Freeze();
        var copy = Directory.CreateDirectory(Path.Combine(_folder, "copy")).FullName;
        foreach (var file in Directory.GetFiles(disk, "*.journal"))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        await broker.KillAsync(TestTimeout);
        await using var second = await BrokerProcess.StartAsync(copy, TestTimeout);
        using var back = RawClient.Connect(second.Address, "kept", clean: false, expect: "ConnAck present");
        var received = 0;
        while (!back.Receive().EndsWith("payload=6166746572", StringComparison.Ordinal))
        {
            back.Ack(Mooring.Mqtt.Codec.MqttPacketType.PubAck, (ushort)++received);
        }

        // A message whose acknowledgement never left may be there too.
        Assert.InRange(received, acknowledged, acknowledged + 1);
    }

    private int PublishUntilRefused(BrokerProcess broker)
    {
        var acknowledged = 0;
        while (true)
        {
            using var publisher = RawClient.Connect(broker.Address, "p", MqttVersion.V500);
            var answer = "";
            do
            {
                publisher.Publish("stored/x", _payload, qos: 1, id: 1);
                answer = publisher.Receive();
                acknowledged += answer == "PubAck id=1 Success" ? 1 : 0;
            }
            while (answer == "PubAck id=1 Success");

            if (answer == "PubAck id=1 QuotaExceeded")
            {
                return acknowledged;
            }

            // The one whose record met the full disk: its acknowledgement never left.
            Assert.Equal("closed", answer);
        }
    }
}
