using System.Globalization;
using Mooring.Cli.Tests.Configuration;
using Mooring.Storage;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Data;

/// <summary>Databases of every earlier version, opened by the real program: what was in them is there, and the tables are those of a new database.</summary>
public sealed class EarlierVersionTests : MooringTest
{
    private static readonly Dictionary<string, string> Files = new(StringComparer.Ordinal)
    {
        ["access"] = "access.db", ["chat"] = "chat.db", ["hub"] = "hub/hub.db", ["tunnel"] = "tunnel.db",
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-earlier-").FullName;

    public static TheoryData<string> Vectors() => [.. Directory.EnumerateFiles(RepositoryRoot.Combine("tests/vectors/storage"), "*.sql")
        .Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private async Task<T> ReadAsync<T>(string folder, string slice, Func<StorageSession, CancellationToken, Task<T>> read)
    {
        await using var database = await Database.OpenAsync(new StorageOptions { Database = Path.Combine(folder, Files[slice]) }, TestTimeout);
        return await database.ReadAsync(read, TestTimeout);
    }

    private Task<List<string>> SchemaAsync(string folder, string slice) => ReadAsync(folder, slice, (session, token) => session.QueryAsync(
        "SELECT m.type || ' ' || m.name || ' ' || COALESCE((SELECT group_concat(c.name || ':' || c.type || ':' || c.\"notnull\", ',') FROM pragma_table_info(m.name) c), '') FROM sqlite_master m ORDER BY 1",
        row => row.GetString(0), null, token));

    private async Task RunAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        await using var up = await UpRun.StartAsync(folder, TestTimeout, "--without=mqtt", "--without=fleet");
        Assert.Equal(0, await up.StopAsync(TestTimeout));
    }

    [Theory, MemberData(nameof(Vectors))]
    public async Task Database_OfAnEarlierVersion_IsTaken(string vector)
    {
        var (slice, old, fresh) = (vector.Split('-')[0], Path.Combine(_folder, "old"), Path.Combine(_folder, "fresh"));
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(old, Files[slice]))!);
        var sql = await File.ReadAllTextAsync(RepositoryRoot.Combine($"tests/vectors/storage/{vector}.sql"), TestTimeout);
        await using (var database = await Database.OpenAsync(new StorageOptions { Database = Path.Combine(old, Files[slice]) }, TestTimeout))
            await database.WriteAsync((session, token) => session.ExecuteAsync(sql, null, token), TestTimeout);

        await using (var up = await UpRun.StartAsync(old, TestTimeout, "--without=mqtt", "--without=fleet"))
        {
            using var http = UpRun.Client();
            var (url, expected) = slice switch
            {
                "access" => (up.Console + "/api/users", "\"anna\""),
                "hub" => (up.Console + "/api/orchestrators", "\"line-4\""),
                "tunnel" => (up.Console + "/admin/v1/accounts", "anna@example.org"),
                _ => ($"http://127.0.0.1:{up.PortOf("chat in a browser").ToString(CultureInfo.InvariantCulture)}/chatrooms/list", "berth"),
            };
            Assert.Contains(expected, await http.GetStringAsync(new Uri(url), TestTimeout), StringComparison.Ordinal);
            Assert.Equal(0, await up.StopAsync(TestTimeout));
        }
        await RunAsync(fresh);
        Assert.Equal(await SchemaAsync(fresh, slice), await SchemaAsync(old, slice));
    }

    [Fact]
    public async Task EveryVersion_HasAVector()
    {
        await RunAsync(_folder);
        foreach (var slice in Files.Keys)
        {
            var newest = await ReadAsync(_folder, slice, (session, token) => session.NumberAsync("SELECT MAX(version) FROM mooring_migrations", null, token));
            for (var version = 1; version <= newest; version++)
                Assert.True(File.Exists(RepositoryRoot.Combine($"tests/vectors/storage/{slice}-{version}.sql")), $"tests/vectors/storage/{slice}-{version}.sql is missing");
        }
    }

    [Fact]
    public async Task DatabaseOfANewerVersion_IsRefusedInALine()
    {
        await RunAsync(_folder);
        await using (var database = await Database.OpenAsync(new StorageOptions { Database = Path.Combine(_folder, Files["tunnel"]) }, TestTimeout))
            await database.WriteAsync((session, token) => session.ExecuteAsync("INSERT INTO mooring_migrations (slice, version, name) VALUES ('tunnel', 99, 'later')", null, token), TestTimeout);
        var up = UpRun.Begin(_folder, ["--in-memory"]);
        Own(up);
        Assert.Equal(1, await up.Process.ExitAsync(TestTimeout));
        Assert.Contains("has version 99 of the tunnel tables, but this program knows only", Assert.Single(up.Process.Lines, line => line.StartsWith("mooring: ", StringComparison.Ordinal)), StringComparison.Ordinal);
    }
}
