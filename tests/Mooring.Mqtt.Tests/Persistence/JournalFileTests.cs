using System.Net;
using Microsoft.Extensions.Logging;
using Mooring.Mqtt.Broker;
using Mooring.Mqtt.Broker.Persistence;
using Mooring.Mqtt.Codec;
using Mooring.Mqtt.Tests.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Persistence;

/// <summary>Files that were cut, damaged, written by others, or are in use.</summary>
public sealed class JournalFileTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-journal-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Journal_cut_at_every_byte_loads_and_never_holds_less_than_a_shorter_one()
    {
        var (path, content) = await RecordedAsync();
        var former = -1;
        for (var length = 0; length <= content.Length; length++)
        {
            var state = Replay(content.AsSpan(0, length).ToArray());
            var records = Records(content.AsSpan(0, length).ToArray());
            Assert.True(records >= former, $"{records} records in {length} bytes of {path}");
            Assert.True(state.Sessions.Count <= 2 && state.Retained.Count <= 20);
            former = records;
        }

        var whole = Replay(content);
        Assert.Equal(2, whole.Sessions.Count);
        Assert.Equal(20, whole.Retained.Count);
        Assert.Equal(40, whole.Sessions.Single(session => session.ClientId == "away").Waiting.Count);
    }

    [Fact]
    public async Task Broker_starts_with_a_journal_cut_anywhere()
    {
        var (path, content) = await RecordedAsync();
        var random = new Random(7);
        for (var round = 0; round < 40; round++)
        {
            var folder = Directory.CreateDirectory(Path.Combine(_folder, "cut" + round)).FullName;
            await File.WriteAllBytesAsync(Path.Combine(folder, Path.GetFileName(path)), content[..random.Next(content.Length)], TestTimeout);
            await using var broker = Start(folder);
            using var client = RawClient.Connect(broker.EndPoints[0], "c");
            client.ExpectNothing();
        }
    }

    [Fact]
    public async Task Random_damage_never_stops_a_start_and_most_is_kept()
    {
        var (_, content) = await RecordedAsync();
        var whole = Records(content);
        var random = new Random(11);
        for (var round = 0; round < 5_000; round++)
        {
            var damaged = content.ToArray();
            var places = random.Next(1, 4);
            for (var place = 0; place < places; place++)
            {
                var at = random.Next(Segment.HeaderBytes, damaged.Length);
                var length = Math.Min(random.Next(1, 12), damaged.Length - at);
                random.NextBytes(damaged.AsSpan(at, length));
            }

            Replay(damaged);
            // A place of twelve bytes touches two records at most.
            Assert.InRange(Records(damaged), whole - (places * 2), whole);
        }
    }

    [Fact]
    public async Task Damaged_record_is_told_in_one_line_and_the_rest_is_kept()
    {
        var (path, content) = await RecordedAsync();
        content[content.Length / 2] ^= 0xFF;
        await File.WriteAllBytesAsync(path, content, TestTimeout);
        await using var broker = Start(_folder);
        var line = await LoggedAsync(2521);
        Assert.Contains(path, line.Message, StringComparison.Ordinal);
        Assert.Single(Log.Entries, entry => entry.Event.Id == 2521);
        Assert.InRange(broker.Retained, 19, 20);
        Assert.Equal(2, broker.Sessions);
    }

    [Fact]
    public async Task Folder_in_use_newer_format_and_foreign_files_are_refused_in_one_line()
    {
        var (path, content) = await RecordedAsync();
        await using (Start(_folder))
        {
            var inUse = Assert.Throws<StorageException>(() => Start(_folder));
            Assert.Equal($"the data folder '{_folder}' is in use by another broker; stop it, or name another folder", inUse.Message);
        }

        foreach (var file in Directory.GetFiles(_folder, "*.journal")) File.Delete(file);
        content[8] = 2;
        await File.WriteAllBytesAsync(path, content, TestTimeout);
        var newer = Assert.Throws<StorageException>(() => Start(_folder));
        Assert.Equal($"{path}: written in format 2 by a newer version; this one reads formats up to 1", newer.Message);
        await File.WriteAllTextAsync(path, "something else entirely", TestTimeout);
        var foreign = Assert.Throws<StorageException>(() => Start(_folder));
        Assert.Equal($"{path}: not a journal of this broker; move it away, or name another folder", foreign.Message);
    }

    [Fact]
    public async Task QoS_2_message_whose_routing_was_cut_off_reaches_the_sessions_that_do_not_have_it_and_no_other()
    {
        int reached;
        await using (var broker = Start(_folder))
        {
            foreach (var id in (string[])["has", "lacks"])
            {
                using var client = RawClient.Connect(broker.EndPoints[0], id, clean: false);
                client.Subscribe("t", 2);
            }

            using var publisher = RawClient.Connect(broker.EndPoints[0], "p", clean: false);
            publisher.ExpectNothing();
            var journal = broker.Journal!;
            var message = Mooring.Mqtt.Broker.Routing.RoutedMessage.Create("t"u8, "once"u8, QualityOfService.ExactlyOnce, retain: false);
            var sessions = Replay(await File.ReadAllBytesAsync(JournalIn(_folder), TestTimeout)).Sessions;
            reached = sessions.Single(session => session.ClientId == "has").Number;
            journal.Received(sessions.Single(session => session.ClientId == "p").Number, 5, message);
            journal.Queued(reached, new(message, QualityOfService.ExactlyOnce, false, []));
            journal.Commit();
        }

        await using var second = Start(_folder);
        foreach (var id in (string[])["has", "lacks"])
        {
            using var client = RawClient.Connect(second.EndPoints[0], id, clean: false, expect: "ConnAck present");
            Assert.Equal("Publish q2 topic=t id=1 payload=6F6E6365", client.Receive());
            client.ExpectNothing();
        }

        using var again = RawClient.Connect(second.EndPoints[0], "p", clean: false, expect: "ConnAck present");
        again.Publish("t", "once", qos: 2, id: 5);
        Assert.Equal("PubRec id=5 Success", again.Receive());
        using var lacks = RawClient.Connect(second.EndPoints[0], "lacks", clean: false, expect: "ConnAck present");
        Assert.Equal("Publish q2 dup topic=t id=1 payload=6F6E6365", lacks.Receive());
        lacks.ExpectNothing();
    }

    [Fact]
    public async Task Checkpoint_keeps_what_lives_and_deletes_the_older_files()
    {
        await using (var broker = Start(_folder, checkpointBytes: 8 * 1024))
        {
            using (var away = RawClient.Connect(broker.EndPoints[0], "away", clean: false))
            {
                away.Subscribe("q", 1);
            }

            using var present = RawClient.Connect(broker.EndPoints[0], "present", clean: false);
            present.Subscribe("p", 1);
            using var publisher = RawClient.Connect(broker.EndPoints[0], "publisher");
            publisher.Publish("q", "waits", qos: 1, id: 1);
            Assert.Equal("PubAck id=1 Success", publisher.Receive());
            for (var i = 1; i <= 300; i++)
            {
                publisher.Publish("p", new string('x', 100), qos: 1, id: 1);
                Assert.Equal("PubAck id=1 Success", publisher.Receive());
                Assert.StartsWith("Publish q1 topic=p", present.Receive(), StringComparison.Ordinal);
                present.Ack(MqttPacketType.PubAck, (ushort)i);
                if (i % 100 == 0)
                {
                    broker.Tick(broker.Now);
                }
            }
        }

        var bytes = Directory.GetFiles(_folder, "*.journal").Sum(file => new FileInfo(file).Length);
        Assert.InRange(bytes, 1, 60_000);
        await using var second = Start(_folder);
        using var back = RawClient.Connect(second.EndPoints[0], "away", clean: false, expect: "ConnAck present");
        Assert.Equal("Publish q1 topic=q id=1 payload=7761697473", back.Receive());
        back.ExpectNothing();
    }

    /// <summary>A journal with two sessions, one of which has 40 messages waiting, and 20 retained messages.</summary>
    private async Task<(string Path, byte[] Content)> RecordedAsync()
    {
        await using (var broker = Start(_folder))
        {
            using (var away = RawClient.Connect(broker.EndPoints[0], "away", clean: false))
            {
                away.Subscribe("q/+", 2);
                away.SendHex("E000");
                Assert.Equal("closed", away.Receive());
            }

            using var publisher = RawClient.Connect(broker.EndPoints[0], "publisher", clean: false);
            for (var i = 1; i <= 20; i++)
            {
                publisher.Publish($"q/{i}", $"payload {i}", qos: 1, id: (ushort)i, retain: true);
                Assert.Equal($"PubAck id={i} Success", publisher.Receive());
                publisher.Publish($"q/{i}x", "two", qos: 2, id: (ushort)(100 + i));
                Assert.Equal($"PubRec id={100 + i} Success", publisher.Receive());
                publisher.Ack(MqttPacketType.PubRel, (ushort)(100 + i));
                Assert.Equal($"PubComp id={100 + i} Success", publisher.Receive());
            }
        }

        var path = JournalIn(_folder);
        return (path, await File.ReadAllBytesAsync(path, TestTimeout));
    }

    private static string JournalIn(string folder) => Assert.Single(Directory.GetFiles(folder, "*.journal"));

    private MqttBroker Start(string folder, long checkpointBytes = 64 * 1024 * 1024)
    {
        var broker = new MqttBroker(
            new MqttBrokerOptions
            {
                Listeners = [new IPEndPoint(IPAddress.Loopback, 0)],
                Storage = new MqttStorageOptions { Folder = folder, SegmentBytes = 64 * 1024, CheckpointBytes = checkpointBytes },
            },
            LoggerFactory.CreateLogger<MqttBroker>(), TimeProvider.System);
        broker.Start();
        return broker;
    }

    private static StoredState Replay(byte[] content)
    {
        var replay = new JournalReplay(0);
        if (Segment.ReadSalt("test", content) is { } salt)
        {
            var reader = new SegmentReader(content, salt);
            while (reader.TryRead(out var type, out var body))
            {
                replay.Apply(type, body);
            }
        }

        return replay.Finish();
    }

    private static int Records(byte[] content)
    {
        var count = 0;
        if (Segment.ReadSalt("test", content) is { } salt)
        {
            var reader = new SegmentReader(content, salt);
            while (reader.TryRead(out _, out _))
            {
                count++;
            }
        }

        return count;
    }
}
