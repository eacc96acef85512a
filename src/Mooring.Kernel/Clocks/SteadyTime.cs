namespace Mooring.Kernel.Clocks;

/// <summary>Time for waits, limits and rates: it goes on evenly, also when somebody sets the machine's clock.</summary>
public static class SteadyTime
{
    /// <summary>Time since a moment that is the same for as long as the process lives. Only differences mean something.</summary>
    /// <param name="time">The clock.</param>
    public static TimeSpan Steady(this TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return time.GetElapsedTime(0);
    }
}
