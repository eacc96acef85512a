using System.Buffers;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Protocol.MessagePack;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>Header fields for peers whose headers are a map: fields that repeat are joined (RFC 9110 5.3), cookies with a semicolon.</summary>
internal static class HeaderMap
{
    public static List<KeyValuePair<string, string>> Joined(HeaderBlock block)
    {
        var fields = new List<KeyValuePair<string, string>>();
        var reader = new HeaderReader(block.Encoded);
        while (reader.Read())
        {
            var name = FrameView.Text(reader.Name);
            var value = FrameView.Text(reader.Value);
            var at = fields.FindIndex(field => field.Key.Equals(name, StringComparison.OrdinalIgnoreCase));
            if (at < 0) fields.Add(new(name, value));
            else fields[at] = new(fields[at].Key, fields[at].Value + (name.Equals("cookie", StringComparison.OrdinalIgnoreCase) ? "; " : ", ") + value);
        }
        return fields;
    }

    public static byte[] Of(HeaderBlock block)
    {
        var fields = Joined(block);
        var output = new ArrayBufferWriter<byte>(512);
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(fields.Count);
        foreach (var (name, value) in fields)
        {
            writer.WriteText(name);
            writer.WriteText(value);
        }
        return output.WrittenSpan.ToArray();
    }
}
