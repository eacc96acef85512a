using System.Runtime.CompilerServices;

namespace Mooring.Storage.Tests;

/// <summary>Turns this program into a writer that commits until it is killed.</summary>
internal static class KilledWriter
{
    public const string Variable = "MOORING_TEST_STORAGE_VICTIM";

    [ModuleInitializer]
    internal static void Become()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { } path) WriteForEverAsync(path).GetAwaiter().GetResult();
    }

    private static async Task WriteForEverAsync(string path)
    {
        await using var database = await Database.OpenAsync(new StorageOptions { Database = path, FlushEveryCommit = false });
        await database.MigrateAsync("t", [new(1, "t", "CREATE TABLE t (a BIGINT NOT NULL, b BIGINT NOT NULL)")]);
        for (var i = 1L; ; i++)
        {
            await database.WriteAsync(async (s, token) =>
            {
                await s.ExecuteAsync("INSERT INTO t (a, b) VALUES (@i, 0)", [("i", i)], token);
                return await s.ExecuteAsync("UPDATE t SET b = @i WHERE a = @i", [("i", i)], token);
            });
            Console.WriteLine($"committed {i}");
        }
    }
}
