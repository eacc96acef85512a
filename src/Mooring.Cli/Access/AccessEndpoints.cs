using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Mooring.Kernel.Hashing;

namespace Mooring.Cli.Access;

/// <summary>Logging in and out, who am I, the audit log, and accounts for admins.</summary>
internal static class AccessEndpoints
{
    private const int PageDefault = 100;

    internal static void MapAccess(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/login", LoginPage.WriteAsync).ExcludeFromDescription();
        routes.MapGet("/login.css", LoginPage.WriteStyleAsync).ExcludeFromDescription();
        var api = routes.MapGroup("/api").WithTags("access");
        api.Describe("POST", "/login", LogInAsync, "Begins a session: name and password as JSON or as a form.");
        api.Describe("POST", "/logout", LogOutAsync, "Ends the session.");
        api.Describe("GET", "/me", MeAsync, "Who sends this request.");
        api.Describe("GET", "/audit", AuditAsync, "Who did what, the newest first; before and limit turn pages.");
        api.Describe("GET", "/users", ListAsync, "Accounts and their tokens, without secrets.");
        api.Describe("PUT", "/users/{name}", SetAsync, "Makes an account, or changes its role or its password.");
        api.Describe("DELETE", "/users/{name}", RemoveAsync, "Removes an account with its tokens and sessions.");
        api.Describe("POST", "/users/{name}/tokens", AddTokenAsync, "Makes a token, told this once.");
        api.Describe("DELETE", "/users/{name}/tokens/{label}", RemoveTokenAsync, "Makes a token useless.");
    }

    /// <summary>The description is made from the method, which an endpoint that writes its answer itself does not show otherwise.</summary>
    internal static void Describe(this IEndpointRouteBuilder api, string method, string path, RequestDelegate handle, string summary) =>
        api.MapMethods(path, [method], handle).WithMetadata(handle.Method).WithSummary(summary);

    private static async Task LogInAsync(HttpContext context)
    {
        var isForm = context.Request.HasFormContentType;
        var (name, password, next) = isForm ? await ReadFormAsync(context) : await ReadJsonAsync(context);
        if (context.Response.HasStarted) return;
        var services = context.RequestServices;
        var (store, time) = (services.GetRequiredService<AccessStore>(), services.GetRequiredService<TimeProvider>());
        var begun = time.GetTimestamp();
        var address = context.Connection.RemoteIpAddress;
        var outcome = await services.GetRequiredService<LoginDesk>().TryAsync(name, password, address, context.RequestAborted);
        // A name that cannot be one is not repeated: it may be a password in the wrong field.
        await services.GetRequiredService<AuditLog>().NoteAsync(
            AccountRecord.IsName(name) ? name : "?", "", address?.ToString() ?? "", "log in", outcome.IsRight ? "done" : outcome.Wait is null ? "refused" : "too many attempts",
            time.GetElapsedTime(begun));
        if (outcome.IsRight)
        {
            var secret = await store.BeginSessionAsync(name, context.RequestAborted);
            context.Response.Cookies.Append(AccessGate.SessionCookie, secret, Cookie(context, services.GetRequiredService<AccessOptions>().Limits.SessionLifetime));
            if (isForm) SeeOther(context, LoginPage.LocalPath(next));
            else if (await store.BySessionAsync(secret, context.RequestAborted) is { } caller) await AnswerAsync(context, Of(caller), AccessJson.Default.IdentityView);
        }
        else if (isForm) SeeOther(context, $"/login?failed={(outcome.Wait is null ? "1" : "wait")}&next={Uri.EscapeDataString(LoginPage.LocalPath(next))}");
        else if (outcome.Wait is { } wait) await AccessAnswer.TooManyAsync(context, wait);
        else await AccessAnswer.ProblemAsync(context, StatusCodes.Status401Unauthorized, "name and password do not belong together");
    }

    private static async Task<(string Name, string Password, string Next)> ReadFormAsync(HttpContext context)
    {
        try
        {
            var form = await context.Request.ReadFormAsync(new Microsoft.AspNetCore.Http.Features.FormOptions { BufferBodyLengthLimit = AccessLimits.LoginBytesMax }, context.RequestAborted);
            return (form["name"].ToString(), form["password"].ToString(), form["next"].ToString());
        }
        catch (InvalidDataException)
        {
            return ("", "", "");
        }
    }

    private static async Task<(string Name, string Password, string Next)> ReadJsonAsync(HttpContext context)
    {
        var request = await ReadAsync(context, AccessJson.Default.OperatorLogin);
        return (request?.Name ?? "", request?.Password ?? "", "");
    }

    private static async Task LogOutAsync(HttpContext context)
    {
        if (context.Request.Cookies[AccessGate.SessionCookie] is { Length: > 0 } secret)
            await context.RequestServices.GetRequiredService<AccessStore>().EndSessionAsync(secret, context.RequestAborted);
        context.Response.Cookies.Delete(AccessGate.SessionCookie, Cookie(context, null));
        if (context.Request.HasFormContentType) SeeOther(context, "/login");
        else context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static Task MeAsync(HttpContext context) => AnswerAsync(context, Of(context.Features.Get<OperatorIdentity>()!), AccessJson.Default.IdentityView);

    private static async Task AuditAsync(HttpContext context)
    {
        var limit = Math.Clamp(Number(context, "limit") ?? PageDefault, 1, AuditLog.PageMax);
        var entries = await AuditLog.ReadAsync(
            context.RequestServices.GetRequiredService<AccessStore>(), Number(context, "before") ?? long.MaxValue, (int)limit, context.RequestAborted);
        await AnswerAsync(context, new AuditPage(entries, entries.Count == limit ? entries[^1].Id : null), AccessJson.Default.AuditPage);
    }

    private static async Task ListAsync(HttpContext context) => await AnswerAsync(
        context, await context.RequestServices.GetRequiredService<AccessStore>().AccountsAsync(context.RequestAborted), AccessJson.Default.IReadOnlyListAccountRecord);

    private static async Task SetAsync(HttpContext context)
    {
        if (await ReadAsync(context, AccessJson.Default.AccountRequest) is not { } request) return;
        var name = Route(context, "name");
        OperatorRole? role = Enum.TryParse<OperatorRole>(request.Role, ignoreCase: true, out var parsed) && Enum.IsDefined(parsed) ? parsed : null;
        var problem = !AccountRecord.IsName(name) ? AccountRecord.NameRule
            : request.Role is not null && role is null ? "role: use viewer, operator or admin"
            : request.Password is { } given ? AccountRecord.PasswordProblem(given) : null;
        if (problem is not null)
        {
            await AccessAnswer.ProblemAsync(context, StatusCodes.Status400BadRequest, problem);
            return;
        }
        var store = context.RequestServices.GetRequiredService<AccessStore>();
        var hash = request.Password is null ? null : await Task.Run(() => PasswordHash.Create(request.Password).ToString(), context.RequestAborted);
        if (await store.AddAsync(name, role ?? OperatorRole.Viewer, hash, context.RequestAborted))
        {
            context.Response.StatusCode = StatusCodes.Status201Created;
            return;
        }
        if (hash is not null) await store.SetPasswordAsync(name, hash, context.RequestAborted);
        if (role is { } other) await store.SetRoleAsync(name, other, context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task RemoveAsync(HttpContext context) =>
        await DoneAsync(context, await context.RequestServices.GetRequiredService<AccessStore>().RemoveAsync(Route(context, "name"), context.RequestAborted), "there is no such account");

    private static async Task AddTokenAsync(HttpContext context)
    {
        if (await ReadAsync(context, AccessJson.Default.OperatorTokenRequest) is not { } request) return;
        var (name, label) = (Route(context, "name"), request.Label ?? "default");
        if (!AccountRecord.IsName(label) || request.Days is < 1 or > 36_500)
        {
            await AccessAnswer.ProblemAsync(context, StatusCodes.Status400BadRequest, "label: " + AccountRecord.NameRule + "; days: use 1 to 36500");
            return;
        }
        TimeSpan? lifetime = request.Days is { } days ? TimeSpan.FromDays(days) : null;
        var token = await context.RequestServices.GetRequiredService<AccessStore>().AddTokenAsync(name, label, lifetime, context.RequestAborted);
        if (token is null) await AccessAnswer.ProblemAsync(context, StatusCodes.Status404NotFound, "there is no such account");
        else await AnswerAsync(context, new TokenAnswer(name, label, token), AccessJson.Default.OperatorTokenAnswer);
    }

    private static async Task RemoveTokenAsync(HttpContext context) => await DoneAsync(
        context, await context.RequestServices.GetRequiredService<AccessStore>().RemoveTokenAsync(Route(context, "name"), Route(context, "label"), context.RequestAborted), "there is no such token");

    private static Task DoneAsync(HttpContext context, bool isDone, string otherwise)
    {
        if (!isDone) return AccessAnswer.ProblemAsync(context, StatusCodes.Status404NotFound, otherwise);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static IdentityView Of(OperatorIdentity caller) => new(caller.Name, caller.RoleName, caller.Means);

    private static string Route(HttpContext context, string name) => context.GetRouteValue(name) as string ?? "";

    private static long? Number(HttpContext context, string name) =>
        long.TryParse(context.Request.Query[name], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static CookieOptions Cookie(HttpContext context, TimeSpan? lifetime) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Secure = context.Request.IsHttps,
        Path = "/",
        MaxAge = lifetime,
    };

    private static void SeeOther(HttpContext context, string path)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = path;
    }

    private static Task AnswerAsync<T>(HttpContext context, T body, JsonTypeInfo<T> type)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(body, type, cancellationToken: context.RequestAborted);
    }

    /// <summary>The body; null after the request was answered with 400.</summary>
    private static async Task<T?> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            if (await context.Request.ReadFromJsonAsync(type, context.RequestAborted) is { } body) return body;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Answered below, like a body that is the word null.
        }
        await AccessAnswer.ProblemAsync(context, StatusCodes.Status400BadRequest, "the body is not the JSON object that is wanted here");
        return null;
    }
}
