namespace Mooring.Kernel.Events;

/// <summary>How much an operator should care.</summary>
public enum EventSeverity
{
    /// <summary>The usual course of things.</summary>
    Notice,

    /// <summary>Something ended or was refused that somebody may miss.</summary>
    Warning,

    /// <summary>Somebody has to do something.</summary>
    Alarm,
}
