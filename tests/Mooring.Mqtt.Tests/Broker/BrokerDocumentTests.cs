using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Mooring.Kernel.Options;
using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>What docs/operating/broker.md says of the limits is what the code does.</summary>
public sealed partial class BrokerDocumentTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N") + ".json");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void EveryLimit_IsInTheDocument_WithItsDefault()
    {
        var rows = Rows();
        Assert.Equal(typeof(MqttBrokerLimits).GetProperties(BindingFlags.Public | BindingFlags.Instance).Length, rows.Count);
        var numbers = rows.Where(row => long.TryParse(row.Value, NumberStyles.None, CultureInfo.InvariantCulture, out _));
        var json = string.Join(", ", numbers.Select(row => $"\"{row.Key}\": {row.Value}"));
        Assert.Equal(new MqttBrokerLimits(), Load($"{{ \"limits\": {{ {json} }} }}").Limits);
    }

    [Fact]
    public void EveryLimit_CanBeSet()
    {
        foreach (var key in Rows().Keys)
        {
            // None of the defaults.
            var limits = Load($"{{ \"limits\": {{ \"{key}\": 1234 }} }}").Limits;
            Assert.True(!limits.Equals(new MqttBrokerLimits()), key);
        }
    }

    [Fact]
    public void ConfigurationInTheDocument_CanBeRead()
    {
        var document = File.ReadAllText(RepositoryRoot.Combine("docs", "operating", "broker.md"));
        var samples = JsonBlock().Matches(document).Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(2, samples.Count);
        var options = Load(samples[0]);
        Assert.Equal([MqttTransport.Tcp, MqttTransport.Tls, MqttTransport.SecureWebSocket], options.Listeners.Select(listener => listener.Transport));
        Assert.Equal(5, Load($"{{ \"access\": {samples[1]} }}").AccessRules!.Count);
    }

    private MqttBrokerOptions Load(string json)
    {
        File.WriteAllText(_file, json);
        var errors = new OptionsErrors();
        var options = MqttBrokerConfiguration.Load(_file, errors);
        Assert.Empty(errors.All);
        return options;
    }

    private static Dictionary<string, string> Rows()
    {
        var document = File.ReadAllText(RepositoryRoot.Combine("docs", "operating", "broker.md"));
        var limits = document[document.IndexOf("## Limits", StringComparison.Ordinal)..document.IndexOf("## What an operator sees", StringComparison.Ordinal)];
        return Row().Matches(limits).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value, StringComparer.Ordinal);
    }

    [GeneratedRegex(@"^\| `(\w+)` \| ([^|]*) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();
}
