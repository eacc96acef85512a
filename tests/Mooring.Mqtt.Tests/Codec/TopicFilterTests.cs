using System.Text;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Codec;

public sealed class TopicFilterTests
{
    [Theory]
    [InlineData("a/#", "a|a/|a/b/c", "ab|/a")]
    [InlineData("#", "a|/|a/b", "$SYS/x")]
    [InlineData("/#", "/|/a|//", "a")]
    [InlineData("+", "a", "/a|a/|$x")]
    [InlineData("+/+", "/|/a|a/|a/b", "a|$x/y")]
    [InlineData("/+", "/a|/", "a|//")]
    [InlineData("a/+", "a/|a/b", "a|a/b/c")]
    [InlineData("a/+/c", "a//c|a/b/c", "a/c")]
    [InlineData("+/b/#", "a/b|a/b/c|/b", "$a/b")]
    [InlineData("$SYS/#", "$SYS|$SYS/a", "SYS")]
    [InlineData("$SYS/+", "$SYS/a", "$SYS|$SYS/a/b")]
    [InlineData("a/+/+/#", "a/b/c|a//|a/b/c/d", "a/b")]
    [InlineData("a/b", "a/b", "a|a/B|a/b/")]
    public void MQTT_4_7_filter_matches_what_the_standard_says(string filter, string matching, string others)
    {
        foreach (var topic in matching.Split('|'))
        {
            Assert.True(TopicFilter.Matches(Utf8(filter), Utf8(topic)), $"{filter} ~ {topic}");
        }

        foreach (var topic in others.Split('|'))
        {
            Assert.False(TopicFilter.Matches(Utf8(filter), Utf8(topic)), $"{filter} !~ {topic}");
        }
    }

    [Theory]
    [InlineData("a#")]
    [InlineData("#/a")]
    [InlineData("a/#/b")]
    [InlineData("a+")]
    [InlineData("+a/b")]
    [InlineData("")]
    public void Filter_with_a_wildcard_inside_a_level_is_not_valid(string filter) => Assert.False(TopicFilter.IsValid(Utf8(filter)));

    [Theory]
    [InlineData("$share/g/a/+", true, "g", "a/+")]
    [InlineData("$share/g//f", true, "g", "/f")]
    [InlineData("$share/g", false, "", "")]
    [InlineData("$share//f", false, "", "")]
    [InlineData("$share/g/", false, "", "")]
    [InlineData("$share/g+/f", false, "", "")]
    [InlineData("$share", false, "", "")]
    [InlineData("$shared/g/f", true, "", "$shared/g/f")]
    [InlineData("a/b", true, "", "a/b")]
    public void MQTT_4_8_2_share_is_name_and_filter(string subscription, bool valid, string name, string filter)
    {
        Assert.Equal(valid, TopicFilter.TrySplitShare(Utf8(subscription), out var share, out var inner));
        if (valid)
        {
            Assert.Equal(name, Encoding.UTF8.GetString(share));
            Assert.Equal(filter, Encoding.UTF8.GetString(inner));
        }
    }

    [Fact]
    public void Sixty_five_thousand_levels_neither_recurse_nor_take_long()
    {
        var slashes = new byte[ushort.MaxValue];
        Array.Fill(slashes, (byte)'/');
        Assert.True(TopicFilter.IsValid(slashes));
        Assert.True(TopicFilter.Matches(slashes, slashes));
        Assert.Equal(65_536, TopicName.CountLevels(slashes));
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
