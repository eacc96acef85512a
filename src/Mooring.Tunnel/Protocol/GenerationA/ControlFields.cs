using Mooring.Tunnel.Protocol.MessagePack;

namespace Mooring.Tunnel.Protocol.GenerationA;

/// <summary>All fields that any message of generation A has, as they are found in a map.</summary>
internal sealed class ControlFields
{
    public string? Type { get; private set; }

    public string? ClientId { get; private set; }

    public string? Os { get; private set; }

    public string? Arch { get; private set; }

    public string? Version { get; private set; }

    public string? MmVersion { get; private set; }

    public string? User { get; private set; }

    public string? Password { get; private set; }

    public string? Error { get; private set; }

    public string? ReqId { get; private set; }

    public string? Protocol { get; private set; }

    public string? Hostname { get; private set; }

    public string? Subdomain { get; private set; }

    public string? HttpAuth { get; private set; }

    public int RemotePort { get; private set; }

    public string? Url { get; private set; }

    public string? TunnelId { get; private set; }

    public string? Code { get; private set; }

    public string? Message { get; private set; }

    public string? ClientAddr { get; private set; }

    public string? RequestId { get; private set; }

    public double Timestamp { get; private set; }

    public ReadOnlyMemory<byte> Content { get; private set; }

    public void Read(ref MessagePackReader reader)
    {
        for (var left = reader.ReadMapHeader(); left > 0; left--)
        {
            var key = reader.ReadString();
            if (!reader.TryReadNil()) ReadValue(key, ref reader);
        }
    }

    private void ReadValue(string key, ref MessagePackReader reader)
    {
        switch (key)
        {
            case "Type": Type = reader.ReadString(); break;
            case "type": Type = Prefer(Type, reader.ReadString()); break;
            case "ClientId": ClientId = reader.ReadString(); break;
            case "OS": Os = reader.ReadString(); break;
            case "Arch": Arch = reader.ReadString(); break;
            case "Version": Version = reader.ReadString(); break;
            case "MmVersion": MmVersion = reader.ReadString(); break;
            case "User": User = reader.ReadString(); break;
            case "Password": Password = reader.ReadString(); break;
            case "Error": Error = reader.ReadString(); break;
            case "ReqId": ReqId = reader.ReadString(); break;
            case "Protocol": Protocol = reader.ReadString(); break;
            case "Hostname": Hostname = reader.ReadString(); break;
            case "Subdomain": Subdomain = reader.ReadString(); break;
            case "HttpAuth": HttpAuth = reader.ReadString(); break;
            case "RemotePort": RemotePort = (int)reader.ReadInt64(0, ushort.MaxValue); break;
            case "Url": Url = reader.ReadString(); break;
            case "TunnelId": TunnelId = reader.ReadString(); break;
            case "error_code": Code = reader.ReadString(); break;
            case "ErrorCode": Code = Prefer(Code, reader.ReadString()); break;
            case "message": Message = reader.ReadString(); break;
            case "Message": Message = Prefer(Message, reader.ReadString()); break;
            case "ClientAddr": ClientAddr = reader.ReadString(); break;
            case "RequestId": RequestId = reader.ReadString(); break;
            case "Timestamp": Timestamp = reader.ReadDouble(); break;
            case "data": Content = reader.ReadBinary().ToArray(); break;
            case "Payload" or "payload" when reader.NextType == MessagePackType.Map: ReadPayload(ref reader); break;
            default: reader.ReadRaw(); break;
        }
    }

    // Some servers repeat the correlation id of an error one level deeper.
    private void ReadPayload(ref MessagePackReader reader)
    {
        for (var left = reader.ReadMapHeader(); left > 0; left--)
        {
            if (reader.ReadText().SequenceEqual("req_id"u8) && reader.NextType == MessagePackType.Text) ReqId ??= reader.ReadString();
            else reader.ReadRaw();
        }
    }

    private static string Prefer(string? first, string second) => first ?? second;
}
