using System.Text;
using Mooring.Mqtt.Broker;
using Mooring.Mqtt.Broker.Access;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Access;

public sealed class AccessListTests
{
    [Theory]
    [InlineData("#", "a/b", true)]
    [InlineData("#", "#", true)]
    [InlineData("#", "+/b", true)]
    [InlineData("#", "$SYS/x", false)]
    [InlineData("#", "$SYS/#", false)]
    [InlineData("+/x", "$SYS/x", false)]
    [InlineData("$SYS/#", "$SYS/broker/+", true)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/#", true)]
    [InlineData("a/#", "a/+/c", true)]
    [InlineData("a/#", "+/b", false)]
    [InlineData("a/+", "a/b", true)]
    [InlineData("a/+", "a/+", true)]
    [InlineData("a/+", "a/#", false)]
    [InlineData("a/+", "a", false)]
    [InlineData("a/+", "a/b/c", false)]
    [InlineData("a/+/#", "a/b", true)]
    [InlineData("a/+/#", "a/#", false)]
    [InlineData("a/b", "a/+", false)]
    [InlineData("+", "+", true)]
    [InlineData("+", "+/+", false)]
    public void Covers_OnlyWhatIsWhollyInside(string wider, string filter, bool expected) =>
        Assert.Equal(expected, TopicFilter.Covers(Encoding.UTF8.GetBytes(wider), Encoding.UTF8.GetBytes(filter)));

    [Fact]
    public void NoRules_NothingToCheck() => Assert.Null(new AccessList(null).For(new Identity("c", "u")));

    [Fact]
    public void EmptyList_DeniesEverything()
    {
        var none = new AccessList([]).For(new Identity("c", "u"))!;
        Assert.False(none.MayPublish("a"u8));
        Assert.False(none.MayReceive("a"u8));
        Assert.False(none.MaySubscribe("a"u8));
    }

    [Fact]
    public void FirstRuleThatMatches_Decides()
    {
        var own = Of([new(false, AccessAction.Subscribe, "a/secret"), new(true, AccessAction.All, "a/#"), new(false, AccessAction.All, "a/b")]);
        Assert.True(own.MayPublish("a/secret"u8));
        Assert.False(own.MayReceive("a/secret"u8));
        Assert.False(own.MaySubscribe("a/secret"u8));
        Assert.True(own.MaySubscribe("a/#"u8));
        Assert.True(own.MayReceive("a/b"u8));
        Assert.False(own.MayPublish("b"u8));
    }

    [Fact]
    public void FleetCar_HasItsThreeTopicsAndNoMore()
    {
        var car = Of(AccessRule.FleetCar, user: "acme/car1");
        Assert.True(car.MayPublish("acme/car1/module_gateway"u8));
        Assert.True(car.MaySubscribe("acme/car1/external_server"u8));
        Assert.True(car.MaySubscribe("acme/car1/external_server_disconnect"u8));
        Assert.False(car.MayPublish("acme/car2/module_gateway"u8));
        Assert.False(car.MayPublish("acme/car1/external_server"u8));
        Assert.False(car.MaySubscribe("acme/+/external_server"u8));
        Assert.False(car.MaySubscribe("acme/car1/module_gateway"u8));
    }

    [Theory]
    [InlineData("+")]
    [InlineData("#")]
    [InlineData("a/b")]
    [InlineData("%u")]
    [InlineData("")]
    public void NameThatCouldWidenARule_GivesNothing(string name)
    {
        var own = Of([new(true, AccessAction.All, "of/%c/x")], client: name);
        Assert.False(own.MaySubscribe("of/+/x"u8));
        Assert.False(own.MayPublish("of/a/b/x"u8));
        Assert.False(own.MayPublish(Encoding.UTF8.GetBytes($"of/{name}/x")));
    }

    [Fact]
    public void DenyRuleThatCannotBeJudged_DeniesEverything()
    {
        var own = Of([new(false, AccessAction.Publish, "not/%u"), new(true, AccessAction.All, "#")], user: null);
        Assert.False(own.MayPublish("a"u8));
        Assert.True(own.MayReceive("a"u8));
    }

    [Theory]
    [InlineData("acme/car1", "acme", "car1")]
    [InlineData("acme", null, null)]
    [InlineData("acme/car1/x", null, null)]
    [InlineData(null, null, null)]
    public void CompanyAndCar_AreTheTwoPartsOfTheUserName(string? user, string? company, string? car)
    {
        var identity = new Identity("c", user);
        Assert.Equal((company, car), (identity.Company, identity.Car));
    }

    [Fact]
    public void RuleOfAUser_IsForThatUserOnly()
    {
        AccessRule[] rules = [new(true, AccessAction.All, "#") { User = "admin" }];
        Assert.True(Of(rules, user: "admin").MayPublish("a"u8));
        Assert.False(Of(rules, user: "other").MayPublish("a"u8));
        Assert.False(Of(rules, user: null).MayPublish("a"u8));
    }

    private static Permissions Of(IReadOnlyList<AccessRule> rules, string client = "c", string? user = "u") =>
        new AccessList(rules).For(new Identity(client, user))!;
}
