using System.CommandLine;
using Mooring.Cli.Access;
using Mooring.Cli.Data;
using Mooring.Cli.Hosting;
using Mooring.Kernel.Hashing;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring user</c>: the accounts of operators. It may be used while <c>mooring up</c> runs, and counts at once.</summary>
internal static class UserVerb
{
    private static readonly Argument<string> Name = new("NAME") { Description = "The account's name." };

    internal static Command Create()
    {
        var data = SharedOptions.Data();
        data.Recursive = true;
        return new Command("user", "Keeps the accounts of operators: who may log in to the console and the API.")
        {
            data, Add(data), Password(data), Role(data), Token(data), List(data), Remove(data),
        };
    }

    private static Command Add(Option<string> data)
    {
        var role = new Option<OperatorRole>("--role")
        {
            Description = "viewer looks, operator acts, admin also enrols agents and keeps accounts.",
            HelpName = "ROLE",
            DefaultValueFactory = _ => OperatorRole.Viewer,
        };
        var noPassword = new Option<bool>("--no-password") { Description = "An account that has tokens only, for programs." };
        var command = new Command("add", "Makes an account; its password is read from the terminal or from standard input.") { Name, role, noPassword };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, data, "add", async (store, name) =>
        {
            if (!AccountRecord.IsName(name)) throw new UserErrorException($"'{name}' cannot be a name: {AccountRecord.NameRule}");
            var hash = parsed.GetValue(noPassword) ? null : NewHash();
            if (!await store.AddAsync(name, parsed.GetValue(role), hash, cancellationToken))
                throw new UserErrorException($"there is an account '{name}' already; 'mooring user passwd' and 'mooring user role' change it");
        }, cancellationToken));
        return command;
    }

    private static Command Password(Option<string> data)
    {
        var command = new Command("passwd", "Gives an account another password, and ends its sessions.") { Name };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, data, "passwd", async (store, name) =>
            Require(await store.SetPasswordAsync(name, NewHash(), cancellationToken), name), cancellationToken));
        return command;
    }

    private static Command Role(Option<string> data)
    {
        var role = new Argument<OperatorRole>("ROLE") { Description = "viewer, operator or admin." };
        var command = new Command("role", "Gives an account another role, at once.") { Name, role };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, data, "role", async (store, name) =>
            Require(await store.SetRoleAsync(name, parsed.GetValue(role), cancellationToken), name), cancellationToken));
        return command;
    }

    private static Command Token(Option<string> data)
    {
        var label = new Option<string>("--label")
        {
            Description = "What the token is for; one with the same label is replaced.",
            HelpName = "LABEL",
            DefaultValueFactory = _ => "default",
        };
        var days = new Option<int?>("--days") { Description = "For so many days; without it for ever.", HelpName = "N" };
        var delete = new Option<bool>("--delete") { Description = "Make the token useless instead." };
        days.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1 or > 36_500) result.AddError("--days: use 1 to 36500");
        });
        var command = new Command("token", "Makes a token for an account, and prints it this once.") { Name, label, days, delete };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, data, "token", async (store, name) =>
        {
            var what = parsed.GetValue(label)!;
            if (!AccountRecord.IsName(what)) throw new UserErrorException($"--label: '{what}' is not allowed: {AccountRecord.NameRule}");
            if (parsed.GetValue(delete))
            {
                if (!await store.RemoveTokenAsync(name, what, cancellationToken)) throw new UserErrorException($"{name} has no token '{what}'");
                return;
            }
            TimeSpan? lifetime = parsed.GetValue(days) is { } number ? TimeSpan.FromDays(number) : null;
            var token = await store.AddTokenAsync(name, what, lifetime, cancellationToken);
            Require(token is not null, name);
            Console.WriteLine(token);
        }, cancellationToken));
        return command;
    }

    private static Command List(Option<string> data)
    {
        var command = new Command("list", "Lists the accounts: name, role, how they log in, tokens.");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var store = await OpenAsync(parsed, data, cancellationToken);
            foreach (var account in await store.AccountsAsync(cancellationToken))
            {
                var tokens = string.Join(", ", account.Tokens.Select(t => t.ExpiresAt is { } end ? $"{t.Label} until {end:yyyy-MM-dd}" : t.Label));
                Console.WriteLine(string.Join('\t', account.Name, account.Role.ToString().ToLowerInvariant(), account.HasPassword ? "password" : "tokens only", tokens));
            }
        });
        return command;
    }

    private static Command Remove(Option<string> data)
    {
        var command = new Command("remove", "Removes an account with its tokens and sessions.") { Name };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, data, "remove", async (store, name) =>
            Require(await store.RemoveAsync(name, cancellationToken), name), cancellationToken));
        return command;
    }

    private static async Task RunAsync(ParseResult parsed, Option<string> data, string verb, Func<AccessStore, string, Task> action, CancellationToken cancellationToken)
    {
        var name = parsed.GetValue(Name)!;
        await using var store = await OpenAsync(parsed, data, cancellationToken);
        await action(store, name);
        await AuditLog.WriteAsync(
            store, [new AuditEntry(0, TimeProvider.System.GetUtcNow(), Environment.UserName, "", "command line", $"user {verb} {name}", "done", 0)], cancellationToken);
    }

    private static Task<AccessStore> OpenAsync(ParseResult parsed, Option<string> data, CancellationToken cancellationToken) =>
        DataFolder.FormatProblem(parsed.GetValue(data)!) is { } problem ? throw new UserErrorException(problem) : AccessStore.OpenAsync(parsed.GetValue(data)!, AccessLimits.Default, TimeProvider.System, cancellationToken);

    private static string NewHash()
    {
        var password = HiddenInput.ReadNew();
        return AccountRecord.PasswordProblem(password) is { } problem ? throw new UserErrorException(problem) : PasswordHash.Create(password).ToString();
    }

    private static void Require(bool holds, string name)
    {
        if (!holds) throw new UserErrorException($"there is no account '{name}'");
    }
}
