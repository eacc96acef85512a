using System.Diagnostics;
using Google.Protobuf;
using Mooring.Fleet.Protocol;
using Mooring.Kernel.Tracing;
using Mooring.Testing;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;

namespace Mooring.Fleet.Tests.Cars;

[Collection(TracedAloneCollection.Name)]
public sealed class CarTracingTests : CarTest
{
    private readonly SpanCollector _spans = new("Mooring.Fleet");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _spans.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Status_ItsModuleAndItsResponse_AreOneTrace()
    {
        Start();
        await RunAsync(Device("a"));
        var root = SendTraced(2);
        await NextAsync();
        var status = await _spans.WhenAsync(root.TraceId, "fleet status", TestTimeout);
        var module = await _spans.WhenAsync(root.TraceId, "fleet module", TestTimeout);
        var response = await _spans.WhenAsync(root.TraceId, "fleet status response", TestTimeout);
        Assert.Equal(root.SpanId, status.ParentSpanId);
        Assert.Equal(status.SpanId, module.ParentSpanId);
        Assert.Equal(status.SpanId, response.ParentSpanId);
        Assert.Equal((ActivityKind.Consumer, ActivityKind.Internal, ActivityKind.Producer), (status.Kind, module.Kind, response.Kind));
        Assert.Equal(("car", 2L), (status.GetTagItem("mooring.fleet.car"), status.GetTagItem("mooring.fleet.counter")));
        Assert.Equal(1000, module.GetTagItem("mooring.fleet.module"));
        Assert.Equal(response.Context, Mqtt.Published[^1].Trace!.Value);
    }

    [Fact]
    public async Task StatusBehindAGap_StaysInItsOwnTrace()
    {
        Start();
        await RunAsync(Device("a"));
        var second = SendTraced(3);
        var first = SendTraced(2);
        foreach (var root in (ActivityContext[])[first, second])
        {
            var status = await _spans.WhenAsync(root.TraceId, "fleet status", TestTimeout);
            var response = await _spans.WhenAsync(root.TraceId, "fleet status response", TestTimeout);
            Assert.Equal(status.SpanId, response.ParentSpanId);
        }
    }

    [Fact]
    public async Task FirstStatus_ReachesItsModuleInItsOwnTrace()
    {
        Start();
        Connect(Device("a"), Device("b"));
        await NextAsync();
        var roots = new[] { SendTraced(1, "a", DeviceState.Connecting), SendTraced(2, "b", DeviceState.Connecting) };
        foreach (var root in roots)
        {
            var status = await _spans.WhenAsync(root.TraceId, "fleet status", TestTimeout);
            var module = await _spans.WhenAsync(root.TraceId, "fleet module", TestTimeout);
            Assert.Equal(status.SpanId, module.ParentSpanId);
        }
    }

    [Fact]
    public async Task Command_BelongsToWhatGaveIt()
    {
        Start();
        await RunAsync(Device("a"));
        var root = SpanCollector.NewTrace();
        Car.Post(new Mooring.Fleet.Cars.CarEvent(
            Mooring.Fleet.Cars.CarEventKind.Command,
            Command: new Mooring.Fleet.Cars.CarCommand(Device("a"), ByteString.CopyFromUtf8("go")) { Trace = new TraceContext(root) }));
        await NextAsync();
        var command = await _spans.WhenAsync(root.TraceId, "fleet command", TestTimeout);
        Assert.Equal(root.SpanId, command.ParentSpanId);
    }

    [Fact]
    public async Task StatusThatFindsTheMailboxFull_EndsItsTraceAsAFailure()
    {
        Module.Hangs = true;
        Start(Defaults with { Limits = Defaults.Limits with { MailboxMessages = 1 } });
        // With a mailbox of one place, even the start must be over.
        await SettleAsync();
        Connect(Device("a"));
        await NextAsync();
        // The module never returns from the first; the second fills the mailbox.
        SendTraced(1, "a", DeviceState.Connecting);
        await NextAsync();
        SendTraced(2);
        var dropped = SendTraced(3);
        var span = await _spans.WhenAsync(dropped.TraceId, "fleet status", TestTimeout);
        Assert.Equal(ActivityStatusCode.Error, span.Status);
    }

    private ActivityContext SendTraced(uint counter, string role = "a", DeviceState state = DeviceState.Running)
    {
        var root = SpanCollector.NewTrace();
        Car.Receive(new ExternalClient
        {
            Status = new Status
            {
                SessionId = Session,
                DeviceState = state,
                MessageCounter = counter,
                DeviceStatus = new DeviceStatus { Device = Device(role), StatusData = ByteString.CopyFromUtf8("x") },
            },
        }.ToByteArray(), new TraceContext(root));
        return root;
    }
}
