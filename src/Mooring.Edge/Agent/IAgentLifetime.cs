namespace Mooring.Edge.Agent;

/// <summary>Lets parts of the agent end it.</summary>
internal interface IAgentLifetime
{
    /// <summary>Ends the agent.</summary>
    /// <param name="reason">Why, for the log.</param>
    void Stop(string reason);
}
