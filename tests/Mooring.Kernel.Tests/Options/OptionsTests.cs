using System.Text;
using Mooring.Kernel.Options;

namespace Mooring.Kernel.Tests.Options;

public sealed class OptionsTests
{
    [Fact]
    public void AllErrors_AreToldAtOnceEachWithKeyValueAndRule()
    {
        var errors = new OptionsErrors();
        var json = Read("""{"port": 70000, "name": 5, "cars": [{"company": ""}, {"company": null}], "tls": "maybe", "mode": "fast"}""", errors);
        json["port"].Int(1, 1, 65535);
        json["name"].Text();
        foreach (var car in json["cars"].Items()) car["company"].RequiredText();
        json["tls"].Bool(false);
        json["mode"].OneOf("shared", "shared", "per-car");
        var e = Assert.Throws<ConfigurationException>(() => errors.ThrowIfAny("config.json"));
        Assert.Equal(
            """
            config.json: port: '70000' is not allowed: use a whole number from 1 to 65535
            config.json: name: '5' is not allowed: use a text in quotes
            config.json: cars[0].company: '' is not allowed: must not be empty
            config.json: cars[1].company: must be given, a text
            config.json: tls: 'maybe' is not allowed: use true or false
            config.json: mode: 'fast' is not allowed: use one of shared, per-car
            """.ReplaceLineEndings("\n"), e.Message);
        Assert.Equal(6, e.Errors.Count);
    }

    [Theory]
    [InlineData("42", JsonLeniency.None, 42)]
    [InlineData("\"42\"", JsonLeniency.NumericStrings, 42)]
    [InlineData("\" 42 \"", JsonLeniency.NumericStrings, 42)]
    [InlineData("\"42\"", JsonLeniency.WholeFractions, null)]
    [InlineData("42.0", JsonLeniency.WholeFractions, 42)]
    [InlineData("4.2e1", JsonLeniency.WholeFractions, 42)]
    [InlineData("\"42.0\"", JsonLeniency.All, 42)]
    [InlineData("42.5", JsonLeniency.All, null)]
    [InlineData("42.0", JsonLeniency.None, null)]
    [InlineData("1e300", JsonLeniency.All, null)]
    [InlineData("99999999999", JsonLeniency.All, null)]
    [InlineData("true", JsonLeniency.All, null)]
    [InlineData("[]", JsonLeniency.All, null)]
    [InlineData("\"\"", JsonLeniency.All, null)]
    public void WholeNumber_IsReadAsLenientlyAsAsked(string text, JsonLeniency leniency, int? expected)
    {
        var errors = new OptionsErrors();
        Assert.Equal(expected ?? -1, Read($"{{\"n\":{text}}}", errors, leniency)["n"].Int(-1));
        Assert.Equal(expected is null ? 1 : 0, errors.All.Count);
    }

    [Theory]
    [InlineData("true", JsonLeniency.None, true)]
    [InlineData("\"yes\"", JsonLeniency.LooseBooleans, true)]
    [InlineData("\"No\"", JsonLeniency.LooseBooleans, false)]
    [InlineData("1", JsonLeniency.LooseBooleans, true)]
    [InlineData("0", JsonLeniency.LooseBooleans, false)]
    [InlineData("\"false\"", JsonLeniency.LooseBooleans, false)]
    [InlineData("1", JsonLeniency.None, null)]
    [InlineData("2", JsonLeniency.All, null)]
    [InlineData("\"perhaps\"", JsonLeniency.All, null)]
    public void TruthValue_IsReadAsLenientlyAsAsked(string text, JsonLeniency leniency, bool? expected)
    {
        var errors = new OptionsErrors();
        var value = Read($"{{\"b\":{text}}}", errors, leniency)["b"].Bool(false);
        Assert.Equal(expected ?? false, value);
        Assert.Equal(expected is null ? 1 : 0, errors.All.Count);
    }

    [Fact]
    public void MissingAndNull_GiveTheFallbackWithoutAnError()
    {
        var errors = new OptionsErrors();
        var json = Read("""{"a": null}""", errors);
        Assert.Equal(7, json["a"].Int(7));
        Assert.Equal("x", json["b"]["c"]["d"].Text("x"));
        Assert.Empty(json["list"].Items());
        Assert.Equal(TimeSpan.FromSeconds(5), json["t"].Seconds(TimeSpan.FromSeconds(5), TimeSpan.Zero, TimeSpan.MaxValue));
        Assert.Equal(0.5, json["d"].Double(0.5));
        Assert.True(errors.IsEmpty);
    }

    [Fact]
    public void UnknownKey_IsReportedWithTheNameThatWasMeant()
    {
        var errors = new OptionsErrors();
        var json = Read("""{"mqtt": {"adress": 1, "prot": 2, "colour": 3, "port": 4}}""", errors);
        json["mqtt"].ReportUnknown(asWarning: false, "address", "port");
        Assert.Equal(
            [
                "mqtt.adress: unknown key; did you mean 'address'?",
                "mqtt.prot: unknown key; did you mean 'port'?",
                "mqtt.colour: unknown key; known are address, port",
            ],
            errors.All.Select(e => e.ToString()));
    }

    [Theory]
    [InlineData("", 0, "kitten")]
    [InlineData("sitting", 3, "kitten")]
    [InlineData("kittne", 1, "kitten")]
    [InlineData("kitten", 0, "kitten")]
    public void Distance_CountsInsertDeleteReplaceAndSwap(string a, int distance, string b) =>
        Assert.Equal(a.Length == 0 ? b.Length : distance, NearestName.Distance(a, b));

    [Fact]
    public void BrokenJson_IsOneLineWithLineAndColumn()
    {
        var e = Assert.Throws<ConfigurationException>(() => Read("{\n  \"a\": 1,\n  oops\n}", new OptionsErrors()));
        Assert.StartsWith("test: not valid JSON at line 3, column 3: ", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void CommentsByteOrderMarkAndTrailingCommas_PassWhenLenient()
    {
        var json = JsonReading.Parse(
            (byte[])[0xEF, 0xBB, 0xBF, .. "{ // c\n \"a\": [1,2,], }"u8], "test", new OptionsErrors(), JsonLeniency.All);
        Assert.Equal([1, 2], json["a"].Items().Select(i => i.Int(0)));
    }

    [Fact]
    public void MissingFileAndFolder_AreOneLine()
    {
        var missing = Path.Combine(Path.GetTempPath(), "mooring-no-such-file.json");
        Assert.Equal(missing + ": the file does not exist",
            Assert.Throws<ConfigurationException>(() => JsonReading.Load(missing, new OptionsErrors())).Message);
        Assert.Equal("/: is a folder, not a file",
            Assert.Throws<ConfigurationException>(() => JsonReading.Load("/", new OptionsErrors())).Message);
    }

    [Fact]
    public void WrongKinds_AreReportedNotThrown()
    {
        var errors = new OptionsErrors();
        var json = Read("""{"list": {}, "object": [], "deep": 5}""", errors);
        Assert.Empty(json["list"].Items());
        Assert.Empty(json["object"].Members());
        Assert.False(json["deep"]["deeper"].Exists);
        Assert.Equal(2, errors.All.Count);
    }

    [Fact]
    public void Ranges_AndChoices_NameTheRule()
    {
        var errors = new OptionsErrors();
        Assert.False(errors.RequireInRange("n", 5, 1, 3));
        Assert.True(errors.RequireInRange("n", 2, 1, 3));
        Assert.False(errors.RequireOneOf("m", "c", "a", "b"));
        errors.Add("password", "is too short");
        Assert.Equal(
            ["n: '5' is not allowed: use 1 to 3", "m: 'c' is not allowed: use one of a, b", "password: is too short"],
            errors.All.Select(e => e.ToString()));
    }

    [Fact]
    public void ThousandErrors_AreCappedAndLongValuesShortened()
    {
        var errors = new OptionsErrors();
        for (var i = 0; i < 1000; i++) errors.Add($"k{i}", new string('x', 5000), "shorter");
        Assert.Equal(OptionsErrors.ErrorsMax, errors.All.Count);
        Assert.True(errors.All[0].ToString().Length < 150);
    }

    private static JsonReading Read(string json, OptionsErrors errors, JsonLeniency leniency = JsonLeniency.None) =>
        JsonReading.Parse(Encoding.UTF8.GetBytes(json), "test", errors, leniency);
}
