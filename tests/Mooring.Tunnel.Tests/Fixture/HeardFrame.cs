using System.Text;
using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Tests.Fixture;

/// <summary>A frame of generation B that a client sent, out of its buffer.</summary>
internal sealed record HeardFrame(
    FrameKind Kind, long StreamId, byte[] Bytes, DataKind DataKind, DataFraming Framing, string Subdomain, string Protocol, string Token, int Version, bool HasVersion, int CloseCode, string Reason)
{
    public string Text => Encoding.UTF8.GetString(Bytes);

    /// <summary>Status of a response head.</summary>
    public int Status => ResponseHead.Read(Bytes).Status;

    public static HeardFrame Of(byte[] message)
    {
        var frame = FrameReader.Read(message);
        return new HeardFrame(
            frame.Kind, frame.StreamId, frame.Bytes.ToArray(), frame.DataKind, frame.Framing, FrameView.Text(frame.Subdomain), FrameView.Text(frame.Protocol),
            FrameView.Text(frame.Token), frame.Version, frame.HasVersion, frame.CloseCode, FrameView.Text(frame.Reason));
    }
}
