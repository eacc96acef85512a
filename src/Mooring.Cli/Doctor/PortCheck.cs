using Mooring.Cli.Hosting;

namespace Mooring.Cli.Doctor;

/// <summary>The ports of every role: free, or already served by the Mooring that runs on the data folder.</summary>
internal static class PortCheck
{
    private const string Name = "ports";

    internal static IEnumerable<Finding> Run(IEnumerable<Listener> listeners, bool isRunning)
    {
        foreach (var listener in listeners.Where(listener => listener.EndPoint.Port != 0))
        {
            var what = $"{listener.EndPoint} ({listener.Purpose})";
            var problem = listener.Problem();
            if (problem is null)
                yield return isRunning ? Finding.Bad(Name, $"{what} is not served, though Mooring runs", "is it running with another configuration?") : Finding.Good(Name, $"{what} is free");
            else if (isRunning && problem.IsTaken) yield return Finding.Good(Name, $"{what} is served");
            else yield return Finding.Bad(Name, problem.What, problem.Advice);
        }
    }
}
