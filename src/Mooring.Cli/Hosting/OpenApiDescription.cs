namespace Mooring.Cli.Hosting;

/// <summary>The description of the operator's API, at <c>/api/openapi.json</c>.</summary>
internal static class OpenApiDescription
{
    // The name that a route without one stands for.
    private const string Document = "v1";

    internal static void AddTo(MooringHost host) => host.Services.AddOpenApi(Document, options => options.AddDocumentTransformer((document, _, _) =>
    {
        document.Info.Title = "Mooring operator API";
        document.Info.Description = "For operators. On loopback it asks for no credentials; the hub asks everyone else for a token.";
        // Where it was asked for is where it is.
        document.Servers?.Clear();
        return Task.CompletedTask;
    }));

    internal static void MapDescription(this IEndpointRouteBuilder routes) => routes.MapOpenApi("/api/openapi.json").ExcludeFromDescription();
}
