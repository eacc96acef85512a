namespace Mooring.Edge.Agent.Devices;

/// <summary>What has to be undone, last first, when a work of several steps fails.</summary>
internal sealed class UndoStack
{
    private readonly Stack<(string What, Func<CancellationToken, Task> Undo)> _steps = new();

    /// <summary>A step was done.</summary>
    /// <param name="what">What is undone, for people.</param>
    /// <param name="undo">How.</param>
    public void Push(string what, Func<CancellationToken, Task> undo) => _steps.Push((what, undo));

    /// <summary>Undoes all. A step that cannot be undone does not keep the others.</summary>
    /// <returns>What could not be undone, and why.</returns>
    public async Task<IReadOnlyList<(string What, Exception Why)>> UndoAsync(CancellationToken cancellationToken)
    {
        var left = new List<(string, Exception)>();
        while (_steps.TryPop(out var step))
        {
            try
            {
                await step.Undo(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                left.Add((step.What, e));
            }
        }
        return left;
    }
}
