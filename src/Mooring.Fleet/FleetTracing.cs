using System.Diagnostics;
using Mooring.Fleet.Protocol;
using Mooring.Kernel.Tracing;

namespace Mooring.Fleet;

/// <summary>Spans of messages from and to cars, on activity source <c>Mooring.Fleet</c>.</summary>
internal static class FleetTracing
{
    private static readonly ActivitySource Source = new("Mooring.Fleet");

    /// <summary>A car's message: from its receipt, through the mailbox, until everything is done that it brings about.</summary>
    internal static TraceSpan BeginReceipt(ExternalClient message, string car, TraceContext? parent)
    {
        var span = TraceSpan.Start(Source, NameOf(message.MessageTypeCase), ActivityKind.Consumer, parent);
        if (!span.IsRecorded) return span;
        span.With("mooring.fleet.car", car);
        return message.Status is { } status
            ? span.With("mooring.fleet.session", status.SessionId).With("mooring.fleet.counter", (long)status.MessageCounter)
            : span;
    }

    /// <summary>
    /// A status in the hands of a module. What a managed module starts itself belongs to it, so it is the caller's flow that it changes.
    /// </summary>
    internal static Activity? StartModule(int module, Device device, TraceContext? parent)
    {
        if (!Source.HasListeners()) return null;
        Activity.Current = null;
        var activity = Source.StartActivity("fleet module", ActivityKind.Internal, parent?.Value ?? default);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag("mooring.fleet.module", module).SetTag("mooring.fleet.device", device.DeviceRole);
        }
        return activity;
    }

    /// <summary>A message to a car, until the link to the broker has taken it.</summary>
    internal static TraceSpan BeginPublish(ExternalServer message, string car, TraceContext? parent)
    {
        var span = TraceSpan.Start(Source, NameOf(message.MessageTypeCase), ActivityKind.Producer, parent);
        return span.IsRecorded ? span.With("mooring.fleet.car", car) : span;
    }

    private static string NameOf(ExternalClient.MessageTypeOneofCase type) => type switch
    {
        ExternalClient.MessageTypeOneofCase.Connect => "fleet connect",
        ExternalClient.MessageTypeOneofCase.Status => "fleet status",
        ExternalClient.MessageTypeOneofCase.CommandResponse => "fleet command response",
        _ => "fleet message",
    };

    private static string NameOf(ExternalServer.MessageTypeOneofCase type) => type switch
    {
        ExternalServer.MessageTypeOneofCase.ConnectResponse => "fleet connect response",
        ExternalServer.MessageTypeOneofCase.StatusResponse => "fleet status response",
        _ => "fleet command",
    };
}
