using System.CommandLine;
using System.Text;

namespace Mooring.Cli.Tests.Help;

/// <summary>A line that a document tells people to type, as a shell would take it apart.</summary>
internal static class ShellLine
{
    /// <summary>What the parser has against a line; files that it does not find here are the reader's own.</summary>
    internal static string Problems(ParseResult parsed) =>
        string.Join(' ', parsed.Errors.Select(error => error.Message).Where(message => !message.Contains(": there is no '", StringComparison.Ordinal)));

    /// <summary>The words of the first command, without what says where its input and output go.</summary>
    internal static IReadOnlyList<string> Words(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var (quote, isWord) = ('\0', false);
        foreach (var letter in line + " ")
        {
            if (quote != '\0')
            {
                if (letter == quote) quote = '\0';
                else word.Append(letter);
            }
            else if (letter is '\'' or '"') (quote, isWord) = (letter, true);
            else if (letter is '|' or '>' or '<' or '&' or ';' or '#') break;
            else if (letter != ' ') (_, isWord) = (word.Append(letter), true);
            else if (isWord)
            {
                words.Add(word.ToString());
                word.Clear();
                isWord = false;
            }
        }
        return words;
    }
}
