using System.Text;
using Mooring.Kernel.Files;
using Mooring.Kernel.Hashing;
using Mooring.Kernel.Options;
using Mooring.Mqtt.Broker.Access;

namespace Mooring.Mqtt.Broker;

/// <summary>Changes a file of users: one line a user, other lines and their order stay as they are.</summary>
public static class UsersFile
{
    /// <summary>Adds a user or gives one a new password. A new file can be read by its owner only.</summary>
    /// <param name="path">The file; it is made when missing.</param>
    /// <param name="user">The user's name.</param>
    /// <param name="password">The password.</param>
    /// <param name="iterations">Cost of the hash; fewer are enough for long random passwords of devices.</param>
    /// <exception cref="ConfigurationException">The name cannot be used, or the file is not one of users.</exception>
    public static void Set(string path, string user, string password, int iterations = PasswordHash.DefaultIterations)
    {
        if (UserTable.CheckName(user) is { } wrong) throw new ConfigurationException(path, wrong);
        if (string.IsNullOrEmpty(password)) throw new ConfigurationException(path, "the password must not be empty");
        var line = $"{user}:{PasswordHash.Create(password, iterations)}";
        var lines = Read(path);
        var at = lines.FindIndex(known => IsOf(known, user));
        if (at < 0) lines.Add(line);
        else lines[at] = line;
        Write(path, lines);
    }

    /// <summary>Removes a user.</summary>
    /// <param name="path">The file.</param>
    /// <param name="user">The user's name.</param>
    /// <returns>False when there was no such user.</returns>
    /// <exception cref="ConfigurationException">The file is not one of users.</exception>
    public static bool Remove(string path, string user)
    {
        var lines = Read(path);
        if (lines.RemoveAll(line => IsOf(line, user)) == 0) return false;
        Write(path, lines);
        return true;
    }

    private static bool IsOf(string line, string user) =>
        line.Length > user.Length && line[user.Length] == ':' && line.StartsWith(user, StringComparison.Ordinal);

    private static List<string> Read(string path)
    {
        if (!File.Exists(path)) return [];
        var text = File.ReadAllText(path, Encoding.UTF8);
        var errors = new OptionsErrors();
        UserTable.Parse(text, path, errors);
        errors.ThrowIfAny("");
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd('\r'))];
    }

    private static void Write(string path, List<string> lines) => AtomicFile.Write(
        path, string.Concat(lines.Select(line => line + "\n")), File.Exists(path) ? null : AtomicFileOptions.Private);
}
