using System.Text.Json;
using System.Text.Json.Serialization;
using Mooring.Kernel.Files;

namespace Mooring.Edge.Agent.Operations;

/// <summary>
/// The journal as one small file for each running operation: written whole at each step, deleted at the end. A handful of operations
/// run at a time, so there is nothing to compact and no file that grows.
/// </summary>
internal sealed class OperationJournal : IOperationJournal
{
    private const string Ending = ".json";
    private readonly string _folder;

    /// <summary>Opens the journal; the folder is made when it is missing.</summary>
    /// <param name="folder">Where the files lie.</param>
    public OperationJournal(string folder)
    {
        _folder = folder;
        Directory.CreateDirectory(folder);
    }

    /// <summary>What ran when the process was killed: what lies in the folder at the start.</summary>
    /// <returns>The operations, and the names of files that cannot be read.</returns>
    public (IReadOnlyList<Operation> Interrupted, IReadOnlyList<string> Unreadable) Read()
    {
        var interrupted = new List<Operation>();
        var unreadable = new List<string>();
        foreach (var file in Directory.EnumerateFiles(_folder, "*" + Ending).Order(StringComparer.Ordinal))
        {
            if (Parse(file) is { } operation) interrupted.Add(operation);
            else unreadable.Add(file);
        }
        return (interrupted, unreadable);
    }

    /// <inheritdoc/>
    public void Record(Operation operation) =>
        AtomicFile.Write(FileOf(operation.Name), JsonSerializer.SerializeToUtf8Bytes(operation, OperationJson.Default.Operation));

    /// <inheritdoc/>
    public void Forget(string name) => File.Delete(FileOf(name));

    private static Operation? Parse(string file)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), OperationJson.Default.Operation);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Names come from the hub: what is not plain is written as %XX, so that no name leads out of the folder.
    private string FileOf(string name) => Path.Combine(_folder, Uri.EscapeDataString(name).Replace(".", "%2E", StringComparison.Ordinal) + Ending);
}

[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(Operation))]
internal sealed partial class OperationJson : JsonSerializerContext;
