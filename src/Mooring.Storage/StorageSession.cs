using System.Data.Common;

namespace Mooring.Storage;

/// <summary>Statements on one connection, inside one transaction when it is a writer's. Parameters are written <c>@name</c>.</summary>
public sealed class StorageSession
{
    private readonly DbConnection _connection;
    private readonly DbTransaction? _transaction;

    internal StorageSession(DbConnection connection, DbTransaction? transaction)
    {
        _connection = connection;
        _transaction = transaction;
    }

    /// <summary>Runs statements that return no rows.</summary>
    /// <param name="sql">The statements.</param>
    /// <param name="parameters">Names without <c>@</c>, and values.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Rows that were changed.</returns>
    public async Task<int> ExecuteAsync(
        string sql, IReadOnlyList<(string Name, object? Value)>? parameters = null, CancellationToken cancellationToken = default)
    {
        await using var command = Command(sql, parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Runs one statement for many rows, prepared once.</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="names">Names of its parameters without <c>@</c>.</param>
    /// <param name="rows">Values of each row, in the order of the names.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Rows that were changed.</returns>
    public async Task<int> ExecuteManyAsync(
        string sql, IReadOnlyList<string> names, IEnumerable<object?[]> rows, CancellationToken cancellationToken = default)
    {
        await using var command = _connection.CreateCommand();
        command.Transaction = _transaction;
        command.CommandText = sql;
        foreach (var name in names)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            command.Parameters.Add(parameter);
        }
        var changed = 0;
        foreach (var row in rows)
        {
            for (var i = 0; i < names.Count; i++) command.Parameters[i].Value = row[i] ?? DBNull.Value;
            changed += await command.ExecuteNonQueryAsync(cancellationToken);
        }
        return changed;
    }

    /// <summary>Reads rows.</summary>
    /// <typeparam name="T">What a row becomes.</typeparam>
    /// <param name="sql">The query.</param>
    /// <param name="read">Makes one of a row; it must not keep the reader.</param>
    /// <param name="parameters">Names without <c>@</c>, and values.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The rows.</returns>
    public async Task<List<T>> QueryAsync<T>(
        string sql, Func<DbDataReader, T> read, IReadOnlyList<(string Name, object? Value)>? parameters = null,
        CancellationToken cancellationToken = default)
    {
        await using var command = Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(read(reader));
        return rows;
    }

    /// <summary>Reads one number.</summary>
    /// <param name="sql">A query whose first column of the first row is a whole number or null.</param>
    /// <param name="parameters">Names without <c>@</c>, and values.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The number; null when there is no row, or null in it.</returns>
    public async Task<long?> NumberAsync(
        string sql, IReadOnlyList<(string Name, object? Value)>? parameters = null, CancellationToken cancellationToken = default)
    {
        await using var command = Command(sql, parameters);
        return await command.ExecuteScalarAsync(cancellationToken) switch
        {
            long l => l,
            int i => i,
            null or DBNull => null,
            var other => throw new InvalidOperationException($"a whole number was expected, not {other.GetType().Name}"),
        };
    }

    private DbCommand Command(string sql, IReadOnlyList<(string Name, object? Value)>? parameters)
    {
        var command = _connection.CreateCommand();
        command.Transaction = _transaction;
        command.CommandText = sql;
        if (parameters is null) return command;
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.Value = value ?? DBNull.Value;
            command.Parameters.Add(parameter);
        }
        return command;
    }
}
