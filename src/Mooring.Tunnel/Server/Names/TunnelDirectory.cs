using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server.Names;

/// <summary>Which tunnel is behind a host; the one seam where "is it here?" is asked.</summary>
internal sealed class TunnelDirectory
{
    private readonly ConcurrentDictionary<string, TunnelBinding> _byKey = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, TunnelBinding>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly string _suffix;

    public TunnelDirectory(string baseDomain)
    {
        BaseDomain = baseDomain;
        _suffix = "." + baseDomain;
        _lookup = _byKey.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public string BaseDomain { get; }

    /// <summary>Called when a tunnel has opened (true) or closed.</summary>
    public event Action<TunnelBinding, bool>? Changed;

    public IReadOnlyCollection<TunnelBinding> All => [.. _byKey.Values];

    public int Count => _byKey.Count;

    /// <summary>Finds the tunnel for a Host field: exact host names first, then the left-most label under the base domain.</summary>
    public bool TryFind(string host, [NotNullWhen(true)] out TunnelBinding? binding)
    {
        var name = WithoutPort(host).TrimEnd('.');
        if (_lookup.TryGetValue(name, out binding) && binding.Hostname is not null) return true;
        binding = null;
        return TryLabel(name, out var label) && _lookup.TryGetValue(label, out binding) && binding.Hostname is null;
    }

    /// <summary>The name that a Host field asks for: a label of the base domain, or the whole host.</summary>
    public string NameOf(string host)
    {
        var name = WithoutPort(host).TrimEnd('.');
        return TryLabel(name, out var label) ? label.ToString() : name.ToString();
    }

    private bool TryLabel(ReadOnlySpan<char> name, out ReadOnlySpan<char> label)
    {
        label = default;
        if (!name.EndsWith(_suffix, StringComparison.OrdinalIgnoreCase)) return false;
        label = name[..^_suffix.Length];
        label = label[(label.LastIndexOf('.') + 1)..];
        return true;
    }

    public bool TryGet(string key, [NotNullWhen(true)] out TunnelBinding? binding) => _byKey.TryGetValue(key, out binding);

    public bool TryAdd(TunnelBinding binding)
    {
        if (!_byKey.TryAdd(binding.Name, binding)) return false;
        binding.Session.Usage.CountTunnels(+1);
        return true;
    }

    /// <summary>Visitors can come from now on; a name that was only tried is never told of.</summary>
    public void Announce(TunnelBinding binding)
    {
        binding.IsAnnounced = true;
        Changed?.Invoke(binding, true);
    }

    public bool Remove(TunnelBinding binding)
    {
        if (!_byKey.TryRemove(new KeyValuePair<string, TunnelBinding>(binding.Name, binding))) return false;
        binding.Session.Usage.CountTunnels(-1);
        if (binding.IsAnnounced) Changed?.Invoke(binding, false);
        return true;
    }

    private static ReadOnlySpan<char> WithoutPort(string host)
    {
        if (host.StartsWith('[')) return host.AsSpan(0, host.IndexOf(']', StringComparison.Ordinal) + 1);
        var colon = host.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? host : host.AsSpan(0, colon);
    }
}
