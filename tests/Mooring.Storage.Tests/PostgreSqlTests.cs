using Mooring.Testing;

namespace Mooring.Storage.Tests;

[Trait("Peer", "real")]
public sealed class PostgreSqlTests(PostgreSqlCluster cluster) : DatabaseTests, IClassFixture<PostgreSqlCluster>
{
    protected override async Task<StorageOptions> NewAsync() => new() { Database = cluster.Uri(await cluster.CreateAsync()) };

    [Fact]
    public async Task KeyValueForm_IsUnderstoodToo()
    {
        await using var database = await Database.OpenAsync(
            new StorageOptions { Database = cluster.KeyValues(await cluster.CreateAsync()) }, TestTimeout);
        Assert.True(database.IsShared);
        Assert.Equal(1, await NumberAsync(database, "SELECT 1"));
    }

    [Fact]
    public async Task MissingDatabase_IsOneLineWithoutAPassword()
    {
        var address = cluster.Uri("missing").Replace("postgres@", "postgres:secret@", StringComparison.Ordinal);
        var e = await Assert.ThrowsAsync<StorageException>(() => Database.OpenAsync(new StorageOptions { Database = address }, TestTimeout));
        Assert.StartsWith("cannot open the database 'postgresql://127.0.0.1:", e.Message, StringComparison.Ordinal);
        Assert.Contains("\"missing\" does not exist", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public async Task NobodyListening_IsOneLine()
    {
        var options = new StorageOptions { Database = $"postgresql://postgres@127.0.0.1:{FreePort.Next()}/x" };
        var e = await Assert.ThrowsAsync<StorageException>(() => Database.OpenAsync(options, TestTimeout));
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("postgresql://u:p%40ss@db.example:6000/name?sslmode=require", "db.example", 6000, "u", "p@ss", "name")]
    [InlineData("postgres://u@db.example/name", "db.example", 5432, "u", null, "name")]
    [InlineData("Host=db.example;Username=u;Database=name", "db.example", 5432, "u", null, "name")]
    public void Address_IsReadInBothForms(string text, string host, int port, string user, string? password, string name)
    {
        Assert.True(PostgreSqlAddress.Is(text));
        var settings = PostgreSqlAddress.Parse(text);
        Assert.Equal((host, port, user, password, name),
            (settings.Host, settings.Port, settings.Username, settings.Password, settings.Database));
    }

    [Theory]
    [InlineData("mooring-data/mooring.db")]
    [InlineData("Hostess.db")]
    public void FileName_IsNotTakenForAnAddress(string text) => Assert.False(PostgreSqlAddress.Is(text));
}
