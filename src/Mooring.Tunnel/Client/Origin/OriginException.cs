namespace Mooring.Tunnel.Client.Origin;

/// <summary>The published application does not do what it should; the message is for the person who published it.</summary>
internal sealed class OriginException(string message, Exception? cause = null) : Exception(message, cause);
