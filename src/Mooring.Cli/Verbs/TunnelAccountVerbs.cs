using System.CommandLine;
using System.Text.Json.Nodes;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Client.Configuration;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring tunnel authtoken</c>, <c>token</c> and <c>hostname</c>.</summary>
internal static class TunnelAccountVerbs
{
    internal static Command CreateAuthToken()
    {
        var token = new Argument<string?>("TOKEN") { Description = "The token; asked for when it is not given.", Arity = ArgumentArity.ZeroOrOne };
        var stdin = new Option<bool>("--stdin") { Description = "Read it from standard input." };
        var command = new Command("authtoken", "Saves the token of your account.") { token, stdin };
        command.SetAction(async (parsed, _) =>
        {
            var value = (parsed.GetValue(token) ?? (parsed.GetValue(stdin) || Console.IsInputRedirected ? await Console.In.ReadLineAsync(CancellationToken.None) : HiddenInput.Read("Token: ")))?.Trim();
            if (string.IsNullOrEmpty(value))
            {
                TunnelOutput.Error("the token is empty");
                return 2;
            }
            var file = ClientSettingsFile.OfUser(TimeProvider.System);
            if (await file.SetTokenAsync(value) is { } aside) Console.Error.WriteLine($"{file.Path} could not be read; it is now {aside}");
            Console.Error.WriteLine($"Saved in {file.Path}");
            return 0;
        });
        return command;
    }

    internal static Command CreateToken(TunnelSharedOptions shared)
    {
        var show = new Command("show", "Shows which account the token is of.");
        var showConnection = AddConnection(show);
        show.SetAction((parsed, stop) => CallAsync(showConnection.Read(parsed), async (api, target) =>
        {
            var account = await api.VerifyAsync(target.Token!, stop);
            var masked = $"{target.Token![..Math.Min(4, target.Token!.Length)]}…{target.Token[^Math.Min(4, target.Token.Length)..]}";
            if (shared.Output(parsed).IsJson) TunnelOutput.Result(new JsonObject { ["token"] = masked, ["user_id"] = (string?)account["user_id"], ["email"] = (string?)account["email"] }.ToJsonString());
            else TunnelOutput.Result($"{masked} {account["email"]}");
        }));
        var rotate = new Command("rotate", "Replaces the token; the old one does not work any more.");
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        rotate.Options.Add(yes);
        var rotateConnection = AddConnection(rotate);
        rotate.SetAction((parsed, stop) => CallAsync(rotateConnection.Read(parsed), async (api, target) =>
        {
            if (!parsed.GetValue(yes) && !Console.IsInputRedirected)
            {
                Console.Error.Write("Clients that use the old token will be refused. Go on? [y/N] ");
                if (Console.ReadLine()?.Trim().ToLowerInvariant() is not ("y" or "yes")) return;
            }
            await target.File.SetTokenAsync(await api.RotateAsync(target.Token!, stop));
            Console.Error.WriteLine($"The new token is in {target.File.Path}");
        }));
        return new Command("token", "The token of your account.") { show, rotate };
    }

    internal static Command CreateHostname(TunnelSharedOptions shared)
    {
        var list = new Command("list", "Lists your host names.");
        var listConnection = AddConnection(list);
        list.SetAction((parsed, stop) => CallAsync(listConnection.Read(parsed), async (api, target) =>
        {
            var answer = await api.ListHostnamesAsync(target.Token!, stop);
            if (shared.Output(parsed).IsJson) TunnelOutput.Result(answer.ToJsonString());
            else foreach (var state in answer["hostnames"]?.AsArray() ?? []) TunnelOutput.Result($"{state!["hostname"]} {((bool?)state["verified"] == true ? "verified" : "not verified")}");
        }));
        return new Command("hostname", "Host names of your own.")
        {
            list,
            WithName(shared, "add", "Registers a host name.", (api, token, name, stop) => api.AddHostnameAsync(token, name, stop)),
            WithName(shared, "verify", "Has the server look at DNS.", (api, token, name, stop) => api.VerifyHostnameAsync(token, name, stop)),
            WithName(shared, "remove", "Gives a host name up.", async (api, token, name, stop) =>
            {
                await api.RemoveHostnameAsync(token, name, stop);
                return new JsonObject { ["hostname"] = name, ["removed"] = true };
            }),
        };
    }

    private static Command WithName(TunnelSharedOptions shared, string verb, string description, Func<TunnelApi, string, string, CancellationToken, Task<JsonObject>> call)
    {
        var name = new Argument<string>("HOST") { Description = "The host name." };
        var command = new Command(verb, description) { name };
        var connection = AddConnection(command);
        command.SetAction((parsed, stop) => CallAsync(connection.Read(parsed), async (api, target) =>
        {
            var state = await call(api, target.Token!, parsed.GetValue(name)!, stop);
            if (shared.Output(parsed).IsJson) TunnelOutput.Result(state.ToJsonString());
            else Print(state);
        }));
        return command;
    }

    private static void Print(JsonObject state)
    {
        TunnelOutput.Result($"{state["hostname"]} {((bool?)state["removed"] == true ? "removed" : (bool?)state["verified"] == true ? "verified" : "not verified")}");
        if ((bool?)state["verified"] == true || state["dns"] is not JsonObject dns) return;
        Console.Error.WriteLine("Add to your DNS:");
        Console.Error.WriteLine($"  {dns["cname"]?["name"]} CNAME {dns["cname"]?["value"]}");
        Console.Error.WriteLine($"  {dns["txt"]?["name"]} TXT {dns["txt"]?["value"]}");
        if (state["verification_error"] is { } error) Console.Error.WriteLine($"  ({error})");
    }

    private static TunnelConnectionOptions AddConnection(Command command)
    {
        var connection = new TunnelConnectionOptions();
        connection.AddTo(command);
        return connection;
    }

    private static async Task<int> CallAsync(TunnelTarget target, Func<TunnelApi, TunnelTarget, Task> call)
    {
        if (target.Token is null)
        {
            TunnelOutput.Error($"there is no token: 'mooring tunnel authtoken TOKEN' saves one in {target.File.Path}");
            return 1;
        }
        try
        {
            using var api = target.Api();
            await call(api, target);
            return 0;
        }
        catch (TunnelException exception)
        {
            TunnelOutput.Error(exception.Message);
            return TunnelRunner.ExitCodeOf(exception.Outcome);
        }
        catch (TunnelApiException exception)
        {
            TunnelOutput.Error(exception.Message);
            return exception.IsTransient ? TunnelRunner.TryLater : exception.Status == 0 ? TunnelRunner.Unavailable : 1;
        }
    }
}
