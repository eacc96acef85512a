using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Routing;

/// <summary>
/// Filters with wildcards, one node per level, '+' and '#' apart from names. A match walks level by level with the set of nodes
/// reached, so its cost is bounded by the nodes of each level and nothing recurses. The caller locks.
/// </summary>
internal sealed class FilterTrie
{
    private readonly Node _root = new();

    internal void Add(Subscription subscription)
    {
        var node = _root;
        foreach (var level in Levels(subscription.Filter))
        {
            node = node.Child(subscription.Filter.AsSpan(level));
        }

        (node.Subscriptions ??= []).Add(subscription);
    }

    internal void Remove(Subscription subscription)
    {
        var path = new List<(Node Node, byte[] Level)>();
        var node = _root;
        foreach (var range in Levels(subscription.Filter))
        {
            var level = subscription.Filter.AsSpan(range).ToArray();
            if (node.Find(level) is not { } next)
            {
                return;
            }

            path.Add((node, level));
            node = next;
        }

        node.Subscriptions?.Remove(subscription);
        for (var i = path.Count - 1; i >= 0 && node.IsEmpty; i--)
        {
            path[i].Node.Drop(path[i].Level);
            node = path[i].Node;
        }
    }

    internal void Match(ReadOnlySpan<byte> topic, List<Subscription> found)
    {
        var serverOwned = TopicName.IsServerOwned(topic);
        var reached = new List<Node> { _root };
        var next = new List<Node>();
        var first = true;
        while (true)
        {
            var end = topic.IndexOf((byte)'/');
            var level = end < 0 ? topic : topic[..end];
            // A wildcard in the first level does not see names that begin with '$' (MQTT-4.7.2-1).
            var wildcards = !(first && serverOwned);
            next.Clear();
            foreach (var node in reached)
            {
                if (wildcards)
                {
                    node.AddMultiLevel(found);
                    if (node.Plus is { } plus)
                    {
                        next.Add(plus);
                    }
                }

                if (node.FindName(level) is { } named)
                {
                    next.Add(named);
                }
            }

            (reached, next) = (next, reached);
            if (end < 0 || reached.Count == 0)
            {
                break;
            }

            topic = topic[(end + 1)..];
            first = false;
        }

        foreach (var node in reached)
        {
            if (node.Subscriptions is { } here)
            {
                found.AddRange(here);
            }

            // "a/#" matches "a" too.
            node.AddMultiLevel(found);
        }
    }

    private static List<Range> Levels(ReadOnlySpan<byte> filter)
    {
        var levels = new List<Range>();
        foreach (var range in filter.Split((byte)'/'))
        {
            levels.Add(range);
        }

        return levels;
    }

    private sealed class Node
    {
        private Dictionary<byte[], Node>? _names;
        private Node? _multiLevel;

        internal Node? Plus { get; private set; }

        internal List<Subscription>? Subscriptions { get; set; }

        internal bool IsEmpty =>
            Subscriptions is not { Count: > 0 } && Plus is null && _multiLevel is null && _names is not { Count: > 0 };

        internal Node Child(ReadOnlySpan<byte> level)
        {
            if (Find(level) is { } found)
            {
                return found;
            }

            var node = new Node();
            if (level is [(byte)'+'])
            {
                Plus = node;
            }
            else if (level is [(byte)'#'])
            {
                _multiLevel = node;
            }
            else
            {
                (_names ??= new(Utf8Comparer.Instance))[level.ToArray()] = node;
            }

            return node;
        }

        internal Node? Find(ReadOnlySpan<byte> level) => level switch
        {
            [(byte)'+'] => Plus,
            [(byte)'#'] => _multiLevel,
            _ => FindName(level),
        };

        internal Node? FindName(ReadOnlySpan<byte> level) =>
            _names is not null && _names.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(level, out var node) ? node : null;

        internal void Drop(ReadOnlySpan<byte> level)
        {
            switch (level)
            {
                case [(byte)'+']:
                    Plus = null;
                    break;
                case [(byte)'#']:
                    _multiLevel = null;
                    break;
                default:
                    _names?.GetAlternateLookup<ReadOnlySpan<byte>>().Remove(level);
                    break;
            }
        }

        internal void AddMultiLevel(List<Subscription> found)
        {
            if (_multiLevel?.Subscriptions is { } here)
            {
                found.AddRange(here);
            }
        }
    }
}
