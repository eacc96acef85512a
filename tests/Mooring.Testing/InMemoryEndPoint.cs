using System.Net;

namespace Mooring.Testing;

/// <summary>A name in place of an address; compares by name.</summary>
public sealed class InMemoryEndPoint(string name) : EndPoint
{
    public string Name => name;

    public override bool Equals(object? obj) => obj is InMemoryEndPoint other && other.Name == Name;

    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => name;
}
