using Mooring.Kernel.Hashing;

namespace Mooring.Kernel.Tests.Hashing;

public sealed class PasswordHashTests
{
    [Fact]
    public void StoredHash_VerifiesItsPasswordOnly()
    {
        var text = PasswordHash.Create("pässword", 1000).ToString();
        Assert.True(PasswordHash.TryParse(text, out var hash, out var error), error);
        Assert.True(hash!.Verify("pässword"));
        Assert.False(hash.Verify("password"));
        Assert.False(hash.Verify(""));
        Assert.Equal(text, hash.ToString());
        Assert.NotEqual(text, PasswordHash.Create("pässword", 1000).ToString());
    }

    // Made with Python: hashlib.pbkdf2_hmac('sha512', b'correct horse', b'0123456789abcdef', 2000)
    [Fact]
    public void HashMadeElsewhere_Verifies()
    {
        const string Text = "$pbkdf2-sha512$i=2000$MDEyMzQ1Njc4OWFiY2RlZg$JLIbHS/a1pwkuwB4YMVsxfgHL1RpHXfp7kAkuCcl9dhDgXytdhKp4KRA1tfCbROFYAyWs7Bgy1B82eY2dKJ0Uw";
        Assert.True(PasswordHash.TryParse(Text, out var hash, out _));
        Assert.True(hash!.Verify("correct horse"));
        Assert.False(hash.Verify("correct horsE"));
    }

    [Fact]
    public void Default_IsTwoHundredTenThousandIterations() =>
        Assert.StartsWith("$pbkdf2-sha512$i=210000$", PasswordHash.Create("x").ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("", "form")]
    [InlineData("plain", "form")]
    [InlineData("$pbkdf2-sha256$i=1000$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "form")]
    [InlineData("$pbkdf2-sha512$1000$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "iterations")]
    [InlineData("$pbkdf2-sha512$i=0$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "iterations")]
    [InlineData("$pbkdf2-sha512$i=99999999$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "iterations")]
    [InlineData("$pbkdf2-sha512$i=1000$c2F$aGFzaGhhc2hoYXNoaGFzaA", "salt")]
    [InlineData("$pbkdf2-sha512$i=1000$c2FsdHNhbHQ$%%%", "hash")]
    [InlineData("$pbkdf2-sha512$i=1000$c2FsdHNhbHQ$aGFzaA", "hash")]
    [InlineData("$pbkdf2-sha512$i=1000$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA$x", "form")]
    public void WrongText_IsRefusedWithAReasonThatDoesNotRepeatIt(string text, string about)
    {
        Assert.False(PasswordHash.TryParse(text, out _, out var error));
        Assert.Contains(about, error, StringComparison.Ordinal);
        if (text.Length > 0) Assert.DoesNotContain(text, error, StringComparison.Ordinal);
    }
}
