using System.Net;

namespace Mooring.Edge.Agent.Engine;

/// <summary>The engine answered with an error, or did not answer.</summary>
internal sealed class EngineException : Exception
{
    /// <summary>An answer of the engine.</summary>
    /// <param name="status">Its HTTP status.</param>
    /// <param name="message">Its own words.</param>
    public EngineException(HttpStatusCode status, string message)
        : base(message) => Status = status;

    /// <summary>No answer.</summary>
    /// <param name="message">What was tried and what happened.</param>
    /// <param name="cause">What the connection said.</param>
    public EngineException(string message, Exception cause)
        : base(message, cause)
    {
    }

    /// <summary>HTTP status of the engine's answer; null when there was none.</summary>
    public HttpStatusCode? Status { get; }

    /// <summary>Nobody listens at the socket, or it fell silent: worth another try later.</summary>
    public bool IsUnavailable => Status is null;

    /// <summary>No such container, network, image or volume.</summary>
    public bool IsNotFound => Status == HttpStatusCode.NotFound;

    /// <summary>The name is taken, or the object is in use or in a state that does not allow the call.</summary>
    public bool IsConflict => Status == HttpStatusCode.Conflict;
}
