using System.CommandLine;
using Mooring.Cli.Data;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring backup</c> and <c>mooring restore</c>: the data folder as one file.</summary>
internal static class BackupVerbs
{
    internal static Command CreateBackup()
    {
        var file = new Argument<string>("FILE") { Description = "The archive, such as mooring.tar.gz; one of that name is replaced when the new one is whole." };
        var data = SharedOptions.Data();
        var command = new Command("backup", "Writes the data folder into an archive, also while Mooring runs.") { file, data };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var path = parsed.GetValue(file)!;
            var manifest = await new BackupWriter(parsed.GetValue(data)!, TimeProvider.System).WriteAsync(path, cancellationToken);
            Console.WriteLine($"{path}: {manifest.Files.Count} file(s), {manifest.Files.Sum(entry => entry.Bytes)} bytes, {new FileInfo(path).Length} packed.");
        });
        return command;
    }

    internal static Command CreateRestore()
    {
        var file = new Argument<string>("FILE") { Description = "An archive that 'mooring backup' made." };
        var data = SharedOptions.Data();
        var replace = new Option<bool>("--replace") { Description = "Puts a data folder that is not empty aside, under another name." };
        var command = new Command("restore", "Makes the data folder what it was when the archive was written; Mooring must not run on it.") { file, data, replace };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var folder = parsed.GetValue(data)!;
            var (manifest, former) = await new BackupReader(folder, TimeProvider.System).ReadAsync(parsed.GetValue(file)!, parsed.GetValue(replace), cancellationToken);
            Console.WriteLine($"{folder} is as it was on {manifest.Created:yyyy-MM-dd HH:mm:ss} UTC: {manifest.Files.Count} file(s).{(former is null ? "" : $" The former one is {former}.")}");
        });
        return command;
    }
}
