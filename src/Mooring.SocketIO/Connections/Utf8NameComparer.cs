using System.Text;

namespace Mooring.SocketIO.Connections;

/// <summary>Looks texts up by their UTF-8, so that a name on the wire need not become a string first.</summary>
internal sealed class Utf8NameComparer : IEqualityComparer<string>, IAlternateEqualityComparer<ReadOnlySpan<byte>, string>
{
    private const int StackBytesMax = 256;

    public static Utf8NameComparer Instance { get; } = new();

    public bool Equals(string? x, string? y) => string.Equals(x, y, StringComparison.Ordinal);

    public int GetHashCode(string obj)
    {
        var bytesMax = Encoding.UTF8.GetMaxByteCount(obj.Length);
        var utf8 = bytesMax <= StackBytesMax ? stackalloc byte[StackBytesMax] : new byte[bytesMax];
        return GetHashCode(utf8[..Encoding.UTF8.GetBytes(obj, utf8)]);
    }

    public bool Equals(ReadOnlySpan<byte> alternate, string other) =>
        Ascii.IsValid(alternate)
            ? Ascii.Equals(alternate, other)
            : Encoding.UTF8.GetByteCount(other) == alternate.Length && Encoding.UTF8.GetString(alternate) == other;

    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        var hash = new HashCode();
        hash.AddBytes(alternate);
        return hash.ToHashCode();
    }

    public string Create(ReadOnlySpan<byte> alternate) => Encoding.UTF8.GetString(alternate);
}
