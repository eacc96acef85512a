using System.Net;
using System.Net.Sockets;

namespace Mooring.Testing;

/// <summary>A name in place of an address; compares by name.</summary>
public sealed class InMemoryEndPoint(string name) : EndPoint
{
    public string Name => name;

    /// <summary>Kestrel asks for it as soon as anything listens to its metrics; the inherited one throws.</summary>
    public override AddressFamily AddressFamily => AddressFamily.Unspecified;

    public override bool Equals(object? obj) => obj is InMemoryEndPoint other && other.Name == Name;

    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => name;
}
