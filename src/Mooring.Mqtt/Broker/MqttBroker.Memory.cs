namespace Mooring.Mqtt.Broker;

/// <summary>The last line of defence: what all clients together make the broker hold is bounded by the memory there is.</summary>
public sealed partial class MqttBroker
{
    private bool _isShortOfMemory;

    /// <summary>Whether the process holds more than it should; looked at once a second.</summary>
    internal bool IsShortOfMemory => Volatile.Read(ref _isShortOfMemory);

    private void TickMemory()
    {
        var used = GC.GetTotalMemory(forceFullCollection: false);
        var isShort = used > Options.Limits.MemoryBytes;
        if (isShort == _isShortOfMemory)
        {
            return;
        }

        Volatile.Write(ref _isShortOfMemory, isShort);
        if (isShort)
        {
            Log.ShortOfMemory(used, Options.Limits.MemoryBytes);
        }
        else
        {
            Log.EnoughMemory(used);
        }
    }
}
