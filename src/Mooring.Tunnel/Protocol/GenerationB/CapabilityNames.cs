using Mooring.Tunnel.Protocol.MessagePack;

namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>Capabilities as the list of texts that the field "caps" holds. Unknown texts are other peoples' capabilities.</summary>
internal static class CapabilityNames
{
    private static readonly (Capabilities Capability, string Name)[] s_names =
    [
        (Capabilities.Windows, "win"), (Capabilities.HalfClose, "half"), (Capabilities.Trailers, "trl"), (Capabilities.Raw, "raw"),
        (Capabilities.Tcp, "tcp"), (Capabilities.Metadata, "meta"), (Capabilities.Drain, "drain"),
    ];

    internal static void Write(MessagePackWriter writer, Capabilities capabilities)
    {
        writer.WriteArrayHeader(int.PopCount((int)(capabilities & Capabilities.All)));
        foreach (var (capability, name) in s_names)
        {
            if (capabilities.HasFlag(capability)) writer.WriteText(name);
        }
    }

    internal static Capabilities Read(ref MessagePackReader reader)
    {
        var found = Capabilities.None;
        for (var left = reader.ReadArrayHeader(); left > 0; left--)
        {
            if (reader.NextType != MessagePackType.Text)
            {
                reader.ReadRaw();
                continue;
            }
            var text = reader.ReadString();
            foreach (var (capability, name) in s_names)
            {
                if (text == name) found |= capability;
            }
        }
        return found;
    }
}
