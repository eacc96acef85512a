using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Mooring.Tunnel.Server.Names;

/// <summary>Asks the system's name server for records that the framework has no call for (RFC 1035): TXT and CNAME.</summary>
internal sealed class DnsResolver(IPEndPoint? server, TimeProvider time)
{
    private const ushort Cname = 5;
    private const ushort Txt = 16;
    private const int HeaderBytes = 12;
    private const int AnswerBytesMax = 4096;
    private const int PointersMax = 16;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(3);

    /// <summary>All texts at a name; none when there is no answer.</summary>
    public async Task<IReadOnlyList<string>> TextsAsync(string name, CancellationToken cancellationToken)
    {
        var texts = new List<string>();
        foreach (var (type, message, start, length) in await AskAsync(name, Txt, cancellationToken))
        {
            if (type != Txt) continue;
            var text = new StringBuilder();
            for (var at = start; at < start + length && at + message[at] < start + length; at += 1 + message[at])
                text.Append(Encoding.ASCII.GetString(message, at + 1, message[at]));
            texts.Add(text.ToString());
        }
        return texts;
    }

    /// <summary>The name that a name is an alias of; null when it is none.</summary>
    public async Task<string?> AliasAsync(string name, CancellationToken cancellationToken)
    {
        foreach (var (type, message, start, _) in await AskAsync(name, Cname, cancellationToken))
        {
            if (type != Cname) continue;
            try
            {
                var at = start;
                return ReadName(message, ref at);
            }
            catch (Exception exception) when (exception is IndexOutOfRangeException or ArgumentException)
            {
                // A name that goes on behind the end of the answer is none.
            }
        }
        return null;
    }

    private async Task<IReadOnlyList<Record>> AskAsync(string name, ushort type, CancellationToken cancellationToken)
    {
        var target = server ?? NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().DnsAddresses)
            .Where(address => !address.IsIPv6LinkLocal).Select(address => new IPEndPoint(address, 53)).FirstOrDefault();
        if (target is null) return [];
        using var socket = new Socket(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        using var limit = new CancellationTokenSource(s_timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await socket.ConnectAsync(target, both.Token);
            var id = (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1);
            await socket.SendAsync(Question(id, name, type), both.Token);
            var answer = new byte[AnswerBytesMax];
            int length;
            do length = await socket.ReceiveAsync(answer, both.Token);
            while (length < HeaderBytes || BinaryPrimitives.ReadUInt16BigEndian(answer) != id);
            return Records(answer[..length]);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or IndexOutOfRangeException or ArgumentException)
        {
            return [];
        }
    }

    private static byte[] Question(ushort id, string name, ushort type)
    {
        var message = new MemoryStream();
        Span<byte> header = stackalloc byte[HeaderBytes];
        header.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(header, id);
        // Recursion desired, one question.
        header[2] = 1;
        header[5] = 1;
        message.Write(header);
        foreach (var label in name.Split('.'))
        {
            message.WriteByte((byte)label.Length);
            message.Write(Encoding.ASCII.GetBytes(label));
        }
        message.Write([0, (byte)(type >> 8), (byte)type, 0, 1]);
        return message.ToArray();
    }

    private static List<Record> Records(byte[] message)
    {
        var records = new List<Record>();
        var at = HeaderBytes;
        for (var questions = BinaryPrimitives.ReadUInt16BigEndian(message.AsSpan(4)); questions > 0; questions--)
        {
            ReadName(message, ref at);
            at += 4;
        }
        for (var answers = BinaryPrimitives.ReadUInt16BigEndian(message.AsSpan(6)); answers > 0; answers--)
        {
            ReadName(message, ref at);
            var type = BinaryPrimitives.ReadUInt16BigEndian(message.AsSpan(at));
            var length = BinaryPrimitives.ReadUInt16BigEndian(message.AsSpan(at + 8));
            at += 10;
            if (at + length > message.Length) break;
            records.Add(new Record(type, message, at, length));
            at += length;
        }
        return records;
    }

    // Labels, and pointers to labels further in front; a loop of pointers ends after a few.
    private static string ReadName(byte[] message, ref int at)
    {
        var name = new StringBuilder();
        var position = at;
        var jumps = 0;
        while (message[position] != 0)
        {
            if (message[position] >= 0xC0)
            {
                if (jumps++ == 0) at = position + 2;
                if (jumps > PointersMax) return "";
                position = ((message[position] & 0x3F) << 8) | message[position + 1];
                continue;
            }
            if (name.Length > 0) name.Append('.');
            name.Append(Encoding.ASCII.GetString(message, position + 1, message[position]));
            position += 1 + message[position];
        }
        if (jumps == 0) at = position + 1;
        return name.ToString();
    }

    private readonly record struct Record(ushort Type, byte[] Message, int Start, int Length);
}
