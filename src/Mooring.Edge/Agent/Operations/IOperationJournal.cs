namespace Mooring.Edge.Agent.Operations;

/// <summary>Remembers running operations beyond the life of the process.</summary>
internal interface IOperationJournal
{
    /// <summary>An operation began or came to a new step. When this returns, a kill does not lose it.</summary>
    void Record(Operation operation);

    /// <summary>An operation ended.</summary>
    void Forget(string name);
}
