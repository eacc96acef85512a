using System.Globalization;
using Mooring.Kernel.Events;

namespace Mooring.Cli.Hosting.Bridges;

/// <summary>What waits to be posted in one room: events of the same kind become one line, however many they are.</summary>
internal sealed class EventDigest(int perMinute, TimeProvider time)
{
    private readonly List<Group> _groups = [];
    private long _others;
    private double _tokens = BridgeLimits.Burst;
    private long _filledAt = time.GetTimestamp();

    internal void Add(OperatorEvent told)
    {
        var group = _groups.Find(other => other.System == told.System && other.Kind == told.Kind && other.Severity == told.Severity);
        if (group is not null) group.Add(told);
        else if (_groups.Count < BridgeLimits.KindsMax) _groups.Add(new Group(told));
        else _others++;
    }

    /// <summary>A message of several lines, each shorter than the longest message; null when nothing waits or the rate is used up.</summary>
    internal string? Take(int messageMax)
    {
        if (_groups.Count == 0 || !TryTakeToken()) return null;
        var text = "";
        var taken = 0;
        foreach (var group in _groups)
        {
            var line = Shortened(group.ToString(), messageMax);
            if (text.Length > 0 && text.Length + 1 + line.Length > messageMax) break;
            text = text.Length == 0 ? line : $"{text}\n{line}";
            taken++;
        }
        _groups.RemoveRange(0, taken);
        var rest = _others == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"\nand {_others} other event(s)");
        if (_groups.Count > 0 || rest.Length == 0 || text.Length + rest.Length > messageMax) return text;
        _others = 0;
        return text + rest;
    }

    internal static string Shortened(string line, int most) => line.Length <= most ? line : line[..(most - (char.IsHighSurrogate(line[most - 2]) ? 2 : 1))] + "…";

    private bool TryTakeToken()
    {
        var now = time.GetTimestamp();
        _tokens = Math.Min(BridgeLimits.Burst, _tokens + time.GetElapsedTime(_filledAt, now).TotalMinutes * perMinute);
        _filledAt = now;
        if (_tokens < 1) return false;
        _tokens--;
        return true;
    }

    private sealed class Group(OperatorEvent first)
    {
        private readonly List<string> _subjects = [first.Subject];
        private long _count = 1;

        internal string System => first.System;

        internal string Kind => first.Kind;

        internal EventSeverity Severity => first.Severity;

        internal void Add(OperatorEvent told)
        {
            _count++;
            if (_subjects.Count < BridgeLimits.SubjectsMax && !_subjects.Contains(told.Subject)) _subjects.Add(told.Subject);
        }

        public override string ToString()
        {
            var mark = Severity == EventSeverity.Notice ? "" : $"{Severity.ToString().ToUpperInvariant()} ";
            return _count == 1
                ? $"{mark}{System} {first.Subject} {Kind}: {first.Text.ReplaceLineEndings(" ")}"
                : string.Create(CultureInfo.InvariantCulture, $"{mark}{System} {Kind}: {_count} times, {string.Join(", ", _subjects)}{(_count > _subjects.Count ? ", ..." : "")}");
        }
    }
}
