using Npgsql;

namespace Mooring.Storage;

/// <summary>Tells PostgreSQL's addresses from file names, and reads both of their forms.</summary>
internal static class PostgreSqlAddress
{
    public static bool Is(string database) =>
        IsUri(database)
        || database.StartsWith("Host=", StringComparison.OrdinalIgnoreCase)
        || database.Contains(";Host=", StringComparison.OrdinalIgnoreCase);

    public static NpgsqlConnectionStringBuilder Parse(string database)
    {
        if (!IsUri(database)) return new NpgsqlConnectionStringBuilder(database);
        var uri = new Uri(database);
        var settings = new NpgsqlConnectionStringBuilder { Host = Uri.UnescapeDataString(uri.Host) };
        if (uri.Port > 0) settings.Port = uri.Port;
        var user = uri.UserInfo.Split(':', 2);
        if (user[0].Length > 0) settings.Username = Uri.UnescapeDataString(user[0]);
        if (user.Length > 1) settings.Password = Uri.UnescapeDataString(user[1]);
        if (uri.AbsolutePath.Length > 1) settings.Database = Uri.UnescapeDataString(uri.AbsolutePath[1..]);
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            var value = Uri.UnescapeDataString(parts.Length > 1 ? parts[1] : "");
            switch (parts[0])
            {
                case "host": settings.Host = value; break;
                case "sslmode": settings.SslMode = Enum.Parse<SslMode>(value.Replace("-", "", StringComparison.Ordinal), ignoreCase: true); break;
                case "sslrootcert": settings.RootCertificate = value; break;
                case "application_name": settings.ApplicationName = value; break;
                default: throw new FormatException($"unknown setting '{parts[0]}'");
            }
        }
        return settings;
    }

    private static bool IsUri(string database) =>
        database.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase)
        || database.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase);
}
