using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Metadata;

namespace Mooring.Edge.Hub.Api;

/// <summary>The role that an endpoint asks for.</summary>
internal sealed record HubPermission(HubRole Role);

/// <summary>The largest body of an endpoint.</summary>
internal sealed record BodyLimit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;

/// <summary>Says them with few words.</summary>
internal static class HubPermissionConventions
{
    public static TBuilder For<TBuilder>(this TBuilder endpoint, HubRole role)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new HubPermission(role));

    public static TBuilder TakesUpTo<TBuilder>(this TBuilder endpoint, long bytes)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new BodyLimit(bytes));
}
