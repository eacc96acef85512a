using Mooring.Kernel.Options;
using Mooring.Mqtt.Broker;
using Mooring.Mqtt.Broker.Access;

namespace Mooring.Mqtt.Tests.Access;

public sealed class UserTableTests : IDisposable
{
    /// <summary>Written by mosquitto_passwd 2.0.11 for the password "secret".</summary>
    private const string OfMosquitto =
        "u1:$7$101$WrYMei1vvxZ/wTQ4$TsU+dpfE7Zcx70Bvb1MPipGsoPcjnH1mN0jGPTF3/nm1j3wGltqSjezejqxYHozrKoTZ1XWXkyIi7zOpR67AKA==";

    private readonly string _path = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"));

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void LineOfMosquittoPasswd_IsRead()
    {
        var hash = Parse(OfMosquitto + "\n", out var errors).Find("u1")!;
        Assert.Empty(errors.All);
        Assert.True(hash.Verify("secret"));
        Assert.False(hash.Verify("Secret"));
    }

    [Fact]
    public void EveryLineThatCannotBeRead_IsNamed_WithoutItsSecrets()
    {
        Parse(
            "# comment\n\nnonsense\nu:$6$JQShzMUMqnNB9gCU$VYAgch\nv:plain\n:$7$101$a$b\nw w:$7$\n" + OfMosquitto + "\n" + OfMosquitto, out var errors);
        Assert.Equal(["f:3", "f:4", "f:5", "f:6", "f:7", "f:9"], errors.All.Select(error => error.Key));
        Assert.DoesNotContain(errors.All, error => error.ToString().Contains("plain", StringComparison.Ordinal));
    }

    [Fact]
    public void UsersFile_SetsReplacesAndRemoves_AndLeavesOtherLinesAlone()
    {
        File.WriteAllText(_path, "# cars\n" + OfMosquitto + "\n");
        UsersFile.Set(_path, "acme/car1", "one", iterations: 1000);
        UsersFile.Set(_path, "u1", "two", iterations: 1000);
        UsersFile.Set(_path, "acme/car1", "three", iterations: 1000);
        var text = File.ReadAllText(_path);
        var table = Parse(text, out var errors);
        Assert.Empty(errors.All);
        Assert.StartsWith("# cars\nu1:", text, StringComparison.Ordinal);
        Assert.True(table.Find("u1")!.Verify("two"));
        Assert.True(table.Find("acme/car1")!.Verify("three"));
        Assert.True(UsersFile.Remove(_path, "u1"));
        Assert.False(UsersFile.Remove(_path, "u1"));
        Assert.Equal(2, File.ReadAllLines(_path).Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a:b")]
    [InlineData("#a")]
    [InlineData("a\nb")]
    public void UserNameThatWouldBreakTheFile_IsRefused(string name) =>
        Assert.Throws<ConfigurationException>(() => UsersFile.Set(_path, name, "x", iterations: 1000));

    private static UserTable Parse(string text, out OptionsErrors errors)
    {
        errors = new OptionsErrors();
        return UserTable.Parse(text, "f", errors);
    }
}
