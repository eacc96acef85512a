namespace Mooring.Fleet.Modules;

/// <summary>What a module is told at its start.</summary>
internal static class ModuleParameters
{
    /// <summary>Company and car first, then the configured ones in order; one that has the name of an earlier one replaces its value in place.</summary>
    internal static List<KeyValuePair<string, string>> Build(
        IReadOnlyList<KeyValuePair<string, string>> configured, string company, string car)
    {
        List<KeyValuePair<string, string>> all = [new("company_name", company), new("car_name", car)];
        foreach (var parameter in configured)
        {
            var earlier = all.FindIndex(p => p.Key == parameter.Key);
            if (earlier < 0) all.Add(parameter);
            else all[earlier] = parameter;
        }
        return all;
    }
}
