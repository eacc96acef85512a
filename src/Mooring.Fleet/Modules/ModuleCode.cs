using System.Globalization;

namespace Mooring.Fleet.Modules;

/// <summary>Return codes of modules. A library may return others; they are failures like <see cref="NotOk"/>.</summary>
internal static class ModuleCode
{
    internal const int Ok = 0;
    internal const int NotOk = -1;
    internal const int ContextIncorrect = -11;
    internal const int TimeoutOccurred = -12;

    /// <summary>A failure that has been logged already, with more than a code could say.</summary>
    internal const int Told = int.MinValue;

    /// <summary>What a person reads about a code.</summary>
    internal static string Describe(int code) => code switch
    {
        Ok => "OK",
        NotOk => "NOT_OK (-1)",
        ContextIncorrect => "CONTEXT_INCORRECT (-11)",
        TimeoutOccurred => "TIMEOUT_OCCURRED (-12)",
        _ => code.ToString(CultureInfo.InvariantCulture),
    };
}
