using System.Text;
using Mooring.Cli.Hosting;

namespace Mooring.Cli.Verbs;

/// <summary>Reads a secret from the terminal without showing it.</summary>
internal static class HiddenInput
{
    /// <summary>A new password: typed twice, or the first line of standard input.</summary>
    internal static string ReadNew()
    {
        if (Console.IsInputRedirected) return Console.ReadLine() ?? "";
        var first = Read("Password: ");
        return first == Read("Password again: ") ? first : throw new UserErrorException("the two passwords are not the same");
    }

    internal static string Read(string prompt)
    {
        Console.Error.Write(prompt);
        var text = new StringBuilder();
        for (var key = Console.ReadKey(intercept: true); key.Key != ConsoleKey.Enter; key = Console.ReadKey(intercept: true))
        {
            if (key.Key != ConsoleKey.Backspace) text.Append(key.KeyChar);
            else if (text.Length > 0) text.Length--;
        }
        Console.Error.WriteLine();
        return text.ToString();
    }
}
