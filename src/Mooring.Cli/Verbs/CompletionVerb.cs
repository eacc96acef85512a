using System.CommandLine;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring completion</c>: what a shell needs to complete verbs and options. The program itself is asked for them, so they are always its own.</summary>
internal static class CompletionVerb
{
    // The program suggests what contains the word, /h and /? among it; the shell takes what begins with it.
    private const string Bash = """
        # eval "$(mooring completion bash)" in ~/.bashrc
        _mooring() {
            local line=${COMP_LINE:0:COMP_POINT}
            line="mooring${line#"${COMP_WORDS[0]}"}"
            COMPREPLY=()
            local word=${COMP_WORDS[COMP_CWORD]} suggestion
            while IFS= read -r suggestion; do
                [[ $suggestion == /* || $suggestion != "$word"* ]] || COMPREPLY+=("$suggestion")
            done < <("${COMP_WORDS[0]}" "[suggest:${#line}]" "$line" 2>/dev/null)
        }
        complete -o bashdefault -o default -F _mooring mooring
        """;

    private const string Zsh = """
        # eval "$(mooring completion zsh)" in ~/.zshrc, after compinit
        _mooring() {
            local line="mooring${LBUFFER#${words[1]}}"
            local -a suggestions
            suggestions=("${(@f)$(${words[1]} "[suggest:${#line}]" "$line" 2>/dev/null)}")
            suggestions=(${suggestions:#/*})
            if (( ${#suggestions} )); then compadd -- $suggestions; else _files; fi
        }
        compdef _mooring mooring
        """;

    private const string Fish = """
        # mooring completion fish > ~/.config/fish/completions/mooring.fish
        function __mooring_suggest
            set -l line (commandline -cp)
            mooring "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null | string match -v '/*'
        end
        complete -c mooring -a '(__mooring_suggest)'
        """;

    internal static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." }.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Prints a script with which a shell completes verbs and options.") { shell };
        command.SetAction(parsed => Console.WriteLine(parsed.GetValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish }));
        return command;
    }
}
