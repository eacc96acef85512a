using System.Globalization;
using Mooring.Kernel.Options;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Mooring.Tunnel.Client.Configuration;

/// <summary>A <c>retunnel.yml</c>: a server, a token, and tunnels to publish together.</summary>
public sealed record TunnelFile
{
    private static readonly string[] s_keys = ["server_addr", "auth_token", "region", "log_level", "tunnels"];

    private static readonly string[] s_tunnelKeys =
        ["name", "protocol", "local_port", "local_host", "subdomain", "hostname", "auth", "remote_port", "inspect", "host_header", "http2", "proxy_protocol"];

    /// <summary>Bytes of a file; tunnels are few.</summary>
    private const int BytesMax = 1024 * 1024;

    /// <summary>The server; null when the file does not say one.</summary>
    public string? Server { get; init; }

    /// <summary>The token; null when the file does not say one.</summary>
    public string? Token { get; init; }

    /// <summary>What to publish.</summary>
    public IReadOnlyList<TunnelDefinition> Tunnels { get; init; } = [];

    /// <summary>What is odd but does no harm, such as keys that nobody knows; each with its line.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Reads and checks a file; everything that is wrong is told at once, with its line.</summary>
    /// <param name="path">The file.</param>
    /// <param name="variable">A variable of the environment, for <c>${NAME}</c>; null when it is not set.</param>
    /// <exception cref="ConfigurationException">It cannot be used.</exception>
    public static TunnelFile Read(string path, Func<string, string?> variable)
    {
        var text = File.ReadAllText(path);
        return text.Length <= BytesMax ? Parse(text, path, variable) : throw new ConfigurationException(path, "is too large for a list of tunnels");
    }

    internal static TunnelFile Parse(string text, string source, Func<string, string?> variable)
    {
        var errors = new OptionsErrors();
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new StringReader(text));
        }
        catch (YamlException exception)
        {
            throw new ConfigurationException(source, string.Create(CultureInfo.InvariantCulture, $"line {exception.Start.Line}: no YAML: {exception.InnerException?.Message ?? exception.Message}"));
        }
        if (yaml.Documents.Count == 0 || yaml.Documents[0].RootNode is not YamlMappingNode root) throw new ConfigurationException(source, "is not a mapping of keys");
        var reading = new YamlFields(root, "", errors, variable);
        reading.WarnUnknown(s_keys);
        var tunnels = new List<TunnelDefinition>();
        foreach (var (index, node) in reading.List("tunnels").Index())
        {
            var key = string.Create(CultureInfo.InvariantCulture, $"tunnels[{index}]");
            if (node is YamlMappingNode mapping) tunnels.Add(ReadTunnel(new YamlFields(mapping, key + ".", errors, variable)));
            else errors.Add(key, $"is not a mapping (line {node.Start.Line})");
        }
        reading.Require(tunnels.Count > 0, "tunnels", null, "at least one tunnel is needed");
        RefuseTwins(tunnels, "name", tunnel => tunnel.Name, errors);
        RefuseTwins(tunnels, "subdomain", tunnel => tunnel.Subdomain?.ToLowerInvariant(), errors);
        RefuseTwins(tunnels, "hostname", tunnel => tunnel.Hostname?.ToLowerInvariant(), errors);
        RefuseTwins(tunnels, "remote_port", tunnel => tunnel.RemotePort?.ToString(CultureInfo.InvariantCulture), errors);
        // A key that nobody knows is often why another is missing.
        if (!errors.IsEmpty) foreach (var warning in errors.Warnings) errors.Add(warning.Key, warning.Rule);
        errors.ThrowIfAny(source);
        return new TunnelFile
        {
            Server = reading.Text("server_addr"),
            Token = reading.Text("auth_token"),
            Tunnels = tunnels,
            Warnings = [.. errors.Warnings.Select(warning => $"{source}: {warning}")],
        };
    }

    private static void RefuseTwins(List<TunnelDefinition> tunnels, string key, Func<TunnelDefinition, string?> value, OptionsErrors errors)
    {
        foreach (var twins in tunnels.Index().Where(each => value(each.Item) is not null).GroupBy(each => value(each.Item)).Where(each => each.Count() > 1))
            errors.Add($"tunnels[{string.Join("] and tunnels[", twins.Select(each => each.Index))}]", $"'{twins.Key}' is the {key} of both");
    }

    private static TunnelDefinition ReadTunnel(YamlFields fields)
    {
        fields.WarnUnknown(s_tunnelKeys);
        var protocol = fields.Text("protocol");
        fields.Require(protocol is "http" or "tcp", "protocol", protocol, "Unsupported protocol: http or tcp");
        fields.Require(fields.Text("name") is { Length: > 0 }, "name", null, "a name is needed");
        var (subdomain, hostname, auth) = (fields.Text("subdomain"), fields.Text("hostname"), fields.Text("auth"));
        fields.Require(auth is null || auth.Contains(':', StringComparison.Ordinal), "auth", null, "must be user:password");
        fields.Require(hostname is null || subdomain is null, "hostname", hostname, "cannot be used with subdomain");
        fields.Require(
            subdomain is null || (subdomain.Length is > 0 and <= 63 && subdomain[0] != '-' && subdomain[^1] != '-' && subdomain.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')),
            "subdomain", subdomain, "one label of a-z, 0-9 and -");
        var host = fields.Text("host_header");
        fields.Require(TunnelDefinition.IsHostHeader(host), "host_header", host, "rewrite, preserve, or a host without spaces");
        var proxy = fields.Text("proxy_protocol");
        fields.Require(proxy is null or "1" or "2", "proxy_protocol", proxy, "1 or 2");
        fields.Require(proxy is null || protocol is "tcp", "proxy_protocol", proxy, "is for protocol tcp; HTTP has X-Forwarded-For");
        return new TunnelDefinition
        {
            Name = fields.Text("name"),
            Protocol = protocol == "tcp" ? TunnelProtocol.Tcp : TunnelProtocol.Http,
            LocalPort = fields.Port("local_port", isRequired: true) ?? 0,
            LocalHost = fields.Text("local_host"),
            Subdomain = subdomain,
            Hostname = hostname,
            Auth = auth,
            RemotePort = fields.Port("remote_port", isRequired: false),
            Inspect = fields.Text("inspect") is not ("false" or "no" or "off"),
            HostHeader = host is "rewrite" ? null : host,
            ProxyProtocol = proxy is "1" or "2" ? proxy[0] - '0' : null,
            IsHttp2 = fields.Text("http2") is "true" or "yes" or "on",
        };
    }
}
