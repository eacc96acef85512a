using System.Threading.Channels;
using Google.Protobuf;
using Mooring.Fleet.Protocol;
using Mooring.Mqtt;

namespace Mooring.Fleet.Tests.Servers;

/// <summary>What a car's gateway sends and receives, step by step.</summary>
internal sealed class Gateway(IMqttClient client, string company, string car) : IAsyncDisposable
{
    private readonly Channel<ExternalServer> _messages = Channel.CreateBounded<ExternalServer>(10_000);
    private readonly Channel<bool> _notes = Channel.CreateBounded<bool>(100);

    public string Car => car;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await client.StartAsync(cancellationToken);
        await client.SubscribeAsync(
            new MqttSubscription($"{company}/{car}/external_server"),
            (m, _) =>
            {
                Assert.True(_messages.Writer.TryWrite(ExternalServer.Parser.ParseFrom(m.Payload.Span)));
                return ValueTask.CompletedTask;
            },
            cancellationToken);
        await client.SubscribeAsync(
            new MqttSubscription($"{company}/{car}/external_server_disconnect"),
            (m, _) =>
            {
                Assert.Equal(0, m.Payload.Length);
                Assert.True(_notes.Writer.TryWrite(true));
                return ValueTask.CompletedTask;
            },
            cancellationToken);
    }

    public ValueTask SendAsync(ExternalClient message) => SendAsync(message.ToByteArray());

    public ValueTask SendAsync(byte[] payload) => client.PublishAsync(new MqttMessage
    {
        Topic = $"{company}/{car}/module_gateway",
        Payload = payload,
        QualityOfService = QualityOfService.AtLeastOnce,
    });

    public ValueTask StatusAsync(string session, Status.Types.DeviceState state, uint counter, Device device, string data) =>
        SendAsync(new ExternalClient
        {
            Status = new Status
            {
                SessionId = session,
                DeviceState = state,
                MessageCounter = counter,
                DeviceStatus = new DeviceStatus { Device = device, StatusData = ByteString.CopyFromUtf8(data) },
            },
        });

    public ValueTask<ExternalServer> NextAsync(CancellationToken cancellationToken) => _messages.Reader.ReadAsync(cancellationToken);

    public async Task NoteAsync(CancellationToken cancellationToken) => await _notes.Reader.ReadAsync(cancellationToken);

    public bool IsQuiet => _messages.Reader.Count == 0 && _notes.Reader.Count == 0;

    public ValueTask DisposeAsync() => client.DisposeAsync();
}
